"""What a binding grants, and its end. The patient decides who sees and who pays, at any time.

The patient is whoever holds the person as `self`, or, for a child below 14, the guardian on record,
who decides who pays for it; who sees is nobody's word but the patient's own. Staff end a binding
with a reason and change no grant.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM, Actor, ActorKind
from core.audit import record
from core.crypto import mask_name
from core.errors import BadInput, Forbidden, NotFound
from core.models import User
from patients.locks import (
    access_locked,
    accesses_locked,
    patient_accesses_locked,
    patients_locked,
    people_locked,
)
from patients.models import AccessEnd, PatientAccess, Relation
from patients.selectors import hospital_name
from patients.selectors.binding_rules import minors_born_after
from patients.selectors.family import may_decide, may_end, may_let_see
from patients.services.notifications import Message, notifications_queue

logger = logging.getLogger(__name__)
Grant = Literal["view", "pay"]
GRANTS: tuple[Grant, ...] = ("view", "pay")
REASON_LENGTH_MAX = 200


def access_grant_set(
    *, user: User, access_id: int, grant: Grant, granted: bool, by: Actor
) -> PatientAccess:
    """The patient allows a relative to see or to pay, or takes it back. Twice is once.

    Raises NotFound where this user is not the patient, or the binding has ended.
    """
    with transaction.atomic():
        access = _live(access_id)
        speaks = may_let_see if grant == "view" else may_decide
        if access.relation == Relation.SELF or not speaks(user, access.patient):
            raise _unknown()
        field = f"may_{grant}"
        if getattr(access, field) != granted:
            setattr(access, field, granted)
            if grant == "pay":
                access.by_guardian = granted and not may_let_see(user, access.patient)
            access.save(update_fields=[field, "by_guardian"])
            _recorded(access, "access_granted" if granted else "access_revoked", by, grant=grant)
            if grant == "view" and granted:
                patient_told(access, "access_viewing", f"viewing/{access.pk}/{_stamp()}")
            if grant == "pay":
                kind = "access_given_back" if granted else "access_taken_back"
                user_told(access, kind, f"back/{access.pk}/{_stamp()}")
    return access


def access_end(*, user: User, access_id: int, by: Actor) -> PatientAccess:
    """The user who is bound, or the patient, ends a binding. Raises NotFound for anybody else's."""
    with transaction.atomic():
        rows = _with_wards(access_id)
        how = may_end(user, rows[0])
        if how is None:
            raise _unknown()
        access_end_rows(rows, how=how, reason="", by=by)
    return rows[0]


def access_end_at_desk(*, access_id: int, reason: str, by: Actor) -> PatientAccess:
    """A member of staff ends a binding, with a reason. The user and the patient are told."""
    reason = " ".join(reason.split())
    if by.kind != ActorKind.STAFF:
        raise Forbidden("not_staff", _("Only a member of staff may do this."))
    if not reason or len(reason) > REASON_LENGTH_MAX:
        raise BadInput("reason_missing", _("Say why, in at most 200 characters."), "reason")
    with transaction.atomic():
        rows = _with_wards(access_id)
        access_end_rows(rows, how=AccessEnd.STAFF, reason=reason, by=by)
    return rows[0]


def access_end_rows(
    rows: Sequence[PatientAccess], *, how: AccessEnd, reason: str, by: Actor
) -> None:
    """End locked bindings (`access_and_wards`) in the caller's transaction.

    What a binding allowed ends with it (`settings.ACCESS_FOLLOWERS`), and first: followers may wait
    for a deduction that was begun before, and the end is of when they have their locks. They take
    those of their own, which is why no binding is locked after the first has ended.
    """
    for access in rows:
        for path in settings.ACCESS_FOLLOWERS:
            import_string(path)(access=access, by=by)
        record_detail = {"how": how.value, "view": access.may_view, "pay": access.may_pay}
        access.may_view = access.may_pay = False
        access.ended_at, access.ended_how, access.end_reason = clock.now(), how, reason
        access.save()
        _recorded(access, "access_ended", by, **record_detail)
        if access.relation == Relation.SELF:
            continue
        if how is AccessEnd.USER:
            patient_told(access, "access_ended", f"ended/{access.pk}")
        else:
            user_told(access, "access_taken_back", f"ended/{access.pk}")
            if how is AccessEnd.STAFF:
                patient_told(access, "access_ended", f"ended-patient/{access.pk}")


def guardians_words_end(*, patient_id: int, by: Actor) -> None:
    """Who pays for a person by a guardian's word pays no more, in the caller's transaction: another
    guardian stands on record, or the person is of age.

    Both sides are told. Whoever speaks for them now may allow it again, and then the payer says for
    whom they pay: what they had signed lets go too (`settings.ACCESS_FOLLOWERS`).
    """
    for access in patient_accesses_locked(patient_id):
        if not (access.by_guardian and access.may_pay):
            continue
        for path in settings.ACCESS_FOLLOWERS:
            import_string(path)(access=access, by=by)
        access.may_pay = access.by_guardian = False
        access.save(update_fields=["may_pay", "by_guardian"])
        _recorded(access, "access_revoked", by, grant="pay", by_guardian=True)
        patient_told(access, "access_ended", f"guardian/{access.pk}/{_stamp()}")
        user_told(access, "access_guardian_over", f"guardian/{access.pk}/{_stamp()}")


def guardians_words_end_due(*, limit: int) -> int:
    """End the words for people who came of age: from 18 on nobody speaks for them. How many."""
    over = PatientAccess.objects.live().filter(by_guardian=True, may_pay=True)
    rows = over.filter(patient__birth_date__lte=minors_born_after()).order_by("pk")
    people = dict.fromkeys(rows.values_list("patient_id", flat=True)[:limit])
    for patient_id in people:
        try:
            with transaction.atomic():
                guardians_words_end(patient_id=patient_id, by=SYSTEM)
        except Exception:
            # One record's trouble; the others are ended all the same.
            logger.exception("a guardian's word for patient %s could not be ended", patient_id)
    return len(people)


def access_and_wards(access: PatientAccess, locked: Sequence[PatientAccess]) -> list[PatientAccess]:
    """A binding and what ends with it, out of its user's locked ones.

    A guardian is a guardian by being a proven person: when that ends, so do the bindings of the
    wards. The bindings to an adult stay, for the adult gave them.
    """
    if access.relation != Relation.SELF:
        return [access]
    own = [one for one in locked if one.user_id == access.user_id]
    return [access, *(one for one in own if one.patient.guardian_id == access.patient_id)]


def patient_told(access: PatientAccess, kind: str, key: str) -> None:
    """A message to the patient: to their account, or to the phone on record without one."""
    own = PatientAccess.objects.own().filter(patient=access.patient_id)
    _told(access, kind, key, own.values_list("user_id", flat=True).first())


def user_told(access: PatientAccess, kind: str, key: str) -> None:
    """A message to the user who is bound."""
    _told(access, kind, key, access.user_id)


def _told(access: PatientAccess, kind: str, key: str, user_id: int | None) -> None:
    facts = {
        "hospital": hospital_name(),
        "name": mask_name(access.patient.name),
    }
    message = Message(f"{kind}/{key}", kind, user_id, facts)
    notifications_queue(messages=[message], patient_id=access.patient_id)


def _with_wards(access_id: int) -> list[PatientAccess]:
    """A live binding, first, and what ends with it; all locked before anything changes."""
    people_locked()
    known = PatientAccess.objects.filter(pk=access_id).values_list("user_id", flat=True).first()
    locked = [] if known is None else accesses_locked(user_id=known)
    access = next((one for one in locked if one.pk == access_id), None)
    if access is None:
        raise _unknown()
    return access_and_wards(access, locked)


def _live(access_id: int) -> PatientAccess:
    """A live binding, locked, and its patient before it: who speaks for them stands there, and may
    just have changed."""
    people_locked()
    known = PatientAccess.objects.filter(pk=access_id).values_list("patient_id", flat=True).first()
    held = {one.pk: one for one in patients_locked(known)} if known is not None else {}
    access = access_locked(access_id) if held else None
    if access is None or access.ended_at is not None or access.patient_id not in held:
        raise _unknown()
    access.patient = held[access.patient_id]
    return access


def _unknown() -> NotFound:
    return NotFound("unknown_access", _("There is no such binding here."))


def _stamp() -> str:
    return f"{clock.now():%Y%m%d%H%M%S%f}"


def _recorded(access: PatientAccess, action: str, by: Actor, **detail: object) -> None:
    record(
        by=by,
        action=action,
        subject="patients.patient",
        subject_id=access.patient_id,
        detail={"access": access.pk, "user": access.user_id, **detail},
    )
