"""Everything the pay pages show of one bill, in a constant number of statements."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from billing.actions import action_read
from billing.channels.base import Action
from billing.models import (
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.page_values import (
    ChargeLine,
    Hospital,
    InvoicePage,
    NoPhone,
    PayState,
    RefundRow,
    SplitShown,
    line_groups,
)
from billing.selectors.after_paying import next_step, paid_by, told_words
from billing.selectors.family_accounts import account_refused
from billing.selectors.pay_links import link_is_of_others
from billing.selectors.payments import due_shown_fen, nothing_taken
from billing.words import bill_badge, day_text, reason_text, way_text
from core import clock
from core.crypto import mask_name
from core.workdays import workday_after
from patients.models import Campus, PatientAccess, Relation
from patients.selectors import is_asked_themselves

ARRIVES_WITHIN_WORKDAYS = 3


def hospital_of(campus: Campus) -> Hospital:
    return Hospital(campus.name, NoPhone(campus.window_text, campus.phone))


def invoice_page(invoice: Invoice, *, access: PatientAccess | None = None) -> InvoicePage:
    """The page of a bill. "Nothing was taken" is said only where it is known.

    `access` is the signed-in reader's binding: who may only pay reads hospital, masked name, amount
    and number. Without one the reader holds the link. It is sent to the patient alone, but of a
    minor to the guardian, who from the patient's 14th birthday on reads no more by it than a payer;
    nor does who got it when others were told of the bills than today.
    """
    moved = _transactions(invoice)
    captures = [row for row in moved if row.kind == TransactionKind.CAPTURE]
    taken = [row for row in captures if row.status == TransactionStatus.SUCCEEDED]
    open_row = next((row for row in reversed(captures) if row.is_waited_for), None)
    state = _state(invoice, captures, open_row)
    shown = open_row or (taken[-1] if taken else (captures[-1] if captures else None))
    kept = access is None and (is_asked_themselves(invoice.patient) or link_is_of_others(invoice))
    whole = not kept if access is None else access.sees
    groups = line_groups(_lines(invoice)) if whole else ()
    settled = state is PayState.PAID
    refunds = _refunds(moved)
    told, telling = told_words(invoice, taken, access) if settled and taken else ("", "")
    return InvoicePage(
        hospital=hospital_of(invoice.encounter.campus),
        title=_title(invoice, access),
        invoice_no=invoice.invoice_no,
        state=state,
        amount_fen=(invoice.priced_fen or invoice.amount_fen) if whole else invoice.cash_fen,
        cash_fen=invoice.cash_fen,
        split=_split(invoice) if whole else None,
        groups=groups,
        lines_kept=kept,
        paid_fen=_paid_fen(invoice, state),
        valid_until=invoice.valid_until,
        channel=way_text(shown.payment.channel, shown.payment.mode) if shown else "",
        action=_action(open_row) if _is_readers(open_row, access) else None,
        started_at=open_row.created_at if open_row else None,
        occurred_at=taken[-1].occurred_at if taken else None,
        answer_by=_answer_by(open_row),
        receipt_no=taken[-1].payment.payment_no if taken else "",
        reason=reason_text(captures[-1].code) if captures and not taken else "",
        told=told,
        telling=telling,
        next_step=next_step(groups) if invoice.status == InvoiceStatus.PAID else None,
        refunds=refunds,
        settled_badge=bill_badge(invoice.status) if settled else "",
        taken_fen=sum(row.amount_fen for row in taken),
        back_fen=sum(row.amount_fen for row in refunds if row.state == "done"),
        paid_by_reader=access is not None and paid_by(access, taken),
        payable_by_reader=access is None or access.may_pay,
        unpriced=invoice.unpriced,
        account_refused=account_refused(invoice, access),
    )


def _is_readers(row: PaymentTransaction | None, access: PatientAccess | None) -> bool:
    """Whether the open order is the reader's to go on with: its payer is told as such."""
    if row is None or row.payment.payer_id is None:
        return access is None or access.may_pay
    return access is not None and row.payment.payer_id == access.user_id


def _title(invoice: Invoice, access: PatientAccess | None) -> str:
    """A link's page is read over shoulders and names no department; a relative's names whose."""
    local = invoice.occurred_at.astimezone(clock.ZONE)
    day, kind = day_text(local), invoice.encounter.get_kind_display()
    if access is None:
        return f"{day} {kind}"
    name = "" if access.relation == Relation.SELF else f"{mask_name(invoice.patient.name)} "
    if not access.sees:
        return f"{invoice.encounter.campus.name} {name}".strip()
    return f"{name}{day} {invoice.encounter.department_name} {kind}"


def _transactions(invoice: Invoice) -> list[PaymentTransaction]:
    return list(
        PaymentTransaction.objects.filter(payment__invoice=invoice)
        .select_related("payment")
        .order_by("pk")
    )


def _state(
    invoice: Invoice, captures: list[PaymentTransaction], open_row: PaymentTransaction | None
) -> PayState:
    if invoice.status == InvoiceStatus.PRICING:
        return PayState.PREPARING
    if invoice.status in Invoice.PAID_ONCE:
        return PayState.PAID
    if invoice.status == InvoiceStatus.CANCELLED:
        return PayState.CLOSED
    if invoice.status == InvoiceStatus.ISSUED:
        return PayState.NOT_PAID if nothing_taken(captures) else PayState.TO_PAY
    if open_row is not None and _action(open_row) is not None:
        return PayState.WAITING
    return PayState.IN_PROGRESS


def _paid_fen(invoice: Invoice, state: PayState) -> int:
    """What was taken towards the own part; what an open bill still owes is the ledger's word."""
    if state is PayState.CLOSED:
        return 0
    return invoice.cash_fen if state is PayState.PAID else invoice.cash_fen - due_shown_fen(invoice)


def _action(row: PaymentTransaction | None) -> Action | None:
    """The payer's next step while the order lives."""
    action = None if row is None or row.closing else action_read(row.action)
    return action if action is not None and action.expires_at > clock.now() else None


def _answer_by(row: PaymentTransaction | None) -> datetime | None:
    """Past the deadline we promise an answer by nine the next morning."""
    if row is None or clock.now() < row.expires_at + timedelta(minutes=10):
        return None
    tomorrow, _end = clock.day_bounds(clock.today() + timedelta(days=1))
    return tomorrow + timedelta(hours=9)


def _split(invoice: Invoice) -> SplitShown | None:
    parts = (
        invoice.fund_fen,
        invoice.own_account_fen,
        invoice.mutual_aid_fen,
        invoice.hospital_part_fen,
    )
    fund, own, aid, hospital = (part or 0 for part in parts)
    # Of a bill that was given back whole nothing is left to be shared.
    gone = parts[0] is None or invoice.priced_fen == 0
    return None if gone else SplitShown(fund, own, aid, hospital, invoice.cash_fen)


def _lines(invoice: Invoice) -> list[ChargeLine]:
    rows = invoice.lines.select_related("charge").order_by("pk")
    return [
        ChargeLine(
            category=row.charge.category,
            name=row.charge.item_name,
            amount_fen=row.amount_fen,
            detail=f"× {row.quantity.normalize():f}",
            returned_fen=row.returned_fen,
        )
        for row in rows
    ]


def _refunds(moved: list[PaymentTransaction]) -> tuple[RefundRow, ...]:
    """Money on its way back, each sum once: what was sent anew under another number is that."""
    anew = {row.reissue_of_id for row in moved}
    back = (row for row in moved if row.kind == TransactionKind.REFUND and row.pk not in anew)
    return tuple(_refund(row) for row in back)


def _refund(row: PaymentTransaction) -> RefundRow:
    done = row.status == TransactionStatus.SUCCEEDED
    arrives = workday_after(clock.business_day(row.created_at), ARRIVES_WITHIN_WORKDAYS)
    promise = _("before %(day)s") % {"day": day_text(arrives)}
    return RefundRow(
        title=_("refunded") if done else _("refunding"),
        amount_fen=row.amount_fen,
        state="done" if done else "now",
        at=row.occurred_at,
        promise="" if done else promise,
    )
