"""What finance types about a fund loss; the services ask it all again."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import LossReason, LossStepKind, PaymentInstitution
from billing.services.losses import PAPER_MAX, TEXT_MAX, Asked
from core import clock
from core.money import YuanField

NUMBER_MAX = 40
K = LossStepKind
NEXT = (K.CLAIMED, K.COLLECTED, K.WRITTEN_OFF, K.TAKEN_BACK)


class StepForm(forms.Form):
    """How much, on which day, by which paper, and a word on it."""

    amount = YuanField(label=_("Amount (yuan)"))
    occurred_on = forms.DateField(
        label=_("Day it happened"),
        error_messages={"required": _("Choose a day."), "invalid": _("Choose a day.")},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    evidence = forms.CharField(
        label=_("Number of the paper or bank receipt"),
        max_length=PAPER_MAX,
        error_messages={"required": _("Give the number of the paper behind it.")},
    )
    words = forms.CharField(label=_("What happened"), max_length=TEXT_MAX, required=False)

    def asked(self) -> Asked:
        """As the services take it; today is now, an earlier day its noon."""
        values: dict[str, Any] = self.cleaned_data
        day = values["occurred_on"]
        now = clock.now()
        noon = datetime.combine(day, time(12), tzinfo=now.tzinfo)
        at = now if day == clock.business_day(now) else noon
        return Asked(values["amount"], at, values["evidence"], values["words"])


class RecordForm(StepForm):
    """A new loss: of which settlement, and by what."""

    settlement_no = forms.CharField(
        label=_("Settlement number"),
        max_length=NUMBER_MAX,
        error_messages={"required": _("Give the number of the settlement.")},
    )
    reason = forms.ChoiceField(
        label=_("Cause"),
        choices=[("", _("Choose a cause.")), *LossReason.choices],
        error_messages={"required": _("Choose a cause."), "invalid_choice": _("Choose a cause.")},
    )
    field_order = ("settlement_no", "reason", "amount", "occurred_on", "evidence", "words")


class NextForm(StepForm):
    """The next step of a loss that the hospital bears."""

    kind = forms.ChoiceField(
        label=_("What happens next"),
        choices=[(one.value, one.label) for one in NEXT],
        error_messages={
            "required": _("Choose what happened to the loss."),
            "invalid_choice": _("Choose what happened to the loss."),
        },
    )
    institution = forms.ModelChoiceField(
        label=_("Payment institution"),
        queryset=PaymentInstitution.objects.order_by("name"),
        required=False,
        empty_label=_("none (only where the loss is taken back)"),
        error_messages={"invalid_choice": _("Choose a payment institution.")},
    )
    field_order = ("kind", "institution", "amount", "occurred_on", "evidence", "words")
