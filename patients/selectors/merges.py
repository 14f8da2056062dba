"""What joining two records would do, before anybody does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import ForeignKey, Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.locking import LOCK_ORDER
from patients.models import Patient, PatientAccess, Relation
from patients.selectors.binding_rules import ADULT_FROM, age_of, code_phone, plain_name
from patients.selectors.receivers import comparable

# Evidence of what was asked or said at its time stays where it was.
STAYS = frozenset({
    "patients.patientreview", "patients.patientmerge", "patients.notification",
    "patients.binding", "patients.consent",
})  # fmt: skip
MERGED_INTO = "merged_into"


@dataclass(frozen=True, slots=True)
class Link:
    """A column of some table that names a person; found in the models, so no app is forgotten."""

    model: type[Model]
    field: str

    @property
    def label(self) -> str:
        return str(self.model._meta.label_lower)

    @property
    def key(self) -> str:
        return f"{self.label}.{self.field}"

    def ids(self, patient_id: int) -> list[int]:
        """The rows of a person that may move: those whose place at the other is not taken."""
        rows = self.model._base_manager.filter(**{self.field: patient_id})
        return list(rows.order_by("pk").values_list("pk", flat=True))

    def free_ids(self, patient_id: int, kept_id: int) -> list[int]:
        """Those of `ids` that a uniqueness with the person in it lets move."""
        ids = self.ids(patient_id)
        for names in self._unique_with():
            taken = self.model._base_manager.filter(**{self.field: kept_id}).values_list(*names)
            held = set(taken)
            own = self.model._base_manager.filter(pk__in=ids).values_list("pk", *names)
            ids = [row[0] for row in own if tuple(row[1:]) not in held]
        return ids

    def _unique_with(self) -> list[list[str]]:
        """The other fields of unconditional constraints; conditional ones are refused before."""
        found = [
            [name for name in one.fields if name != self.field]
            for one in self.model._meta.total_unique_constraints
            if self.field in one.fields
        ]
        return [names for names in found if names]


def links() -> list[Link]:
    """Every column that moves with a person, in the order of locks."""
    found = [
        Link(one.related_model, one.field.name)
        for one in Patient._meta.related_objects
        if isinstance(one.field, ForeignKey)
        and one.related_model._meta.label_lower not in STAYS
        and one.field.name != MERGED_INTO
    ]
    order = {label: place for place, label in enumerate(LOCK_ORDER)}
    return sorted(found, key=lambda one: (order.get(one.label, len(order)), one.key))


def merge_preview(*, kept: Patient, merged: Patient) -> dict[str, int]:
    """How many rows of each table would change their person."""
    counts = {one.key: len(one.free_ids(merged.pk, kept.pk)) for one in links()}
    return {key: count for key, count in counts.items() if count}


def merge_counts(
    moved: dict[str, int] | None, *, kept: Patient | None = None, merged: Patient | None = None
) -> list[tuple[str, int]]:
    """Counts under the words people read: of what moved, or of what would."""
    if moved is None and kept is not None and merged is not None:
        moved = merge_preview(kept=kept, merged=merged)
    words = {one.key: str(one.model._meta.verbose_name) for one in links()}
    return [(words.get(key, key), count) for key, count in (moved or {}).items()]


def merge_refusal(kept: Patient, merged: Patient) -> tuple[str, Promise] | None:
    """Why these two records cannot be one person, or must not be joined yet."""
    for wrong, code, words in _doubts(kept, merged):
        if wrong:
            return code, words
    held, moving = _live_of(kept), _live_of(merged)
    if any(user in held for user in moving):
        return "bound_twice", _(
            "One account has bound both records; end one of the bindings first."
        )
    if Relation.SELF in held.values() and Relation.SELF in moving.values():
        return "two_accounts", _("Both records have an account of their own; end one first.")
    if moving and kept.guardian_id != merged.guardian_id:
        return "other_guardian", _(
            "The guardians on record differ, and somebody is bound by one of them. Correct the"
            " wrong one in the HIS first."
        )
    # Whoever was let in by one phone alone must not read, by a join, what another phone guards.
    if (moving or (held and not kept.id_number_index)) and not _one_phone(kept, merged):
        return "other_phone", _(
            "The phones on record differ, and an account let in by one of them would see the bills"
            " of both. End that binding first, or correct the wrong phone in the HIS."
        )
    return None


def _doubts(kept: Patient, merged: Patient) -> list[tuple[bool, str, Promise]]:
    both_born = kept.birth_date is not None and merged.birth_date is not None
    both_numbered = bool(kept.id_number_index and merged.id_number_index)
    return [
        (kept.pk == merged.pk, "same_record", _("This is one record.")),
        (
            kept.merged_into_id is not None or merged.merged_into_id is not None,
            "merged_already",
            _("One of these records was joined with another already."),
        ),
        (
            plain_name(kept.name) != plain_name(merged.name),
            "other_name",
            _("The names differ; correct the wrong one in the HIS first."),
        ),
        (
            both_born and kept.birth_date != merged.birth_date,
            "other_birth",
            _("The dates of birth differ; correct the wrong one in the HIS first."),
        ),
        (
            both_numbered
            and kept.id_type == merged.id_type
            and kept.id_number_index != merged.id_number_index,
            "other_number",
            _("The certificate numbers differ: these are two people."),
        ),
        (
            kept.pk in (merged.guardian_id, kept.guardian_id)
            or merged.pk in (kept.guardian_id, merged.guardian_id),
            "guardian",
            _("One is the guardian of the other."),
        ),
    ]


def _one_phone(kept: Patient, merged: Patient) -> bool:
    """Whether one phone got the codes for both; a young child's is the guardian's."""
    phones = {
        comparable(code_phone(one, ADULT_FROM if (age := age_of(one)) is None else age))
        for one in (kept, merged)
    }
    return len(phones) == 1 and phones != {""}


def _live_of(patient: Patient) -> dict[Any, str]:
    rows = PatientAccess.objects.live().filter(patient=patient)
    return dict(rows.values_list("user_id", "relation"))
