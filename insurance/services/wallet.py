"""The insured allow a visit on their own phone: asked for at the insurer's page, kept on return.

The number is the portal's own and is used once. What comes back is no identity yet: the insurer is
asked whose permission it was, and another person's is refused and recorded (`credential_hold`).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.errors import Conflict, NotOffered
from core.ids import business_number
from core.outcomes import Outcome
from insurance.gateway.credential import (
    BUSINESS_ONLINE,
    Terminal,
    authorise_address,
    face_identity,
)
from insurance.models import Institution
from insurance.services.credentials import credential_hold
from insurance.services.exchange import message_send
from insurance.wallet import insured_today

PHONE = Terminal("PHONE", "手机", "Mobile")


def permission_ask(
    *, institution: Institution, back: str, business: str = BUSINESS_ONLINE
) -> tuple[str, str]:
    """A new number, and the insurer's page where it is allowed or refused."""
    page = institution.region.authorise_url
    if not page:
        raise NotOffered("no_phone_permission", _("The insurer cannot be asked on the phone here."))
    number = business_number("EC")
    code = institution.campus.institution_code
    return number, authorise_address(
        page, institution_code=code, number=number, back=back, business=business
    )


def permission_take(
    *,
    institution: Institution,
    patient_id: int,
    number: str,
    auth_no: str,
    by: Actor,
    address: str = "",
) -> int:
    """Turn a permission into the proof of the day's waiting visits; how many there are now.

    Not inside a transaction: the insurer is asked first.
    """
    answer = message_send(
        institution=institution,
        call=face_identity(number, auth_no, PHONE),
        subject=f"patient:{patient_id}",
    )
    if answer.outcome is Outcome.DECLINED:
        raise Conflict("not_allowed", answer.sentence)
    if answer.outcome is not Outcome.SUCCEEDED:
        raise Conflict("insurer_silent", _("The insurer does not answer. Please try again."))
    today = insured_today(patient_id)
    visits = today.waiting if today else ()
    for visit in visits:
        if visit.campus_id == institution.campus_id:
            credential_hold(encounter=visit, identity=answer.known, by=by, address=address)
    return len(visits)
