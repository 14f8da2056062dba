"""Two records side by side: what agrees, what differs, and how much hangs on each.

Personal data stays masked; whether it differs is told by the whole value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Model
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.desk.faces import Face, face_of
from billing.models import Invoice
from core import clock
from core.crypto import mask_name
from patients.models import Encounter, IdentifierKind, Patient, PatientAccess, PatientMerge


@dataclass(frozen=True, slots=True)
class CompareRow:
    """One line of the comparison; `differs` only where two known values are not the same."""

    label: str | Promise
    values: tuple[str, ...]
    differs: bool = False


def two_patients(ids: Iterable[int]) -> dict[int, Patient]:
    """The records with the numbers a page shows."""
    people = Patient.objects.select_related("guardian", "merged_into")
    return people.prefetch_related("identifiers").in_bulk(list(ids))


def compare_rows(kept: Patient, merged: Patient, *, full_name: bool) -> list[CompareRow]:
    """The comparison, in three statements."""
    two = (kept, merged)
    faces = [face_of(one, full_name=full_name) for one in two]
    ids = [one.pk for one in two]
    return [
        _row(_("name"), [face.name for face in faces], [one.name for one in two]),
        _row(_("sex"), [str(face.sex) for face in faces], [one.sex for one in two]),
        _born(kept, merged, faces),
        _row(
            _("Certificate"),
            [f"{face.id_type} {face.id_number}" if face.id_number else "" for face in faces],
            [one.id_number_index for one in two],
        ),
        _row(_("Phone"), [face.phone for face in faces], [one.phone_index for one in two]),
        CompareRow(_("Medical record number"), _joined(face.mrns for face in faces)),
        CompareRow(_("Cards"), _joined(face.cards for face in faces)),
        _row(_("Guardian"), [face.guardian for face in faces], [one.guardian_id for one in two]),
        CompareRow(_("Visits"), _counts(Encounter, ids)),
        CompareRow(_("Bills"), _counts(Invoice, ids)),
        CompareRow(_("Bindings"), _counts(PatientAccess, ids, ended_at=None)),
        CompareRow(_("Record made"), tuple(_made(one) for one in two)),
    ]


def case_name(merge: PatientMerge) -> str:
    """For the queue: both records by masked name and record number."""
    return _("%(merged)s (%(twin)s) into %(kept)s (%(stays)s)") % {
        "merged": mask_name(merge.merged.name),
        "twin": record_name(merge.merged),
        "kept": mask_name(merge.kept.name),
        "stays": record_name(merge.kept),
    }


def record_name(patient: Patient) -> str:
    """The medical record number people know it by; ours where the duplicate was emptied."""
    numbers = [row.value for row in patient.identifiers.all() if row.kind == IdentifierKind.MRN]
    return _(", ").join(numbers) or _("no. %(no)s") % {"no": patient.pk}


def _row(label: str, shown: list[str], values: list[object]) -> CompareRow:
    left, right = values
    differs = bool(left) and bool(right) and left != right
    return CompareRow(label, tuple(text or "—" for text in shown), differs)


def _joined(numbers: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(_(", ").join(row) or "—" for row in numbers)


def _born(kept: Patient, merged: Patient, faces: list[Face]) -> CompareRow:
    """Ages; where two dates of birth differ behind one age, as much of them as shows that."""
    left, right = kept.birth_date, merged.birth_date
    if left is None or right is None or left == right or faces[0].age != faces[1].age:
        return _row(_("Age"), [_age(face) for face in faces], [left, right])
    same_month = (left.year, left.month) == (right.year, right.month)
    shown = "****-**-%d" if same_month else "%Y-%m-**"
    return CompareRow(_("Date of birth"), (left.strftime(shown), right.strftime(shown)), True)


def _age(face: Face) -> str:
    return _("%(n)s years") % {"n": face.age} if face.age is not None else ""


def _made(patient: Patient) -> str:
    return date_format(clock.business_day(patient.created_at), "Y-m-d")


def _counts(model: type[Model], ids: list[int], **only: object) -> tuple[str, ...]:
    """How many rows of a table each record has; one statement."""
    rows = model._default_manager.filter(patient__in=ids, **only).order_by()
    found = dict(rows.values("patient").annotate(n=Count("pk")).values_list("patient", "n"))
    return tuple(str(found.get(pk, 0)) for pk in ids)
