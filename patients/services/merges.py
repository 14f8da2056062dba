"""Joining two records of one person: one member of staff proposes, another decides; it can be
parted again. Rows change their person and nothing else; no posting names a person, none moves.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor, ActorKind
from core.audit import record
from core.crypto import mask_name
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.review import ReviewStatus, refuse_same_person, review_decide
from patients.locks import (
    patient_merge_locked,
    patients_locked,
    people_locked,
    rows_moving_locked,
)
from patients.models import Patient, PatientMerge
from patients.selectors import hospital_name
from patients.selectors.merges import links, merge_refusal
from patients.selectors.receivers import comparable, record_phone
from patients.services.notifications import Message, notifications_queue

REASON_LENGTH_MAX = 500


def patient_merge_propose(*, kept_id: int, merged_id: int, reason: str, by: Actor) -> PatientMerge:
    """Say that `merged` is a duplicate of `kept`. Nothing moves before somebody else agrees."""
    reason = _reason(reason)
    _staff(by)
    with transaction.atomic():
        people_locked(joining=True)
        kept, merged = _both(kept_id, merged_id)
        _refuse(kept, merged)
        open_or_done = PatientMerge.objects.filter(
            merged=merged, status__in=(ReviewStatus.OPEN, ReviewStatus.APPROVED), undone_at=None
        )
        if open_or_done.exists():
            raise Conflict("merge_open", _("This has been proposed already."))
        return PatientMerge.objects.create(
            kept=kept,
            merged=merged,
            reason_code="duplicate",
            summary=reason,
            opened_by=by.key,
            opened_at=clock.now(),
        )


def patient_merge_decide(*, merge_id: int, agreed: bool, by: Actor, comment: str) -> PatientMerge:
    """Join, or say no, with the reason. Never by who proposed; both records are looked at again."""
    comment = _reason(comment)
    with transaction.atomic():
        people_locked(joining=True)
        merge = _merge(merge_id)
        to = ReviewStatus.APPROVED if agreed else ReviewStatus.REJECTED
        kept, merged = _both(merge.kept_id, merge.merged_id)
        if agreed and merge.status == ReviewStatus.OPEN:
            _refuse(kept, merged)
        review_decide(review=merge, to=to, by=by, comment=comment)
        if agreed:
            _joined(merge, kept, merged, by)
    return merge


def patient_merge_undo(*, merge_id: int, by: Actor, reason: str) -> PatientMerge:
    """Part the records again: what was moved goes back where it still is. What came since stays
    with the kept record. Not by who decided, so that here too two people have looked."""
    reason = _reason(reason)
    _staff(by)
    with transaction.atomic():
        people_locked(joining=True)
        merge = _merge(merge_id)
        if merge.status != ReviewStatus.APPROVED or merge.undone_at is not None:
            raise Conflict("not_joined", _("These records are not joined now."))
        refuse_same_person(by.key, str(merge.decided_by))
        kept, merged = _both(merge.kept_id, merge.merged_id)
        merged.merged_into = None
        merged.save(update_fields=["merged_into"])
        for link in links():
            ids = merge.moved.get(link.key, [])
            rows_moving_locked(link.model, ids)
            rows = link.model._base_manager.filter(pk__in=ids, **{link.field: kept.pk})
            rows.update(**{link.field: merged.pk})
        merge.undone_by, merge.undone_at, merge.undo_reason = by.key, clock.now(), reason
        merge.save(update_fields=["undone_by", "undone_at", "undo_reason"])
        _recorded(merge, "patient_unmerged", by)
    return merge


def _joined(merge: PatientMerge, kept: Patient, merged: Patient, by: Actor) -> None:
    moved: dict[str, list[int]] = {}
    for link in links():
        ids = link.free_ids(merged.pk, kept.pk)
        if ids:
            rows_moving_locked(link.model, ids)
            link.model._base_manager.filter(pk__in=ids).update(**{link.field: kept.pk})
            moved[link.key] = ids
    merged.merged_into = kept
    merged.save(update_fields=["merged_into"])
    merge.moved = moved
    merge.save(update_fields=["moved"])
    _recorded(merge, "patient_merged", by)
    _told(merge, kept, merged)


def _recorded(merge: PatientMerge, action: str, by: Actor) -> None:
    for patient_id in (merge.kept_id, merge.merged_id):
        record(
            by=by,
            action=action,
            subject="patients.patient",
            subject_id=patient_id,
            detail={"merge": merge.pk, "rows": {key: len(ids) for key, ids in merge.moved.items()}},
        )


def _told(merge: PatientMerge, kept: Patient, merged: Patient) -> None:
    """The phones on both records, as they stand at the join: each may be another person's."""
    facts = {"hospital": hospital_name(), "name": mask_name(kept.name)}
    phones = {comparable(phone): phone for one in (kept, merged) if (phone := record_phone(one))}
    messages = [
        Message(f"records_joined/{merge.pk}/{n}", "records_joined", None, facts, phone=phone)
        for n, phone in enumerate(phones.values())
    ]
    notifications_queue(messages=messages, patient_id=kept.pk)


def _both(kept_id: int, merged_id: int) -> tuple[Patient, Patient]:
    rows = {one.pk: one for one in patients_locked(kept_id, merged_id)}
    if kept_id not in rows or merged_id not in rows:
        raise NotFound("unknown_patient", _("There is no such record."))
    return rows[kept_id], rows[merged_id]


def _merge(merge_id: int) -> PatientMerge:
    try:
        return patient_merge_locked(merge_id)
    except PatientMerge.DoesNotExist:
        raise NotFound("unknown_merge", _("There is no such case.")) from None


def _refuse(kept: Patient, merged: Patient) -> None:
    refusal = merge_refusal(kept, merged)
    if refusal is not None:
        raise Conflict(*refusal)


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason or len(reason) > REASON_LENGTH_MAX:
        raise BadInput("reason_missing", _("Say why, in at most 500 characters."), "reason")
    return reason


def _staff(by: Actor) -> None:
    if by.kind != ActorKind.STAFF:
        raise Forbidden("not_staff", _("Only a member of staff may do this."))
