"""What the text message with a code says: what the code allows, and to tell it to nobody else."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

KIND = "binding_code"
# Whoever reads the message learns what the code gives away before giving it.
_ALLOWS = {
    "own": _("The code binds your patient card to an account."),
    "moves": _("The code moves your patient card to another account; the old one loses it."),
    "relative": _("The code lets a relative pay your bills. Tell it only to them."),
    "child": _("The code lets the guardian see and pay this child's bills."),
}


def code_fields(*, allows: str, code: str, name: str, hospital: str) -> dict[str, str]:
    """The fields of the message; the code's field has a name that no log shows the value of."""
    with override(settings.LANGUAGE_CODE):
        return {
            "title": str(_("Code for the patient card")),
            "hospital": hospital,
            "name": name,
            "verify_code": code,
            "todo": str(_ALLOWS[allows]),
        }
