"""Everything of one bill's page for staff, in a constant number of statements.

Fixed order, as an incident is read: request, money rows, postings, calls outside, course.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.desk.course import CourseStep, course_of
from billing.desk.faces import Face, face_of
from billing.desk.movements import MoneyRow, account_title, back_fen, money_list
from billing.ledger.models import JournalEntry, Posting
from billing.models import (
    BillingReview,
    CollectRequest,
    CollectStatus,
    Invoice,
    InvoiceLine,
    InvoiceReturn,
    InvoiceStatus,
    PaymentTransaction,
    ReturnStatus,
    TransactionKind,
)
from billing.page_values import SplitPart, SplitShown
from billing.selectors.payments import due_shown_fen, nothing_taken
from billing.services.refunding.returns import RETURNABLE
from billing.words import bill_badge, reason_text
from core.errors import NotFound
from core.models import OutboundCall
from core.review import ReviewStatus

CALLS_MAX = 100
CALL_FIELDS = (
    "created_at", "counterparty", "operation", "reference", "status", "failure", "duration_ms"
)  # fmt: skip
GOING_BACK = frozenset({ReturnStatus.ACCEPTED, ReturnStatus.FAILED})
RETURN_TONES = {"DONE": "ok", "REJECTED": "none", "FAILED": "bad"}


@dataclass(frozen=True, slots=True)
class ReturnRow:
    row: InvoiceReturn
    tone: str
    review_id: int | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A journal entry with its legs, in the words of the chart."""

    entry: JournalEntry
    legs: list[tuple[str, str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BillPage:
    """What the templates of a bill read."""

    invoice: Invoice
    face: Face
    badge: str
    split: SplitShown | None
    lines: tuple[InvoiceLine, ...]
    money: tuple[MoneyRow, ...]
    returns: tuple[ReturnRow, ...]
    entries: tuple[EntryRow, ...]
    calls: tuple[OutboundCall, ...]
    course: tuple[CourseStep, ...]
    due_fen: int
    running: bool
    declined: str | Promise

    @property
    def busy(self) -> bool:
        """A collect runs: nothing else may be begun, and the page looks again by itself."""
        pricing = self.invoice.status == InvoiceStatus.PRICING
        return self.running or pricing

    @property
    def unconfirmed(self) -> bool:
        """A tender is in flight that a cashier may decide not to wait for."""
        return self.busy and any(
            money.row.is_waited_for and not money.refund for money in self.money
        )

    @property
    def payable(self) -> bool:
        """Also while the patient's own page holds an order: the window closes that one first."""
        status = self.invoice.status
        collectable = status in Invoice.OPEN and status != InvoiceStatus.PRICING
        return collectable and not self.running and self.due_fen > 0

    @property
    def on_phone(self) -> bool:
        return self.payable and self.invoice.status != InvoiceStatus.ISSUED

    @property
    def returnable(self) -> bool:
        return self.invoice.status in RETURNABLE and any(
            line.amount_fen > line.returned_fen for line in self.lines
        )

    @property
    def refunded_fen(self) -> int:
        """What the payer has back; a line's own sum is reserved the moment a return is asked."""
        return sum(back_fen(money.row) for money in self.money)

    @property
    def in_review_fen(self) -> int:
        asked = (one.row for one in self.returns)
        return sum(row.amount_fen for row in asked if row.status == ReturnStatus.REVIEW)

    @property
    def refunding_fen(self) -> int:
        """Let go and not yet back with the payer, also where a person looks for another route."""
        going = {
            one.row.pk: one.row.amount_fen for one in self.returns if one.row.status in GOING_BACK
        }
        arrived_fen = sum(
            back_fen(money.row) for money in self.money if money.row.invoice_return_id in going
        )
        return max(sum(going.values()) - arrived_fen, 0)

    @property
    def other_parts(self) -> tuple[SplitPart, ...]:
        parts = self.split.parts if self.split else ()
        return tuple(part for part in parts if part.fen and part.key != "cash")


def bill_get(invoice_id: int) -> Invoice:
    """The bill with its visit and patient, or NotFound."""
    rows = Invoice.objects.select_related("client", "patient__guardian", "encounter__campus")
    found = rows.prefetch_related("patient__identifiers").filter(pk=invoice_id).first()
    if found is None:
        raise NotFound("unknown_invoice", _("There is no such bill."))
    return found


def bill_page(invoice: Invoice, *, full_name: bool, books: bool, calls: bool) -> BillPage:
    """The page; postings and calls only for those who may see them."""
    rows = money_rows(invoice)
    returns = list(InvoiceReturn.objects.filter(invoice=invoice).order_by("pk"))
    collects = list(CollectRequest.objects.filter(invoice=invoice).order_by("pk"))
    numbers = [row.number for row in rows]
    return BillPage(
        invoice=invoice,
        face=face_of(invoice.patient, full_name=full_name),
        badge=bill_badge(invoice.status),
        split=_split(invoice),
        lines=tuple(_lines(invoice)),
        money=money_list(rows),
        returns=tuple(_returns(returns)),
        entries=tuple(_entries(invoice)) if books else (),
        calls=tuple(_calls(numbers)) if calls else (),
        course=tuple(course_of(invoice, rows, returns, collects)),
        due_fen=due_shown_fen(invoice),
        running=any(row.status == CollectStatus.RUNNING for row in collects),
        declined=_declined(invoice, rows, collects),
    )


def _lines(invoice: Invoice) -> QuerySet[InvoiceLine]:
    """The lines, each with the part of its return that waits or is under way, and that is done."""
    open_return = Q(returns__invoice_return__status__in=[ReturnStatus.REVIEW, *GOING_BACK])
    open_fen = Coalesce(Sum("returns__amount_fen", filter=open_return), 0)
    open_quantity = Coalesce(Sum("returns__quantity", filter=open_return), Decimal(0))
    rows = invoice.lines.select_related("charge").order_by("pk")
    return rows.annotate(
        going_fen=open_fen,
        going_quantity=open_quantity,
        back_fen=F("returned_fen") - open_fen,
        back_quantity=F("returned_quantity") - open_quantity,
    )


def money_rows(invoice: Invoice) -> list[PaymentTransaction]:
    rows = PaymentTransaction.objects.filter(payment__invoice=invoice)
    return list(rows.select_related("payment__merchant", "payment__shift").order_by("pk"))


def _returns(returns: Sequence[InvoiceReturn]) -> list[ReturnRow]:
    cases = BillingReview.objects.filter(
        invoice_return__in=[row.pk for row in returns], status=ReviewStatus.OPEN
    )
    open_cases = dict(cases.values_list("invoice_return_id", "pk"))
    return [
        ReturnRow(row, RETURN_TONES.get(row.status, "wait"), open_cases.get(row.pk))
        for row in returns
    ]


def _entries(invoice: Invoice) -> list[EntryRow]:
    legs = Posting.objects.filter(entry__invoice_id=invoice.pk)
    rows: dict[int, EntryRow] = {}
    for leg in legs.select_related("entry", "account").order_by("entry_id", "line_no"):
        entry = rows.setdefault(leg.entry_id, EntryRow(leg.entry))
        entry.legs.append((account_title(leg.account.code), leg.account.code, leg.amount_fen))
    return list(rows.values())


def _calls(numbers: Sequence[str]) -> list[OutboundCall]:
    rows = OutboundCall.objects.filter(reference__in=numbers).only(*CALL_FIELDS)
    return list(rows.order_by("-pk")[:CALLS_MAX])[::-1]


def _declined(
    invoice: Invoice, rows: Sequence[PaymentTransaction], collects: Sequence[CollectRequest]
) -> str | Promise:
    """Why the last try took nothing; said only while the bill is to pay again, and only once it is
    known of every try: one that was passed over may still be paid."""
    last = collects[-1] if collects else None
    if last is None or last.status != CollectStatus.DECLINED:
        return ""
    captures = [row for row in rows if row.kind == TransactionKind.CAPTURE]
    if invoice.status != InvoiceStatus.ISSUED or (captures and not nothing_taken(captures)):
        return ""
    return reason_text(last.decline_code)


def _split(invoice: Invoice) -> SplitShown | None:
    if invoice.fund_fen is None:
        return None
    parts: tuple[Any, ...] = (
        invoice.own_account_fen, invoice.mutual_aid_fen, invoice.hospital_part_fen
    )  # fmt: skip
    own, aid, hospital = (part or 0 for part in parts)
    return SplitShown(invoice.fund_fen, own, aid, hospital, invoice.cash_fen)
