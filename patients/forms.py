"""The form of a card to bind: whole on one page, or one question a page in elder mode."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from patients.models import IdType, Relation
from patients.services.bindings import BindingWanted

# The questions in their order, and which boxes each of them has.
STEPS: dict[str, tuple[str, ...]] = {
    "relation": ("relation",),
    "name": ("name",),
    "id_number": ("id_type", "id_number", "card_no"),
}
LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class BindingForm:
    """What was typed so far. `step` is the question on the page, empty for all of them at once."""

    values: dict[str, str]
    step: str = ""

    @classmethod
    def blank(cls, *, own: bool, elder: bool) -> BindingForm:
        """Whoever has no card bound yet most likely binds their own."""
        values = {"relation": "" if own else str(Relation.SELF), "id_type": str(IdType.ID_CARD)}
        return cls(values, next(iter(STEPS)) if elder else "")

    @classmethod
    def posted(cls, data: QueryDict, *, elder: bool) -> BindingForm:
        boxes = [box for step in STEPS.values() for box in step]
        values = {box: data.get(box, "")[:LENGTH_MAX] for box in boxes}
        step = data.get("step", "")
        return cls(values, step if elder and step in STEPS else "")

    @property
    def shown(self) -> tuple[str, ...]:
        return (self.step,) if self.step else tuple(STEPS)

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The answers of the other pages."""
        shown = {box for step in self.shown for box in STEPS[step]}
        return [(box, value) for box, value in self.values.items() if box not in shown]

    @property
    def next_step(self) -> str:
        """The question after this one; empty after the last."""
        steps = list(STEPS)
        place = steps.index(self.step) + 1 if self.step else len(steps)
        return steps[place] if place < len(steps) else ""

    def at(self, step: str) -> BindingForm:
        return BindingForm(self.values, step)

    def at_fault(self, field: str) -> BindingForm:
        """The page that has the box a refusal names."""
        if not self.step:
            return self
        found = next((step for step, boxes in STEPS.items() if field in boxes), self.step)
        return self.at(found)

    @property
    def wanted(self) -> BindingWanted:
        return BindingWanted(**self.values)
