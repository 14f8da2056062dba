"""What a payer types about an agreement; the services check it all again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import AgreementPlan
from billing.selectors.agreements import Person
from billing.services.agreements.terms import Limits
from core.money import YuanField

HASH_LENGTH = 64
STEPS: dict[str, tuple[str, ...]] = {
    "people": ("people",),
    "limits": ("single", "daily"),
    "agree": ("agree", "text"),
}


class PeopleForm(forms.Form):
    """For whom it pays. Nobody is chosen beforehand in a new one."""

    people = forms.TypedMultipleChoiceField(
        coerce=int,
        error_messages={
            "required": _("Choose at least one person."),
            "invalid_choice": _("You cannot pay for one of these people any more. Choose again."),
        },
    )

    def __init__(self, *args: Any, people: Iterable[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["people"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(one.patient_id, str(one.word)) for one in people]


class LimitsForm(forms.Form):
    """The payer's own limits; an empty one is the plan's."""

    single = YuanField(required=False)
    daily = YuanField(required=False)

    def __init__(self, *args: Any, plan: AgreementPlan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, most in (("single", plan.single_fen), ("daily", plan.daily_fen)):
            field = self.fields[name]
            assert isinstance(field, YuanField)
            field.fen_max = most

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        single, daily = values.get("single"), values.get("daily")
        if single and daily and single > daily:
            text = _(
                "One payment cannot be more than a whole day. Lower the first or raise the second."
            )
            self.add_error("single", text)
        return values

    @property
    def limits(self) -> Limits:
        return Limits(self.cleaned_data["single"], self.cleaned_data["daily"])


class AgreementForm(LimitsForm, PeopleForm):
    """All of a new agreement. `steps` is every question at once, or in elder mode one at a time."""

    agree = forms.BooleanField(
        error_messages={"required": _("Without your consent nothing can be deducted.")}
    )
    text = forms.CharField(required=False, max_length=HASH_LENGTH)

    def __init__(self, *args: Any, consented: bool, elder: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = [name for name in STEPS if not (consented and name == "agree")]
        self.elder = elder
        if consented:
            del self.fields["agree"]

    @property
    def step(self) -> str:
        """The question that was answered last; empty where all are on one page."""
        sent = self.data.get("step", "")
        return sent if self.elder and sent in self.questions else ""

    @property
    def first_wrong(self) -> str:
        """The first question with a fault up to the one answered; empty when there is none."""
        asked = self.questions
        if self.elder:
            asked = asked[: asked.index(self.step) + 1] if self.step else []
        wrong = [name for name in asked if any(field in self.errors for field in STEPS[name])]
        return wrong[0] if wrong else ""

    @property
    def next_step(self) -> str:
        """The question to ask now; empty when the answers are complete."""
        if not self.elder:
            return ""
        if not self.is_bound or not self.step:
            return self.questions[0]
        wrong = self.first_wrong
        if wrong:
            return wrong
        place = self.questions.index(self.step) + 1
        return self.questions[place] if place < len(self.questions) else ""


def faults_of(form: forms.Form, names: Iterable[str]) -> list[dict[str, object]]:
    """What the summary above the title lists, each leading to its field."""
    return [{"text": form.errors[name][0], "field": name} for name in names if name in form.errors]
