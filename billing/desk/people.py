"""Everything of one patient's page, in a constant number of statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.desk.faces import Face, face_of
from billing.desk.grants import Grants, PayerRow, grants_of, payer_rows
from billing.ledger.bills import bills_due
from billing.models import (
    HisEvent,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.selectors.payments import due_shown_of
from billing.words import HIS_EVENTS, bill_badge, way_text
from core import clock
from core.errors import NotFound
from core.money import format_yuan
from patients.models import Patient

OPEN_MAX = 50
SETTLED_PAGE = 15
EVENTS_MAX = 8
UNPAID = (*Invoice.OPEN, InvoiceStatus.REVIEW)
WAITS = frozenset({"action_required", "declined", "review", "refund_accepted", "refund_failed"})


@dataclass(frozen=True, slots=True)
class BillRow:
    pk: int
    invoice_no: str
    at: datetime
    department: str
    amount_fen: int
    others_fen: int
    unpriced: bool
    cash_fen: int
    due_fen: int
    ways: str
    badge: str

    @property
    def payable(self) -> bool:
        return self.badge == "to_pay" and self.due_fen > 0


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the four sums."""

    label: Promise | str
    fen: int
    note: str
    wait: bool = False


@dataclass(frozen=True, slots=True)
class TodayStep:
    title: str
    at: datetime
    state: str
    note: str = ""
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class PatientPage:
    face: Face
    tiles: tuple[Tile, ...]
    bills: tuple[BillRow, ...]
    older: int
    grants: Grants
    payers: tuple[PayerRow, ...]
    today: tuple[TodayStep, ...]
    merged_into: int = 0

    @property
    def first_due(self) -> BillRow | None:
        return next((row for row in self.bills if row.payable), None)


def patient_get(patient_id: int) -> Patient:
    """The person with the numbers a page shows, or NotFound."""
    rows = Patient.objects.select_related("guardian").prefetch_related("identifiers")
    found = rows.filter(pk=patient_id).first()
    if found is None:
        raise NotFound("unknown_patient", _("There is no such patient."))
    return found


def patient_page(
    patient: Patient, *, full_name: bool, open_data: bool = False, before: int = 0
) -> PatientPage:
    """Identity, sums, bills (to pay first and oldest first), who pays, and today's course."""
    mine = Invoice.objects.filter(patient=patient).select_related("encounter")
    unpaid = [] if before else list(mine.filter(status__in=UNPAID).order_by("pk")[:OPEN_MAX])
    settled_rows = mine.exclude(status__in=UNPAID).order_by("-pk")
    if before:
        settled_rows = settled_rows.filter(pk__lt=before)
    settled = list(settled_rows[: SETTLED_PAGE + 1])
    shown = [*unpaid, *settled[:SETTLED_PAGE]]
    face = face_of(patient, full_name=full_name, open_data=open_data)
    grants = grants_of(patient, live_only=True)
    return PatientPage(
        face=face,
        tiles=patient_tiles(patient),
        bills=tuple(bill_rows(shown)),
        older=shown[-1].pk if len(settled) > SETTLED_PAGE else 0,
        grants=grants,
        payers=tuple(payer_rows(grants, face.phone)),
        today=tuple(_today(patient)),
        merged_into=patient.merged_into_id or 0,
    )


def bill_rows(invoices: list[Invoice]) -> list[BillRow]:
    """Rows of a table, with what is owed by the ledger and by which ways it was paid."""
    ids = [row.pk for row in invoices]
    due = bills_due(ids)
    ways = _ways(ids)
    return [
        BillRow(
            pk=row.pk,
            invoice_no=row.invoice_no,
            at=row.occurred_at,
            department=row.encounter.department_name,
            amount_fen=row.amount_fen,
            others_fen=row.amount_fen - row.cash_fen,
            unpriced=row.unpriced,
            cash_fen=row.cash_fen,
            due_fen=due_shown_of(row, due[row.pk]),
            ways=ways.get(row.pk, ""),
            badge=bill_badge(row.status),
        )
        for row in invoices
    ]


def _ways(invoice_ids: list[int]) -> dict[int, str]:
    taken = PaymentTransaction.objects.filter(
        payment__invoice__in=invoice_ids,
        kind=TransactionKind.CAPTURE,
        status=TransactionStatus.SUCCEEDED,
    ).values_list("payment__invoice_id", "payment__channel", "payment__mode")
    found: dict[int, list[str]] = {}
    for invoice_id, channel, mode in taken.order_by("pk"):
        word = str(way_text(channel, mode))
        if word not in found.setdefault(invoice_id, []):
            found[invoice_id].append(word)
    return {invoice_id: _(", ").join(words) for invoice_id, words in found.items()}


def patient_tiles(patient: Patient) -> tuple[Tile, ...]:
    """To pay, in progress, taken today, on its way back: two statements."""
    start, end = clock.day_bounds(clock.today())
    open_bills = list(Invoice.objects.filter(patient=patient, status__in=UNPAID))
    owed = bills_due(row.pk for row in open_bills)
    parts = [(row.status, due_shown_of(row, owed[row.pk])) for row in open_bills]
    due = [fen for status, fen in parts if status == InvoiceStatus.ISSUED]
    busy = [fen for status, fen in parts if status != InvoiceStatus.ISSUED]
    capture, refund = Q(kind=TransactionKind.CAPTURE), Q(kind=TransactionKind.REFUND)
    today = Q(status=TransactionStatus.SUCCEEDED, occurred_at__gte=start, occurred_at__lt=end)
    flying = Q(status__in=PaymentTransaction.IN_FLIGHT)
    sums = PaymentTransaction.objects.filter(payment__invoice__patient=patient).aggregate(
        taken=Sum("amount_fen", filter=capture & today),
        back=Sum("amount_fen", filter=refund & flying),
        back_today=Sum("amount_fen", filter=refund & today),
    )
    return (
        Tile(_("to pay"), sum(due), _bills_note(len(due)), wait=bool(due)),
        Tile(_("in progress"), sum(busy), _bills_note(len(busy))),
        Tile(_("paid today"), sums["taken"] or 0, ""),
        Tile(_("refunding"), sums["back"] or 0, _back_note(sums["back_today"])),
    )


def _bills_note(count: int) -> str:
    return _("%(n)s bills") % {"n": count} if count else ""


def _back_note(fen: int | None) -> str:
    return _("refunded today: %(sum)s") % {"sum": format_yuan(fen)} if fen else ""


def _today(patient: Patient) -> list[TodayStep]:
    start, _end = clock.day_bounds(clock.today())
    events = HisEvent.objects.filter(invoice__patient=patient, occurred_at__gte=start)
    # By time, not by key alone: PostgreSQL would walk the house's events backwards for this one.
    latest = events.select_related("invoice").order_by("-occurred_at", "-pk")[:EVENTS_MAX]
    return [
        TodayStep(
            title=str(HIS_EVENTS.get(row.type, row.type)),
            at=row.occurred_at,
            state="now" if place == 0 and row.type in WAITS else "done",
            note=row.invoice.invoice_no,
            amount_fen=row.data.get("amount_fen"),
        )
        for place, row in enumerate(latest)
    ]
