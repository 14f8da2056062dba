"""What a code makes of a wish: a binding, or an attempt that counts.

A wrong code, a code for nobody and a code that is too late are refused in the same words.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict
from core.models import User
from core.states import transition
from patients.binding_codes import code_fits
from patients.locks import accesses_locked, patients_locked, people_locked
from patients.models import (
    AccessEnd,
    Binding,
    BindingStatus,
    Patient,
    PatientAccess,
    Relation,
)
from patients.selectors import FAMILY_MAX, family_places, phone_index
from patients.selectors.binding_limits import tries_refusal
from patients.selectors.binding_rules import (
    age_of,
    binding_refusal,
    code_phone,
    is_child,
    person_of,
)
from patients.services.access import access_and_wards, access_end_rows, patient_told, user_told
from patients.services.accounts import account_for_another
from patients.services.bindings import (
    ATTEMPTS_MAX,
    FULL,
    OVER,
    SELF_BOUND,
    binding_over,
    ended_fields,
    own_binding_locked,
    refuse,
    refuse_bound,
)
from patients.services.phone_codes import CODE_MISSING

CHANGED = _(
    "The hospital's record of this person changed after the code was sent, so nothing was bound. "
    "Begin again to get a new code, or come to the window with the certificates."
)


def binding_confirm(
    *, user: User, binding_id: int, code: str, address: str, by: Actor
) -> PatientAccess:
    """Take the code and bind, or refuse and count the attempt.

    Raises NotFound for somebody else's wish, BadInput for a wrong code, Conflict where the wish is
    over, the limits are reached, the family has no place, or the register has changed since the
    code was sent: only who has the right code learns that.
    """
    if not code.strip():
        raise BadInput("code_missing", CODE_MISSING, "code")
    with transaction.atomic():
        people_locked()
        row = own_binding_locked(user, binding_id, address)
        if row.status != BindingStatus.WAITING or clock.now() >= row.expires_at:
            raise Conflict("binding_over", OVER)
        refuse(tries_refusal(row, address=address))
        patient = _coded(row, code)
        changed = patient is not None and _changed_since(row, patient)
        if changed:
            binding_over(row, "register_changed")
        elif patient is not None and _allowed(row, patient):
            return _bound(row, patient, by)
        left = ATTEMPTS_MAX if changed else ATTEMPTS_MAX - _attempt_counted(row, address)
    if changed:
        raise Conflict("register_changed", CHANGED)
    if left <= 0:
        raise Conflict("binding_over", OVER)
    raise BadInput(
        "code_wrong",
        _("This is not the code. You can try %(left)s more times.") % {"left": left},
        "code",
    )


def _coded(row: Binding, code: str) -> Patient | None:
    """The person as the register knows them now, if the code is right.

    All that is read from here on is locked: the person and the guardian whose phone had the code,
    and the guardian a ward is bound by.
    """
    fits = code_fits(row, code)
    if not fits or row.patient_id is None:
        return None
    guardian = Patient.objects.filter(pk=row.patient_id).values_list("guardian", flat=True).get()
    held = {one.pk: one for one in patients_locked(row.patient_id, guardian or row.patient_id)}
    patient = held[row.patient_id]
    own = row.relation == Relation.SELF
    accesses_locked(user_id=row.user_id, owner_of=patient.pk if own else None)
    return patient


def _changed_since(row: Binding, patient: Patient) -> bool:
    """Joined to another record, or reached by another phone, than when the code was sent."""
    phone = code_phone(patient, age_of(patient) or 0)
    return patient.merged_into_id is not None or phone_index(phone) != row.sent_to


def _allowed(row: Binding, patient: Patient) -> bool:
    """Whether the register still lets this user bind this person."""
    return not binding_refusal(user=row.user, relation=row.relation, patient=patient)


def _attempt_counted(row: Binding, address: str) -> int:
    row.attempts += 1
    row.address = address or row.address
    row.save(update_fields=["attempts", "address"])
    if row.attempts >= ATTEMPTS_MAX:
        binding_over(row, "too_many_tries")
    return row.attempts


def _bound(row: Binding, patient: Patient, by: Actor) -> PatientAccess:
    """Make the binding; the person's own account changes hands with it."""
    user, own = row.user, row.relation == Relation.SELF
    refuse_bound(PatientAccess.objects.live().filter(user=user, patient=patient))
    if family_places(user) >= FAMILY_MAX:
        raise Conflict("family_full", FULL)
    if own and person_of(user) is not None:
        raise Conflict("self_bound", SELF_BOUND)
    if own:
        _handed_over(user.pk, patient, by)
        account_for_another(user=user, patient=patient, by=by)
    access = PatientAccess.objects.create(
        user=user,
        patient=patient,
        relation=row.relation,
        may_view=own,
        may_pay=True,
        by_guardian=not own and is_child(patient),
        created_at=clock.now(),
    )
    transition(row, BindingStatus.BOUND, by=by, **ended_fields())
    record(
        by=by,
        action="binding_made",
        subject="patients.patient",
        subject_id=patient.pk,
        detail={"access": access.pk, "relation": row.relation},
        address=str(row.address or ""),
    )
    if not own:
        patient_told(access, "access_begun", f"begun/{access.pk}")
    return access


def _handed_over(user_id: int, patient: Patient, by: Actor) -> None:
    """The code on the patient's own phone is the consent; who held the card until now is told."""
    locked = accesses_locked(user_id=user_id, owner_of=patient.pk)
    for earlier in locked:
        if earlier.patient_id == patient.pk and earlier.relation == Relation.SELF:
            ending = access_and_wards(earlier, locked)
            access_end_rows(ending, how=AccessEnd.HANDED_OVER, reason="", by=by)
            user_told(earlier, "card_moved", f"moved/{earlier.pk}")
