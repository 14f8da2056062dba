"""Bills, their collecting and their returns."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from billing.his.fields import (
    ExactDecimalField,
    FenField,
    NumberField,
    PatternField,
    StrictSerializer,
    TextField,
    WholeField,
    WordField,
)
from billing.his.serializers.people import OperatorSerializer
from billing.models import CollectMethod, EventType, InvoiceStatus, TransactionStatus
from billing.reasons import Reason
from billing.services.charging.charges import CHARGES_MAX
from billing.services.refunding.return_lines import ReturnInput

WAIT_S_MAX = 10
ALL_LINES = "all"
REASONS = [str(reason) for reason in Reason]


class IssueSerializer(StrictSerializer):
    charge_nos = serializers.ListField(
        child=NumberField(),
        max_length=CHARGES_MAX,
        allow_empty=False,
        required=False,
        help_text="Absent: all unbilled charges of the visit.",
    )
    operator = OperatorSerializer()


class CollectSerializer(StrictSerializer):
    request_no = NumberField()
    method = WordField(CollectMethod.values)
    auth_code = PatternField("[!-~]{1,64}", required=False)
    wait_s = WholeField(least=0, most=WAIT_S_MAX, required=False)
    operator = OperatorSerializer()


class ReturnLineSerializer(StrictSerializer):
    charge_no = NumberField()
    quantity = ExactDecimalField(digits=10, places=4, numbers=True)
    amount_fen = FenField()


class ReturnLinesField(serializers.Field):  # type: ignore[type-arg]
    """A list of lines, or the word "all"."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_lines": _('A list of lines, or "all", is needed.'),
        "empty": _("The list is empty."),
        "many": _("At most 1,000 lines in one call."),
    }

    def to_internal_value(self, data: Any) -> list[dict[str, Any]] | str:
        if data == ALL_LINES and isinstance(data, str):
            return ALL_LINES
        if not isinstance(data, list):
            self.fail("not_lines")
        if not data:
            self.fail("empty")
        if len(data) > CHARGES_MAX:
            self.fail("many")
        lines: list[dict[str, Any]] = ReturnLineSerializer(many=True).run_validation(data)
        return lines

    def to_representation(self, value: Any) -> Any:
        return value


class RefundSerializer(StrictSerializer):
    refund_no = NumberField()
    lines = ReturnLinesField()
    reason = TextField(max_length=200)
    operator = OperatorSerializer()
    approved_by = OperatorSerializer(help_text="Never the operator.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["operator"]["code"].casefold() == attrs["approved_by"]["code"].casefold():
            raise serializers.ValidationError(
                {"approved_by": [_("Who asks for a return cannot approve it.")]}
            )
        return attrs


class RefundAnswerSerializer(serializers.Serializer[Any]):
    refund_no = serializers.CharField()
    status = serializers.ChoiceField(["accepted", "review", "done", "failed"])
    amount_fen = serializers.IntegerField()


class SplitSerializer(serializers.Serializer[Any]):
    fund_fen = serializers.IntegerField()
    own_account_fen = serializers.IntegerField()
    mutual_aid_fen = serializers.IntegerField()
    hospital_part_fen = serializers.IntegerField()
    cash_fen = serializers.IntegerField()


class PaymentAnswerSerializer(serializers.Serializer[Any]):
    payment_no = serializers.CharField()
    channel = serializers.CharField()
    status = serializers.ChoiceField(TransactionStatus.choices)
    amount_fen = serializers.IntegerField()
    refunded_fen = serializers.IntegerField()
    occurred_at = serializers.DateTimeField(allow_null=True)


class InvoiceLedgerSerializer(serializers.Serializer[Any]):
    receivable_fen = serializers.IntegerField()
    refund_payable_fen = serializers.IntegerField()


class ActionSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["url", "qr", "show_code"])
    value = serializers.CharField()
    expires_at = serializers.DateTimeField()


class InvoiceAnswerSerializer(serializers.Serializer[Any]):
    invoice_no = serializers.CharField()
    encounter_no = serializers.CharField()
    status = serializers.ChoiceField(InvoiceStatus.choices)
    amount_fen = serializers.IntegerField()
    due_fen = serializers.IntegerField()
    paid_fen = serializers.IntegerField()
    refunded_fen = serializers.IntegerField()
    split = SplitSerializer(allow_null=True)
    payments = PaymentAnswerSerializer(many=True)
    claim = serializers.JSONField(allow_null=True)
    action = ActionSerializer(allow_null=True)
    reason = serializers.ChoiceField(
        REASONS, allow_null=True, help_text="Why the last collect took nothing, while ISSUED."
    )
    ledger = InvoiceLedgerSerializer()


class IssueAnswerSerializer(InvoiceAnswerSerializer):
    warnings = serializers.ListField(child=serializers.CharField())


class CollectAnswerSerializer(serializers.Serializer[Any]):
    result = serializers.ChoiceField(["paid", "action_required", "declined", "processing"])
    invoice = InvoiceAnswerSerializer()
    action = ActionSerializer(required=False)
    reason = serializers.ChoiceField(REASONS, required=False)


class EventSerializer(serializers.Serializer[Any]):
    event_id = serializers.IntegerField()
    invoice_no = serializers.CharField()
    seq = serializers.IntegerField()
    type = serializers.ChoiceField(EventType.choices)
    occurred_at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]


class EventsAnswerSerializer(serializers.Serializer[Any]):
    events = EventSerializer(many=True)
    next = serializers.IntegerField()


class ProblemFieldSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="The first reason with its field, to be shown as is.")
    errors = ProblemFieldSerializer(many=True)  # type: ignore[assignment]


def return_lines(lines: list[dict[str, Any]] | str) -> list[ReturnInput] | None:
    """None stands for all that is left."""
    if isinstance(lines, str):
        return None
    return [ReturnInput(one["charge_no"], one["quantity"], one["amount_fen"]) for one in lines]
