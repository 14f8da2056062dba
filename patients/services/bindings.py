"""Binding a patient card: the wish, the code, and the binding that a right code makes.

Nobody learns here whether a person is a patient: a wish is written down in the same way for
everybody, and only afterwards is the register asked (`binding_codes`). A wrong code, a code for
nobody and a code that is too late are refused in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.crypto import blind_index
from core.errors import BadInput, Conflict, NotFound
from core.models import User
from core.states import transition
from patients.binding_codes import code_fits
from patients.certificates import certificate_number
from patients.locks import accesses_locked, binding_locked, bindings_locked, bindings_waiting_locked
from patients.models import (
    AccessEnd,
    Binding,
    BindingStatus,
    IdType,
    Patient,
    PatientAccess,
    Relation,
)
from patients.selectors import FAMILY_MAX, family_places, id_number_index
from patients.selectors.binding_limits import tries_refusal, wishes_refusal
from patients.selectors.binding_rules import (
    ADULT_FROM,
    age_on,
    binding_refusal,
    born_by_number,
    person_of,
)
from patients.services.access import access_end_rows, patient_told, user_told

VALID_FOR = timedelta(minutes=10)
AGAIN_AFTER = timedelta(seconds=60)
SENDS_MAX = 3
ATTEMPTS_MAX = 5
NAME_LENGTH_MAX = 100
CARD_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class BindingWanted:
    """What was typed. The certificate or the card may be empty, not both."""

    relation: str
    name: str
    id_type: str = IdType.ID_CARD
    id_number: str = ""
    card_no: str = ""


def binding_begin(*, user: User, wanted: BindingWanted, address: str) -> Binding:
    """Write the wish down; a task asks the register and sends the code.

    Raises BadInput for what cannot be a name or number, Conflict for what the user's own family
    forbids or after too many wishes. Neither says anything about the other person.
    """
    values = _checked(wanted)
    names = [f"user/{user.pk}", f"target/{values['target']}"]
    with transaction.atomic():
        bindings_locked(*names, *_address_name(address))
        _own_family_allows(user, wanted, str(values["id_number_index"]))
        _refuse(wishes_refusal(user_id=user.pk, target=str(values["target"]), address=address))
        for row in bindings_waiting_locked(user.pk):
            _over(row, "replaced")
        now = clock.now()
        return Binding.objects.create(
            user=user,
            relation=wanted.relation,
            address=address or None,
            due_at=now,
            asked_at=now,
            created_at=now,
            expires_at=now + VALID_FOR,
            **values,
        )


def _checked(wanted: BindingWanted) -> dict[str, object]:
    if wanted.relation not in Relation.values:
        raise BadInput("bad_relation", _("Choose who this person is to you."), "relation")
    if wanted.id_type not in IdType.values:
        raise BadInput("bad_id_type", _("Choose the kind of certificate."), "id_type")
    name = " ".join(wanted.name.split())
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise BadInput("bad_name", _("Write the name as it is on the certificate."), "name")
    card_no = "".join(wanted.card_no.split())
    if len(card_no) > CARD_LENGTH_MAX or (card_no and not card_no.isprintable()):
        raise BadInput("bad_card", _("This is not a card number."), "card_no")
    number = _number(wanted)
    if not number and not card_no:
        raise BadInput(
            "no_number", _("Write the certificate number, or the card number."), "id_number"
        )
    told = f"{wanted.id_type}/{number}" if number else f"card/{card_no}"
    return {
        "name": name,
        "id_type": wanted.id_type,
        "id_number_index": id_number_index(number),
        "card_no": card_no,
        "target": blind_index(told, purpose="binding target"),
    }


def _number(wanted: BindingWanted) -> str:
    """The certificate's number in its normal form; empty without one."""
    if not wanted.id_number.strip():
        return ""
    return certificate_number(id_type=wanted.id_type, value=wanted.id_number)


def _address_name(address: str) -> list[str]:
    return [f"address/{address}"] if address else []


def _own_family_allows(user: User, wanted: BindingWanted, index: str) -> None:
    """What the user knows already, and therefore may be told."""
    own = person_of(user)
    if wanted.relation == Relation.SELF and own is not None:
        raise Conflict(
            "self_bound", _("Your own card is bound already. To change it, end that binding first.")
        )
    live = PatientAccess.objects.filter(user=user, ended_at__isnull=True)
    if (
        index
        and live.filter(patient__id_number_index=index, patient__id_type=wanted.id_type).exists()
    ):
        raise Conflict("already_bound", _("This person is on your family page already."))
    if family_places(user) >= FAMILY_MAX:
        raise Conflict("family_full", _FULL)
    born = born_by_number(wanted.id_type, _number(wanted))
    minor = born is not None and age_on(born, clock.today()) < ADULT_FROM
    if own is None and minor and wanted.relation != Relation.SELF:
        raise Conflict("own_card_first", _("Bind your own card first, then your child's."))


_FULL = _("You have bound five people. End one of these bindings to add another.")
_OVER = _("This code is no longer valid. Begin again to get a new one.")


def binding_send_again(*, user: User, binding_id: int) -> Binding:
    """Ask for another code; the earlier one ends with it."""
    with transaction.atomic():
        row = _own_binding(user, binding_id)
        now = clock.now()
        if row.status != BindingStatus.WAITING or row.sends_asked >= SENDS_MAX:
            raise Conflict("binding_over", _OVER)
        if now < row.asked_at + AGAIN_AFTER:
            raise Conflict("too_soon", _("Wait a minute before asking for another code."))
        _refuse(wishes_refusal(user_id=user.pk, target=row.target, address=str(row.address or "")))
        row.sends_asked += 1
        row.code_hash, row.outcome, row.send_tries = "", "", 0
        row.asked_at = row.due_at = now
        row.expires_at = now + VALID_FOR
        row.save()
    return row


def binding_cancel(*, user: User, binding_id: int) -> None:
    """The user does not go on; the code is worth nothing from now on."""
    with transaction.atomic():
        row = _own_binding(user, binding_id)
        if row.status == BindingStatus.WAITING:
            _over(row, "cancelled")


def binding_confirm(
    *, user: User, binding_id: int, code: str, address: str, by: Actor
) -> PatientAccess:
    """Take the code and bind, or refuse and count the attempt.

    Raises NotFound for somebody else's wish, BadInput for a wrong code, Conflict where the wish is
    over, the limits are reached, or the family has no place.
    """
    with transaction.atomic():
        row = _own_binding(user, binding_id, address)
        if row.status != BindingStatus.WAITING or clock.now() >= row.expires_at:
            raise Conflict("binding_over", _OVER)
        _refuse(tries_refusal(user_id=user.pk, target=row.target, address=address))
        patient = _proven(row, code)
        if patient is not None:
            return _bound(row, patient, by)
        left = ATTEMPTS_MAX - _attempt_counted(row, address)
    if left <= 0:
        raise Conflict("binding_over", _OVER)
    raise BadInput(
        "code_wrong",
        _("This is not the code. You can try %(left)s more times.") % {"left": left},
        "code",
    )


def _own_binding(user: User, binding_id: int, address: str = "") -> Binding:
    known = Binding.objects.filter(pk=binding_id, user=user).values_list("target", flat=True)
    target = known.first()
    if target is None:
        raise NotFound("unknown_binding", _("There is nothing to confirm under this address."))
    bindings_locked(f"user/{user.pk}", f"target/{target}", *_address_name(address))
    return binding_locked(binding_id)


def _proven(row: Binding, code: str) -> Patient | None:
    """The person, if the code is right and the register still allows it."""
    fits = code_fits(row, code)
    if not fits or row.patient is None:
        return None
    refusal = binding_refusal(user=row.user, relation=row.relation, patient=row.patient)
    return None if refusal else row.patient


def _attempt_counted(row: Binding, address: str) -> int:
    row.attempts += 1
    row.address = address or row.address
    row.save(update_fields=["attempts", "address"])
    if row.attempts >= ATTEMPTS_MAX:
        _over(row, "too_many_tries")
    return row.attempts


def _bound(row: Binding, patient: Patient, by: Actor) -> PatientAccess:
    """Make the binding; the person's own account changes hands with it."""
    user, own = row.user, row.relation == Relation.SELF
    bindings_locked(f"zz-person/{patient.pk}")
    if PatientAccess.objects.filter(user=user, patient=patient, ended_at__isnull=True).exists():
        raise Conflict("already_bound", _("This person is on your family page already."))
    if family_places(user) >= FAMILY_MAX:
        raise Conflict("family_full", _FULL)
    if own and person_of(user) is not None:
        raise Conflict(
            "self_bound", _("Your own card is bound already. To change it, end that binding first.")
        )
    if own:
        _handed_over(patient, by)
    access = PatientAccess.objects.create(
        user=user,
        patient=patient,
        relation=row.relation,
        may_view=own,
        may_pay=True,
        created_at=clock.now(),
    )
    transition(row, BindingStatus.BOUND, by=by, **_ended())
    record(
        by=by,
        action="binding.made",
        subject="patients.patient",
        subject_id=patient.pk,
        detail={"access": access.pk, "relation": row.relation},
        address=str(row.address or ""),
    )
    if not own:
        patient_told(access, "access_begun", f"begun/{access.pk}")
    return access


def _handed_over(patient: Patient, by: Actor) -> None:
    """The code on the patient's own phone is the consent; who held the card until now is told."""
    for earlier in accesses_locked(patient=patient, relation=Relation.SELF):
        access_end_rows([earlier], how=AccessEnd.HANDED_OVER, reason="", by=by)
        user_told(earlier, "card_moved", f"moved/{earlier.pk}")


def _over(row: Binding, outcome: str) -> None:
    transition(
        row,
        BindingStatus.OVER,
        by=Actor("patient", f"user-{row.user_id}"),
        outcome=outcome,
        **_ended(),
    )


def _ended() -> dict[str, Any]:
    """What was typed is not kept longer than it is needed."""
    return {"ended_at": clock.now(), "due_at": None, "name": "", "card_no": "", "code_hash": ""}


def _refuse(refusal: Conflict | None) -> None:
    if refusal is not None:
        raise refusal
