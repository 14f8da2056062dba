"""What was taken, what came back, what may still be given back: each figure has one definition."""

from __future__ import annotations

from datetime import date, datetime, time

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from billing.channels.base import Mode
from billing.ledger.bills import bill_receivable
from billing.models import (
    Agreement,
    Invoice,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.models.deductions import deductions
from core import clock

NOT_LOST = ~Q(status__in=PaymentTransaction.LOST)


def refundable_fen(original: PaymentTransaction) -> int:
    """What may still be given back of a capture: its amount less every refund that is done or may
    yet happen. A refund lost for good frees its amount; when one left twice nothing may be left."""
    if original.status != TransactionStatus.SUCCEEDED:
        return 0
    given = original.refunds.filter(NOT_LOST).aggregate(fen=Sum("amount_fen"))["fen"]
    return max(original.amount_fen - (given or 0), 0)


def receivable_fen(invoice: Invoice) -> int:
    """What the patient still owes on this invoice, by the ledger; below zero we owe."""
    return bill_receivable(invoice.pk)


def cash_due_of(invoice: Invoice, owed_fen: int) -> int:
    """What is to be collected of a bill that owes so much: all of it, less what its claim will pay
    once it is settled. The one definition of the cash part that is due."""
    return owed_fen - invoice.awaited_fen


def cash_due_fen(invoice: Invoice) -> int:
    """`cash_due_of` by the ledger."""
    return cash_due_of(invoice, receivable_fen(invoice))


def due_shown_of(invoice: Invoice, owed_fen: int) -> int:
    """`cash_due_of` as people are told it: where we owe, nothing is due."""
    return max(cash_due_of(invoice, owed_fen), 0)


def due_shown_fen(invoice: Invoice) -> int:
    """`due_shown_of` by the ledger."""
    return due_shown_of(invoice, receivable_fen(invoice))


def is_priced(invoice: Invoice) -> bool:
    """Whether something may be collected now: a bill with a claim is priced, and not long ago."""
    if invoice.claim_id is None or invoice.settled_at is not None:
        return True
    return invoice.valid_until is not None and invoice.valid_until > clock.now()


def open_capture(invoice: Invoice) -> PaymentTransaction | None:
    """The tender that stops the chain, if there is one: in flight and not passed over."""
    return (
        PaymentTransaction.objects.filter(
            PaymentTransaction.WAITED_FOR,
            payment__invoice=invoice,
            kind=TransactionKind.CAPTURE,
        )
        .select_related("payment__merchant")
        .order_by("-pk")
        .first()
    )


def agreement_use(agreement_ids: list[int], day: date) -> dict[int, tuple[int, int]]:
    """Per agreement, fen and number of deductions of a day, counting those not yet final."""
    rows = deductions(day).filter(agreement__in=agreement_ids).values_list("agreement")
    used = rows.annotate(fen=Sum("amount_fen"), times=Count("pk"))
    return {key: (fen, times) for key, fen, times in used}


def agreement_left_fen(agreement: Agreement, used: tuple[int, int], at: datetime) -> int:
    """The most one deduction may take now, by the plan's terms and the holder's own limits."""
    return agreement_day_left_fen(agreement, used) if agreement_is_open(agreement, at) else 0


def agreement_day_left_fen(agreement: Agreement, used: tuple[int, int]) -> int:
    """The most one deduction may take today, once the hours admit it."""
    used_fen, used_times = used
    if used_times >= agreement.plan.daily_count:
        return 0
    return max(min(agreement.single_fen, agreement.daily_fen - used_fen), 0)


def agreement_is_open(agreement: Agreement, at: datetime) -> bool:
    """Whether the plan's hours admit a deduction at all."""
    plan = agreement.plan
    return _within(at.timetz().replace(tzinfo=None), plan.hours_from, plan.hours_until)


def _within(moment: time, start: time, end: time) -> bool:
    """Half-open hours, which may pass midnight; an end of 00:00 is the end of the day."""
    if start < end or end == time(0):
        return start <= moment and (end == time(0) or moment < end)
    return moment >= start or moment < end


def given_back_whole(rows: list[PaymentTransaction]) -> list[PaymentTransaction]:
    """These captures without those whose money was given back for another reason than a return:
    the way they went may be tried again, unless a code was scanned, which pays once."""
    back = dict(
        PaymentTransaction.objects.filter(original__in=rows, invoice_return=None)
        .values_list("original")
        .annotate(fen=Sum("amount_fen"))
    )
    return [
        row for row in rows if back.get(row.pk, 0) < row.amount_fen or row.payment.mode == Mode.SCAN
    ]


def captures_returnable(invoice: Invoice) -> list[tuple[PaymentTransaction, int]]:
    """Succeeded captures that still pay a bill, each with what a return may take of it; refunds go
    newest first. One statement.

    Money owed back by itself (paid twice, dearer than the claim) is no part of that, also while
    that refund is refused: it must not be used up by a return.
    """
    by_itself = Q(refunds__invoice_return=None, refunds__reissue_of=None)
    returned = Q(refunds__invoice_return__isnull=False) & ~Q(
        refunds__status__in=PaymentTransaction.LOST
    )
    rows = (
        PaymentTransaction.objects.filter(
            payment__invoice=invoice,
            kind=TransactionKind.CAPTURE,
            status=TransactionStatus.SUCCEEDED,
        )
        .annotate(
            left_fen=F("amount_fen")
            - Coalesce(Sum("refunds__amount_fen", filter=by_itself), 0)
            - Coalesce(Sum("refunds__amount_fen", filter=returned), 0)
        )
        .filter(left_fen__gt=0)
        .select_related("payment__merchant", "payment__shift")
        .order_by(F("occurred_at").desc(nulls_last=True), "-pk")
    )
    return [(row, row.left_fen) for row in rows]


def captures_cut(invoice: Invoice, amount_fen: int) -> list[tuple[PaymentTransaction, int]]:
    """Which captures so much would go back to: newest first, each up to what it holds. They add up
    to less where less was paid."""
    cut: list[tuple[PaymentTransaction, int]] = []
    for row, most_fen in captures_returnable(invoice):
        part_fen = min(amount_fen - sum(fen for _row, fen in cut), most_fen)
        if part_fen <= 0:
            break
        cut.append((row, part_fen))
    return cut


def nothing_taken(captures: list[PaymentTransaction]) -> bool:
    """Whether it is known that the tries so far took nothing; money on its way back is not that,
    nor a try given up as never executed of which the channel will be asked once more (ADR 3)."""
    return bool(captures) and all(row.status in row.LOST and row.due_at is None for row in captures)
