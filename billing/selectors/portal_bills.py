"""The bills a signed-in user may see, and how much of each.

Who may view a person sees all of their bills. Who may only pay sees what is to pay now, what they
paid themselves and what came up within a day, each as hospital, masked name, amount and number.
Somebody else's bill is `NotFound`, the same as one that never was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice, InvoiceStatus, Payment, PaymentTransaction
from billing.words import bill_badge, day_text, way_text
from core import clock
from core.crypto import mask_name
from core.errors import NotFound
from core.models import User
from patients.models import PatientAccess, Relation
from patients.selectors import access_of

S = InvoiceStatus
STATES: dict[str, tuple[str, ...]] = {
    "to_pay": (S.ISSUED,),
    "in_progress": (S.PRICING, S.COLLECTING, S.PROCESSING, S.REVIEW),
    "paid": (S.PAID, S.RESETTLING),
    "refunded": (S.PARTLY_REFUNDED, S.REFUNDED),
}
PAY_ONLY_OPEN = (S.ISSUED, S.COLLECTING, S.PROCESSING)
SEEN_AFTER = timedelta(days=1)
PAGE_SIZE = 20
OPEN_MAX = 50


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill in a list. `person` is empty for the user's own, `place` for who reads what it was."""

    pk: int
    patient_id: int
    badge: str
    title: str
    place: str
    person: str
    department: str
    number: str
    cash_fen: int
    amount_fen: int
    others_fen: int
    unpriced: bool
    channel: str
    occurred_at: datetime

    @property
    def month(self) -> date:
        return self.occurred_at.astimezone(clock.ZONE).date().replace(day=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader wants of the history; `before` is the last bill they have seen."""

    person: int | None = None
    month: date | None = None
    state: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class BillsPage:
    rows: tuple[BillRow, ...]
    older: int | None


def bill_of(
    *, user: User, invoice_id: int, need: Literal["view", "pay"] | None = None
) -> tuple[Invoice, PatientAccess]:
    """A bill with the binding by which this user may open it; two statements."""
    access = {row.patient_id: row for row in access_of(user)}
    rows = _visible(user, list(access.values()))
    rows = rows.select_related("patient", "encounter__campus", "encounter__patient")
    found = rows.filter(pk=invoice_id).first()
    right = access.get(found.patient_id) if found is not None else None
    if found is None or right is None:
        raise _unknown()
    if (need == "view" and not right.sees) or (need == "pay" and not right.may_pay):
        raise _unknown()
    return found, right


def bills_readable(user: User, invoice_ids: set[int]) -> dict[int, tuple[bool, bool]]:
    """Of these bills those this user may open: whether it waits for their money, and whether it
    has been paid."""
    access = access_of(user) if invoice_ids else []
    if not access:
        return {}
    rows = _visible(user, access).filter(pk__in=invoice_ids).select_related(None)
    payable = {row.patient_id for row in access if row.may_pay}
    return {
        pk: (status == S.ISSUED and patient_id in payable, status in Invoice.PAID_ONCE)
        for pk, status, patient_id in rows.values_list("pk", "status", "patient_id")
    }


def bills_open(user: User, access: list[PatientAccess]) -> list[BillRow]:
    """What is to pay or in progress, what waits longest first."""
    rows = _visible(user, access).filter(status__in=[*Invoice.OPEN, S.REVIEW])
    return _rows(rows.order_by("pk")[:OPEN_MAX], user, access)


def bills_page(user: User, access: list[PatientAccess], wanted: Filters) -> BillsPage:
    """One page of the history, newest first; a bill that comes meanwhile moves nothing."""
    rows = _visible(user, access)
    if wanted.person is not None:
        rows = rows.filter(patient_id=wanted.person)
    if wanted.month is not None:
        start, end = month_bounds(wanted.month)
        rows = rows.filter(occurred_at__gte=start, occurred_at__lt=end)
    if wanted.state in STATES:
        rows = rows.filter(status__in=STATES[wanted.state])
    if wanted.before is not None:
        rows = rows.filter(pk__lt=wanted.before)
    found = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    older = shown[-1].pk if len(found) > PAGE_SIZE else None
    return BillsPage(tuple(_with_channels(shown, user, access)), older)


def bills_recent(user: User, access: list[PatientAccess], limit: int = 2) -> list[BillRow]:
    rows = _visible(user, access).filter(status__in=Invoice.PAID_ONCE).order_by("-pk")
    return _with_channels(list(rows[:limit]), user, access)


def month_bounds(day: date) -> tuple[datetime, datetime]:
    """The month of a day, half-open, in the time of the hospital."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return clock.day_bounds(first)[0], clock.day_bounds(following)[0]


def _unknown() -> NotFound:
    return NotFound("unknown_invoice", _("There is no such bill."))


def _visible(user: User, access: list[PatientAccess]) -> QuerySet[Invoice]:
    seen = [row.patient_id for row in access if row.sees]
    paid_for = [row.patient_id for row in access if row.may_pay and not row.sees]
    by_user = Payment.objects.filter(
        invoice=OuterRef("pk"),
        payer=user,
        transactions__status__in=PaymentTransaction.TAKEN_OR_OPEN,
    )
    narrow = (
        Q(status__in=PAY_ONLY_OPEN)
        | Q(created_at__gte=clock.now() - SEEN_AFTER, status__in=Invoice.PAID_ONCE)
        | Q(Exists(by_user))
    )
    rows = Invoice.objects.filter(patient_id__in=[*seen, *paid_for]).exclude(status=S.DRAFT)
    if paid_for:
        rows = rows.filter(Q(patient_id__in=seen) | (Q(patient_id__in=paid_for) & narrow))
    return rows.select_related("encounter__campus", "patient")


def _with_channels(
    invoices: list[Invoice], user: User, access: list[PatientAccess]
) -> list[BillRow]:
    """Rows with the way each was paid; one statement for all of them."""
    paid = [row.pk for row in invoices if row.status in Invoice.PAID_ONCE]
    found = Payment.objects.filter(
        invoice__in=paid, transactions__status="SUCCEEDED", transactions__kind="CAPTURE"
    )
    rows = found.order_by("pk") if paid else ()
    ways = {row.invoice_id: way_text(row.channel, row.mode) for row in rows}
    return _rows(invoices, user, access, {pk: str(way) for pk, way in ways.items() if pk})


def _rows(
    invoices: QuerySet[Invoice] | list[Invoice],
    user: User,
    access: list[PatientAccess],
    channels: dict[int, str] | None = None,
) -> list[BillRow]:
    rights = {row.patient_id: row for row in access}
    return [_row(one, rights[one.patient_id], (channels or {}).get(one.pk, "")) for one in invoices]


def _row(invoice: Invoice, right: PatientAccess, channel: str) -> BillRow:
    """Who may only pay reads hospital, masked name, amount and number."""
    own = right.relation == Relation.SELF
    amount_fen = invoice.amount_fen if right.sees else invoice.cash_fen
    return BillRow(
        pk=invoice.pk,
        patient_id=invoice.patient_id,
        badge=bill_badge(invoice.status),
        title=bill_title(invoice) if right.sees else _day(invoice),
        place="" if right.sees else invoice.encounter.campus.name,
        person="" if own else mask_name(invoice.patient.name),
        department=invoice.encounter.department_name if right.sees else "",
        number=invoice.invoice_no if right.sees else invoice.tail,
        cash_fen=invoice.cash_fen,
        amount_fen=amount_fen,
        others_fen=amount_fen - invoice.cash_fen,
        unpriced=invoice.unpriced,
        channel=channel,
        occurred_at=invoice.occurred_at,
    )


def bill_title(invoice: Invoice) -> str:
    """The day and the kind of visit; a list on a phone is read over a shoulder, so no more."""
    return f"{_day(invoice)} {invoice.encounter.get_kind_display()}"


def _day(invoice: Invoice) -> str:
    """All that who may only pay reads of the visit itself."""
    return day_text(invoice.occurred_at.astimezone(clock.ZONE))
