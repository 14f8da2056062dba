"""What a payer must have agreed to before anything is deducted: asked by every service that begins
an agreement or lets one go on, whoever calls it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import BadInput, Conflict
from core.models import User
from patients.models import ConsentPurpose
from patients.selectors import consent_stands

# The first allows the portal to work for a person at all.
CONSENTS = (ConsentPurpose.PRIVACY, ConsentPurpose.DEDUCTION)


def consents_require(user: User, *, field: str = "") -> None:
    """Refuse whoever has not given them, or took one back.

    Raises Conflict with where to give it; BadInput on the field of a form that asks for the yes to
    deductions itself.
    """
    if not consent_stands(user=user, purpose=ConsentPurpose.PRIVACY):
        raise Conflict(
            "privacy_missing", _("Allow the use of your data first, under My consents. Then go on.")
        )
    if consent_stands(user=user, purpose=ConsentPurpose.DEDUCTION):
        return
    if field:
        raise BadInput("consent_missing", _("Without your consent nothing can be deducted."), field)
    raise Conflict("consent_missing", _("Allow deductions first, under My consents. Then go on."))
