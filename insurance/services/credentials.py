"""A code or face becomes the proof a visit is insured by, kept encrypted and only as long.

The code must be the registered patient's: another person's is refused and recorded (冒名就医),
whoever shows it. Trial and settlement read the proof from here, so that they bear the very one of
the registration.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import Conflict, Forbidden
from core.prepared import PreparedQuery
from insurance.gateway.credential import Identity
from insurance.gateway.visit_values import Credential, CredentialKind
from insurance.models import Claim, ClaimStatus, HeldCredential, InsuredVisit
from patients.models import Encounter, EncounterStatus

_held = PreparedQuery(
    lambda encounter: HeldCredential.objects.filter(encounter=encounter, held=True), int
)
UNSETTLED = Claim.STANDING - {ClaimStatus.SETTLED}


def credential_hold(
    *, encounter: Encounter, identity: Identity, by: Actor, address: str = ""
) -> HeldCredential:
    """Keep the proof for the visit's day; a fresh code of the same person replaces the old one."""
    if not _is_patient(encounter, identity):
        # Committed although the request is refused: the attempt is what must be known.
        record(
            by=by,
            action="insurance_other_person",
            subject="encounter",
            subject_id=str(encounter.pk),
            detail={"insured_area": identity.insured_area},
            address=address,
        )
        raise Forbidden(
            "other_person",
            _("This insurance code belongs to another person than the registered patient."),
        )
    token = Credential(
        CredentialKind.ELECTRONIC, identity.token, insured_area=identity.insured_area
    )
    return credential_keep(encounter=encounter, credential=token)


def credential_keep(*, encounter: Encounter, credential: Credential) -> HeldCredential:
    """Keep what the HIS read by itself, a card or a token, for the visit's day. Whose it is the
    insurer says at the first price (1101), and another person's stops the claim there."""
    if encounter.status != EncounterStatus.OPEN:
        raise Conflict("visit_over", _("The visit is over; its insurance cannot be used any more."))
    with transaction.atomic():
        held, _created = HeldCredential.objects.update_or_create(
            encounter=encounter,
            defaults={
                "kind": credential.kind.value,
                "number": credential.number,
                "card_serial": credential.card_serial,
                "insured_area": credential.insured_area,
                "held": True,
                "obtained_at": clock.now(),
                "expires_at": clock.day_bounds(clock.today())[1],
            },
        )
    return held


def credential_of(encounter: Encounter) -> Credential | None:
    """The proof of this visit, or None: then the patient shows the code again."""
    held = next(iter(_held(encounter.pk)), None)
    if held is None or held.expires_at <= clock.now():
        return None
    return Credential(CredentialKind(held.kind), held.number, held.card_serial, held.insured_area)


def credentials_forget() -> int:
    """Empty what expired or whose visit is over; the beat runs it, and twice does no harm."""
    expired = Q(expires_at__lte=clock.now())
    over = ~Q(encounter__status=EncounterStatus.OPEN)
    # A bill may still be settled after the visit, under the proof of its registration.
    waiting = Claim.objects.filter(visit__held=True, status__in=UNSETTLED).values("visit")
    return _emptied(HeldCredential, expired | over) + _emptied(
        InsuredVisit, expired | (over & ~Q(pk__in=waiting))
    )


def _emptied(model: type[HeldCredential | InsuredVisit], over: Q) -> int:
    ended = model.objects.filter(over, held=True).values_list("pk", flat=True)
    gone = {"number": "", "card_serial": "", "held": False}
    return model.objects.filter(pk__in=list(ended)).update(**gone)


def _is_patient(encounter: Encounter, identity: Identity) -> bool:
    """The same ID number and name; a record without a number is nobody's yet."""
    patient = encounter.patient
    same_number = patient.id_number.upper() == identity.id_number.upper()
    return bool(patient.id_number) and same_number and patient.name == identity.name
