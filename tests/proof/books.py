"""What must hold of every bill at every moment, whatever was done to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Q, Sum

from billing.ledger.checking import ledger_check
from billing.ledger.models import JournalEntry, Posting
from billing.models import Invoice, InvoiceReturn, PaymentTransaction
from billing.selectors.payments import receivable_fen

IN_FLIGHT = list(PaymentTransaction.IN_FLIGHT)
TAKEN = ("captured", "cash_taken", "unexpected_in")


def faults() -> list[str]:
    """Every broken promise, in words; an empty list is what a test wants."""
    report = ledger_check()
    found = [str(text) for text in report.violations]
    if report.unbalanced:
        found.append(f"{report.unbalanced} unbalanced entries")
    found += transaction_faults()
    for invoice in Invoice.objects.all():
        found += _invoice(invoice)
    return found


def transaction_faults() -> list[str]:
    """Each success is in the books once; nothing gives back more than it holds."""
    found = []
    rows = PaymentTransaction.objects.select_related("payment")
    references = JournalEntry.objects.values_list("reference", flat=True)
    # An event's own number, whatever follows it: `refund_done:RF…/2` is the second time.
    entries = Counter("".join(re.findall(r"^\w+:\w+", reference)) for reference in references)
    for row in rows:
        if row.kind == "CAPTURE":
            posted = sum(entries[f"{event}:{row.number}"] for event in TAKEN)
        else:
            came_back = entries[f"refund_came_back:{row.number}"]
            posted = entries[f"refund_done:{row.number}"] - came_back
        if posted != (row.status == "SUCCEEDED"):
            found.append(f"{row.kind} {row.number} {row.status} is posted {posted} times")
    back = given_back(rows)
    found += [
        f"{row.number} took {row.amount_fen} and gives {back[row.pk]}"
        for row in rows
        if row.kind == "CAPTURE" and back[row.pk] > row.amount_fen
    ]
    several = (
        rows.filter(kind="CAPTURE", status__in=IN_FLIGHT)
        .values("payment__invoice")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
    )
    found += [f"invoice {row['payment__invoice']} has {row['n']} tenders out" for row in several]
    return found


def given_back(rows: Iterable[PaymentTransaction]) -> Counter[int]:
    """By capture, what went back or may. Once a number of a debt has succeeded, another that was
    written for it and not sent gives nothing (`refunds.refund_is_owed`)."""
    refunds = [row for row in rows if row.kind == "REFUND"]
    done = {row.reissue_of_id or row.pk for row in refunds if row.status == "SUCCEEDED"}
    back: Counter[int] = Counter()
    for row in refunds:
        unsent = row.status == "CREATED" and (row.reissue_of_id or row.pk) in done
        if row.status not in ("DECLINED", "CLOSED") and not unsent:
            back[row.original_id] += row.amount_fen
    return back


def _invoice(invoice: Invoice) -> list[str]:
    found = []
    owed = receivable_fen(invoice)
    settled = invoice.status in Invoice.PAID_ONCE
    if settled and owed != 0:
        found.append(f"{invoice} is {invoice.status} and owes {owed}")
    if invoice.status in Invoice.OPEN and owed != invoice.cash_fen:
        found.append(f"{invoice} is {invoice.status} and owes {owed} of {invoice.cash_fen}")
    flying = PaymentTransaction.objects.filter(
        payment__invoice=invoice, kind="CAPTURE", status__in=IN_FLIGHT
    ).count()
    if settled and flying:
        found.append(f"{invoice} is {invoice.status} with {flying} tenders out")
    kept = invoice_kept_fen(invoice)
    if settled and kept != invoice.amount_fen - returned_fen(invoice):
        found.append(f"{invoice} of {invoice.amount_fen} keeps {kept}")
    paid = invoice.events.filter(type="paid").count()
    if paid != settled:
        found.append(f"{invoice} {invoice.status} was told paid {paid} times")
    return found


def invoice_kept_fen(invoice: Invoice) -> int:
    """What stays of a bill's money: taken, less what went back or must."""
    money = (
        Posting.objects.filter(entry__invoice_id=invoice.pk)
        .filter(
            Q(account__family__in=["clearing", "cash_drawer"]) | Q(account__family="refund_payable")
        )
        .aggregate(fen=Sum("amount_fen"))["fen"]
    )
    return int(money or 0)


def returned_fen(invoice: Invoice) -> int:
    """What the patient got an answer of yes for."""
    rows = InvoiceReturn.objects.filter(invoice=invoice).exclude(status__in=["REVIEW", "REJECTED"])
    return int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
