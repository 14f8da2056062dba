"""The course of one bill: every change of state, event, notice and message, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.desk.movements import code_word, movement_noun, movement_word
from billing.message_keys import BY_BILL, BY_NUMBER, messages_about
from billing.models import (
    CollectRequest,
    CollectStatus,
    HisEvent,
    Invoice,
    InvoiceReturn,
    InvoiceStatus,
    PaymentNotice,
    PaymentTransaction,
    ReturnStatus,
    TransactionKind,
    TransactionStatus,
)
from billing.words import WAITS
from core.actors import ActorKind
from core.admin_values import ACTORS, value_text, word_of
from core.models import StateChange
from patients.models import Notification

STEPS_MAX = 200
MOVEMENT = "billing.paymenttransaction"
# Where a collect leads that took nothing; its reason is the code of its last tender.
NOT_TAKEN = frozenset({
    InvoiceStatus.ISSUED, CollectStatus.ACTION_REQUIRED, CollectStatus.DECLINED
})  # fmt: skip
STATES: dict[str, tuple[Promise, dict[str, str | Promise]]] = {
    "billing.invoice": (gettext_lazy("bill"), {**dict(InvoiceStatus.choices)}),
    "billing.collectrequest": (gettext_lazy("collect request"), {**dict(CollectStatus.choices)}),
    "billing.invoicereturn": (gettext_lazy("return"), {**dict(ReturnStatus.choices)}),
}


@dataclass(frozen=True, slots=True)
class CourseStep:
    """One line of the course."""

    at: datetime
    kind: str
    title: str
    number: str = ""
    by: str = ""
    note: str = ""


def course_of(
    invoice: Invoice,
    rows: Sequence[PaymentTransaction],
    returns: Sequence[InvoiceReturn],
    collects: Sequence[CollectRequest],
) -> list[CourseStep]:
    """Four statements, whatever happened to the bill."""
    numbers = {
        "billing.invoice": {invoice.pk: invoice.invoice_no},
        "billing.collectrequest": {row.pk: row.request_no for row in collects},
        MOVEMENT: {row.pk: row.number for row in rows},
        "billing.invoicereturn": {row.pk: row.refund_no for row in returns},
    }
    steps = [
        *_issued(invoice),
        *_changes(numbers, {row.pk: row.kind for row in rows}),
        *_events(invoice),
        *_notices([row.number for row in rows]),
        *_messages(invoice, [row.number for row in rows]),
    ]
    return sorted(steps, key=lambda step: step.at)


def _issued(invoice: Invoice) -> Iterator[CourseStep]:
    by = invoice.operator_name or invoice.operator_code
    yield CourseStep(invoice.created_at, "state", _("bill issued"), invoice.invoice_no, by)


def _changes(numbers: dict[str, dict[int, str]], kinds: dict[int, str]) -> Iterator[CourseStep]:
    about = Q(pk__in=[])
    for entity, known in numbers.items():
        if known:
            about |= Q(entity=entity, entity_id__in=list(known))
    changes: QuerySet[StateChange] = StateChange.objects.filter(about)
    for row in changes.order_by("pk")[:STEPS_MAX]:
        yield CourseStep(
            at=row.created_at,
            kind="state",
            title=_("%(what)s: %(before)s → %(after)s") % _states(row, kinds),
            number=numbers[row.entity][row.entity_id],
            by=_actor_word(row.actor, row.actor_name),
            note=_reason(row, kinds) if row.reason else "",
        )


def _reason(row: StateChange, kinds: dict[int, str]) -> str:
    """Why it changed, in words: what a channel answered is read by what came of it."""
    if not row.reason.isascii():
        return row.reason
    if row.entity == MOVEMENT:
        return code_word(row.reason, kind=kinds[row.entity_id], status=row.to_status)
    told = row.reason in WAITS or word_of("reason", row.reason) == row.reason
    if told and row.to_status in NOT_TAKEN:
        return code_word(row.reason, kind=TransactionKind.CAPTURE, status=TransactionStatus.CLOSED)
    return str(value_text("reason", row.reason))


def _states(row: StateChange, kinds: dict[int, str]) -> dict[str, str | Promise]:
    """What changed, and from what to what; money in the words of the patient's pages."""
    if row.entity == MOVEMENT:
        kind = kinds[row.entity_id]
        before, after = (movement_word(kind, one) for one in (row.from_status, row.to_status))
        return {"what": movement_noun(kind), "before": before, "after": after}
    word, labels = STATES[row.entity]
    return {
        "what": word,
        "before": labels.get(row.from_status, row.from_status),
        "after": labels.get(row.to_status, row.to_status),
    }


def _events(invoice: Invoice) -> Iterator[CourseStep]:
    for row in HisEvent.objects.filter(invoice=invoice).order_by("seq")[:STEPS_MAX]:
        told = _("taken by the HIS") if row.delivered_at else _("not taken by the HIS yet")
        title = _("told the HIS: %(what)s") % {"what": row.get_type_display()}
        yield CourseStep(row.created_at, "event", title, "", told)


def _notices(numbers: Sequence[str]) -> Iterator[CourseStep]:
    rows = PaymentNotice.objects.filter(number__in=numbers).order_by("pk")
    for row in rows[:STEPS_MAX]:
        title = _("notice of the channel (%(times)s ×)") % {"times": row.deliveries}
        by = str(word_of("channel", row.channel))
        yield CourseStep(row.received_at, "notice", title, row.number, by, _outcome(row))


def _outcome(row: PaymentNotice) -> str:
    """What a notice said and, where that was not taken as it is, what stands since."""
    said, arrow, stands = row.outcome.partition(" -> ")
    kind = row.kind.upper()
    if not arrow or kind not in TransactionKind.values:
        return str(value_text("outcome", row.outcome)) if row.outcome else ""
    words = [movement_word(kind, one) for one in dict.fromkeys((said, stands))]
    return " → ".join(words)


def _messages(invoice: Invoice, numbers: Sequence[str]) -> Iterator[CourseStep]:
    """Found by what they tell of (`billing.message_keys`): two bills may end alike."""
    about = messages_about(BY_BILL, [invoice.pk]) | messages_about(BY_NUMBER, numbers)
    rows = Notification.objects.filter(about)
    for row in rows.order_by("pk")[:STEPS_MAX]:
        title = _("message to the payer: %(state)s") % {"state": row.get_status_display()}
        note = str(word_of("last_error", row.last_error))
        by = str(row.get_messenger_display())
        yield CourseStep(row.created_at, "message", title, "", by, note)


def _actor_word(key: str, name: str) -> str:
    """People by name; machines by what they are."""
    kind, _colon, code = key.partition(":")
    if kind in (ActorKind.STAFF, ActorKind.HIS):
        return name or code
    if kind == ActorKind.CHANNEL:
        return str(word_of("channel", code))
    return str(ACTORS.get(kind, kind))
