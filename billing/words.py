"""Channel codes in words a patient can act on. A code without a sentence is never shown."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    "NOTENOUGH": _("there is not enough money in the account"),
    "NOT_ENOUGH": _("there is not enough money in the account"),
    "RULELIMIT": _("a limit of the deduction agreement is reached"),
    "RULE_LIMIT": _("a limit of the deduction agreement is reached"),
    "CONTRACT_NOT_EXIST": _("the deduction agreement has ended"),
    "AUTH_CODE_EXPIRED": _("the payment code is no longer valid"),
    "AUTHCODEEXPIRE": _("the payment code is no longer valid"),
    "USERPAYING": _("the password was not entered in time"),
}
OTHER = _("the payment was not completed and is cancelled")


def reason_text(code: str) -> Promise:
    """Why nothing was taken, in one phrase."""
    return REASONS.get(code, OTHER)
