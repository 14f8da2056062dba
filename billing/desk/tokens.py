"""What a rendered form fixed: its number, its bill, its person and the sums that were shown.

The number makes a form that is sent twice act once. The signature keeps a member of staff from
sending a number, a sum or a line that no page of ours has shown them.
"""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict

SHOWN_FOR_S = 8 * 3600  # a shift


def token_make(purpose: str, **shown: Any) -> str:
    """The hidden field of a form."""
    return signing.dumps(shown, salt=f"desk.{purpose}", compress=True)


def token_read(purpose: str, token: str, **same: Any) -> dict[str, Any]:
    """What the form was rendered with; Conflict when it is not ours, too old or somebody else's."""
    try:
        shown: dict[str, Any] = signing.loads(token, salt=f"desk.{purpose}", max_age=SHOWN_FOR_S)
    except signing.BadSignature:
        shown = {}
    if not shown or any(shown.get(name) != value for name, value in same.items()):
        raise Conflict("form_old", _("This page is out of date. Open the bill again."))
    return shown
