"""A bill freezes a visit's charges once, and a cancelled one gives them all back."""

from __future__ import annotations

from typing import Any

import pytest

from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import ChargeItem, HisEvent, Invoice
from billing.selectors.payments import receivable_fen
from billing.services.charging.invoices import invoice_cancel, invoice_issue
from core.errors import BadInput, Conflict, NotFound
from core.idempotency import NumberReused
from core.money import FEN_MAX
from patients.models import Encounter
from tests.billing.services.bills import ASKER, in_flight, paid
from tests.factories import payments
from tests.factories.billing import charge, invoice
from tests.factories.patients import encounter, his_client

pytestmark = pytest.mark.django_db


def issue(visit: Encounter, invoice_no: str = "I-1", *charge_nos: str, **changed: Any) -> Invoice:
    given: dict[str, Any] = {
        "client": visit.client,
        "encounter_no": visit.encounter_no,
        "invoice_no": invoice_no,
        "operator": ASKER,
        "input_hash": "h",
        "charge_nos": charge_nos or None,
    }
    return invoice_issue(**given | changed).invoice


def cancel(bill: Invoice) -> Invoice:
    return invoice_cancel(client=bill.client, invoice_no=bill.invoice_no, operator=ASKER)


@pytest.fixture
def visit() -> Encounter:
    """A visit with charges of ¥10.00 and ¥2.50."""
    row = encounter()
    charge(row, 1_000, "C-1")
    charge(row, 250, "C-2")
    return row


def statuses() -> dict[str, str]:
    return dict(ChargeItem.objects.values_list("charge_no", "status"))


def test_a_bill_is_the_sum_of_its_charges_and_owed_from_then_on(visit: Encounter) -> None:
    bill = issue(visit)
    assert (bill.status, bill.amount_fen, bill.cash_fen) == ("ISSUED", 1_250, 1_250)
    assert (bill.operator_code, bill.patient_id) == ("C1", visit.patient_id)
    assert sorted(bill.lines.values_list("charge__charge_no", "amount_fen")) == [
        ("C-1", 1_000),
        ("C-2", 250),
    ]
    assert statuses() == {"C-1": "BILLED", "C-2": "BILLED"}
    assert receivable_fen(bill) == 1_250
    event = HisEvent.objects.get()
    assert (event.type, event.data) == ("priced", {"amount_fen": 1_250, "cash_fen": 1_250})
    assert ledger_check().sound


def test_named_charges_alone_are_billed(visit: Encounter) -> None:
    assert issue(visit, "I-1", "C-2").amount_fen == 250
    assert statuses() == {"C-1": "UNBILLED", "C-2": "BILLED"}
    assert issue(visit, "I-2").amount_fen == 1_000


def test_the_same_number_is_the_same_bill(visit: Encounter) -> None:
    first = issue(visit)
    charge(visit, 500, "C-3")
    assert issue(visit) == first
    assert (Invoice.objects.count(), statuses()["C-3"]) == (1, "UNBILLED")


@pytest.mark.parametrize("other", ["content", "visit"])
def test_the_same_number_for_something_else_is_refused(visit: Encounter, other: str) -> None:
    issue(visit)
    with pytest.raises(NumberReused) as refused:
        if other == "content":
            issue(visit, input_hash="other")
        else:
            issue(charge(encounter()).encounter)
    assert refused.value.field == "invoice_no"
    assert Invoice.objects.count() == 1


def test_nothing_to_bill_is_no_bill(visit: Encounter) -> None:
    issue(visit)
    with pytest.raises(Conflict) as refused:
        issue(visit, "I-2")
    assert refused.value.code == "nothing_to_bill"


@pytest.mark.parametrize(
    ("named", "refusal", "field"),
    [
        (("C-1", "C-404"), NotFound, "charge_nos[1]"),
        (("C-1", "C-other"), NotFound, "charge_nos[1]"),
        (("C-1", "C-1"), BadInput, "charge_nos"),
        (("C-billed", "C-1"), Conflict, "charge_nos[0]"),
    ],
)
def test_a_wrong_charge_is_named_and_nothing_is_billed(
    visit: Encounter, named: tuple[str, ...], refusal: type[Exception], field: str
) -> None:
    charge(encounter(), 100, "C-other")
    charge(visit, 100, "C-billed")
    issue(visit, "I-0", "C-billed")
    with pytest.raises(refusal) as refused:
        issue(visit, "I-1", *named)
    assert refused.value.field == field  # type: ignore[attr-defined]
    assert (Invoice.objects.count(), statuses()["C-1"]) == (1, "UNBILLED")


def test_a_visit_nobody_opened_or_that_is_cancelled_has_no_bill(visit: Encounter) -> None:
    with pytest.raises(NotFound):
        issue(visit, encounter_no="V404")
    with pytest.raises(NotFound):
        issue(visit, client=his_client("other"))
    Encounter.objects.filter(pk=visit.pk).update(status="CANCELLED")
    with pytest.raises(Conflict) as refused:
        issue(visit)
    assert refused.value.code == "encounter_ended"


def test_a_sum_beyond_all_money_is_refused(visit: Encounter) -> None:
    charge(visit, FEN_MAX, "C-3", unit_price=1)
    with pytest.raises(Conflict) as refused:
        issue(visit)
    assert refused.value.code == "amount_too_large"
    assert not Invoice.objects.exists()


def test_a_cancelled_bill_owes_nothing_and_its_charges_can_be_billed_again(
    visit: Encounter,
) -> None:
    bill = issue(visit)
    assert cancel(bill).status == "CANCELLED"
    assert (receivable_fen(bill), account_balance("medical_revenue")) == (0, 0)
    assert statuses() == {"C-1": "UNBILLED", "C-2": "UNBILLED"}
    assert not bill.lines.filter(live=True).exists()
    # again: nothing more is told or posted
    cancel(bill)
    events = HisEvent.objects.filter(invoice=bill).order_by("seq")
    assert list(events.values_list("type", flat=True)) == ["priced", "cancelled"]
    again = issue(visit, "I-2")
    assert (again.amount_fen, receivable_fen(again)) == (1_250, 1_250)
    assert ledger_check().sound


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: paid(1_000), "invoice_paid"),
        (in_flight, "invoice_busy"),
        (lambda: payments.collect(invoice(1_000)).invoice, "invoice_busy"),
    ],
    ids=["paid", "in_flight", "collect_begun"],
)
def test_a_bill_paid_or_being_paid_is_not_cancelled(made: Any, code: str) -> None:
    bill = made()
    before = receivable_fen(bill)
    with pytest.raises(Conflict) as refused:
        cancel(bill)
    assert refused.value.code == code
    assert receivable_fen(bill) == before
    assert not bill.lines.filter(live=False).exists()
