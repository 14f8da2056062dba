"""Two callers at once, with real threads and real commits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from billing.ledger.accounts import accounts_forget
from billing.ledger.selectors import account_balance
from billing.models import ChargeItem, Invoice, InvoiceLine
from patients.models import Encounter, Identifier, Patient
from tests.billing.his.conftest import (
    OPERATOR,
    His,
    charge_body,
    encounter_body,
    patient_body,
)
from tests.factories.patients import campus, his_client, id_number

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_accounts() -> Iterator[None]:
    """The tables are emptied between these tests, so what the process knows of them is not."""
    accounts_forget()
    yield
    accounts_forget()


@pytest.fixture
def ready() -> His:
    campus()
    his_client()
    his = His()
    his("PUT", "patients/M1", patient_body())
    his("PUT", "encounters/E1", encounter_body())
    return his


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together; their answers in order."""
    gate, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(position: int, call: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=10)
            answers[position] = call()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


def test_a_bill_issued_twice_at_once_is_one_bill(ready: His) -> None:
    ready("POST", "encounters/E1/charges", [charge_body(f"C{n}") for n in range(5)])
    calls = [lambda: His()("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})] * 4
    answers = at_once(*calls)
    assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
    assert {body["amount_fen"] for _, body in answers} == {5000}
    assert Invoice.objects.count() == 1
    assert InvoiceLine.objects.count() == 5
    assert account_balance("patient_receivable") == 5000


def test_two_bills_at_once_share_no_charge(ready: His) -> None:
    ready("POST", "encounters/E1/charges", [charge_body(f"C{n}") for n in range(5)])
    answers = at_once(
        *[
            lambda no=no: His()("PUT", f"encounters/E1/invoices/{no}", {"operator": OPERATOR})
            for no in ("I1", "I2")
        ]
    )
    assert sorted(status for status, _ in answers) == [201, 409]
    assert account_balance("patient_receivable") == 5000


def test_one_number_for_two_visits_at_once_is_one_bill(ready: His) -> None:
    ready("PUT", "encounters/E2", encounter_body())
    for no in ("E1", "E2"):
        ready("PUT", f"encounters/{no}/charges/C{no}", charge_body())
    answers = at_once(
        *[
            lambda no=no: His()("PUT", f"encounters/{no}/invoices/I1", {"operator": OPERATOR})
            for no in ("E1", "E2")
        ]
    )
    assert sorted(status for status, _ in answers) == [201, 409]
    assert ChargeItem.objects.filter(status="BILLED").count() == 1


def test_one_charge_number_for_two_visits_at_once_is_one_charge(ready: His) -> None:
    ready("PUT", "encounters/E2", encounter_body())
    answers = at_once(
        *[
            lambda no=no: His()("POST", f"encounters/{no}/charges", [charge_body("C1")])
            for no in ("E1", "E2")
        ]
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    assert ChargeItem.objects.count() == 1


def test_a_charge_is_replaced_or_billed_never_both(ready: His) -> None:
    ready("PUT", "encounters/E1/charges/C1", charge_body())
    _, issued = at_once(
        lambda: His()("PUT", "encounters/E1/charges/C1", charge_body(amount_fen=7)),
        lambda: His()("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR}),
    )
    assert issued[1]["amount_fen"] == ChargeItem.objects.get().amount_fen
    assert account_balance("patient_receivable") == issued[1]["amount_fen"]


def test_a_visit_is_cancelled_or_billed_never_both(ready: His) -> None:
    ready("PUT", "encounters/E1/charges/C1", charge_body())
    statuses = at_once(
        lambda: His()("POST", "encounters/E1/cancel", {"operator": OPERATOR})[0],
        lambda: His()("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[0],
    )
    assert statuses in ([200, 409], [409, 201])


def test_the_same_visit_and_patient_put_at_once_are_one(ready: His) -> None:
    number = id_number(5)
    body = patient_body(id_number=number)
    statuses = at_once(
        *[lambda: His()("PUT", "patients/M7", body)[0]] * 3,
        *[lambda mrn=mrn: His()("PUT", f"patients/{mrn}", body)[0] for mrn in ("M8", "M9")],
        *[lambda: His()("PUT", "encounters/E9", encounter_body())[0]] * 3,
    )
    assert sorted(statuses[:3]) == [200, 200, 201]
    assert statuses[3:5] == [201, 201]
    assert sorted(statuses[5:]) == [200, 200, 201]
    same = Patient.objects.exclude(id_number_index="")
    assert same.count() == 1
    assert Identifier.objects.filter(patient=same.get()).count() == 3
    assert Encounter.objects.filter(encounter_no="E9").count() == 1
