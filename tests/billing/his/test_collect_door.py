"""Collect at the door: the wait, its limits, and what is answered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from billing import tasks, waiting
from billing.channels.base import Operation
from billing.his.views import collect as collect_view
from billing.ledger.accounts import accounts_forget
from billing.models import CollectRequest, PaymentTransaction
from billing.services.events.relay import events_publish
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from patients.models import Patient
from tests import scripted
from tests.billing.his.conftest import (
    APPROVER,
    OPERATOR,
    His,
    charge_body,
    encounter_body,
    patient_body,
)
from tests.factories.patients import campus, his_client
from tests.factories.payments import agreement, merchant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[His]:
    """A bill I1 of ¥10.00 whose patient has a signed agreement; tasks do nothing by themselves."""
    accounts_forget()
    scripted.reset()
    settings.PAYMENT_CHANNELS = {"wechat_pay": "tests.scripted.ScriptedChannel"}
    monkeypatch.setattr(collect_view, "enqueue", lambda *_args: True)
    monkeypatch.setattr(tasks, "enqueue", lambda *_args: True)
    campus()
    his_client()
    merchant()
    his = His()
    his("PUT", "patients/M1", patient_body())
    his("PUT", "encounters/E1", encounter_body())
    his("PUT", "encounters/E1/charges/C1", charge_body())
    his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    agreement(Patient.objects.get())
    yield his
    accounts_forget()


def body(request_no: str = "R1", **changes: Any) -> dict[str, Any]:
    return {"request_no": request_no, "method": "auto", "operator": OPERATOR} | changes


def drive(invoice_id: int) -> None:
    try:
        invoice_drive(invoice_id=invoice_id)
    finally:
        connection.close()


def test_without_waiting_the_answer_is_processing(ready: His) -> None:
    answer = ready.raw("POST", "invoices/I1/collect", _json(body()))
    assert answer.status_code == 202
    assert answer["Retry-After"] == "2"
    told = answer.json()
    assert (told["result"], told["invoice"]["status"]) == ("processing", "COLLECTING")
    assert set(told) == {"result", "invoice"}


def test_the_waiter_learns_of_the_end_at_once(ready: His, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is done by another thread, as a worker does it, while the door waits."""
    threads: list[threading.Thread] = []

    def hand_over(_task: object, invoice_id: int) -> bool:
        threads.append(threading.Thread(target=drive, args=[invoice_id]))
        threads[-1].start()
        return True

    monkeypatch.setattr(collect_view, "enqueue", hand_over)
    started = time.monotonic()
    status, told = ready("POST", "invoices/I1/collect", body(wait_s=10))
    assert time.monotonic() - started < 8
    threads[0].join()
    assert (status, told["result"]) == (200, "paid")
    assert told["invoice"]["status"] == "PAID"
    assert (told["invoice"]["paid_fen"], told["invoice"]["due_fen"]) == (1000, 0)
    assert told["invoice"]["ledger"] == {"receivable_fen": 0, "refund_payable_fen": 0}
    (payment,) = told["invoice"]["payments"]
    assert (payment["channel"], payment["status"]) == ("wechat_pay", "SUCCEEDED")
    assert len(scripted.calls(Operation.CAPTURE)) == 1


def test_the_same_request_is_replayed_and_another_content_refused(ready: His) -> None:
    ready("POST", "invoices/I1/collect", body())
    drive(CollectRequest.objects.get().invoice_id)
    assert ready("POST", "invoices/I1/collect", body(wait_s=9))[1]["result"] == "paid"
    status, told = ready("POST", "invoices/I1/collect", body(method="cash"))
    assert (status, told["errors"][0]["field"]) == (409, "request_no")
    assert CollectRequest.objects.count() == 1


def test_a_return_goes_back_by_line_and_the_events_tell_the_story(ready: His) -> None:
    # given a paid bill
    ready("POST", "invoices/I1/collect", body())
    drive(CollectRequest.objects.get().invoice_id)
    line = {"charge_no": "C1", "quantity": "0.4", "amount_fen": 400}
    refund = {
        "refund_no": "F1",
        "lines": [line],
        "reason": "退药",
        "operator": OPERATOR,
        "approved_by": APPROVER,
    }
    # when a part is returned, and asked for again
    for _again in range(2):
        status, told = ready("POST", "invoices/I1/refunds", refund)
        assert (status, told["refund_no"], told["amount_fen"]) == (200, "F1", 400)
    changed = refund | {"lines": [line | {"amount_fen": 401}]}
    assert ready("POST", "invoices/I1/refunds", changed)[0] == 409
    for transaction in PaymentTransaction.objects.filter(kind="REFUND"):
        transaction_resume(transaction_id=transaction.pk)
    # then exactly that came back, and the events say so in order
    invoice = ready("GET", "invoices/I1")[1]
    assert (invoice["status"], invoice["paid_fen"]) == ("PARTLY_REFUNDED", 1000)
    assert (invoice["refunded_fen"], invoice["payments"][0]["refunded_fen"]) == (400, 400)
    assert invoice["ledger"] == {"receivable_fen": 0, "refund_payable_fen": 0}
    assert ready("POST", "invoices/I1/refunds", refund)[1]["status"] == "done"
    events_publish()
    page = ready("GET", "events?after=0&limit=2")[1]
    rest = ready("GET", f"events?after={page['next']}&limit=500")[1]
    events = page["events"] + rest["events"]
    assert [(one["seq"], one["type"]) for one in events] == [
        (1, "priced"),
        (2, "paid"),
        (3, "refund_accepted"),
        (4, "refunded"),
    ]
    assert {one["invoice_no"] for one in events} == {"I1"}
    last = ready("GET", f"events?after={rest['next']}")[1]
    assert last == {"events": [], "next": rest["next"]}


def test_a_collect_while_one_runs_returns_that_one(ready: His) -> None:
    ready("POST", "invoices/I1/collect", body())
    status, told = ready("POST", "invoices/I1/collect", body("R2"))
    assert (status, told["result"]) == (202, "processing")
    running, joined = CollectRequest.objects.order_by("pk")
    assert (running.request_no, joined.status, joined.joined) == ("R1", "JOINED", running)


def test_a_collect_in_another_way_while_one_runs_is_a_conflict(ready: His) -> None:
    ready("POST", "invoices/I1/collect", body())
    status, told = ready("POST", "invoices/I1/collect", body("R2", method="cash"))
    assert (status, told["type"]) == (409, "urn:portal:problem:collect_running")
    assert told["errors"] == [
        {"field": "method", "reason": "这张账单正在收费（自动），请等它有结果后再收。"}
    ]
    assert CollectRequest.objects.get().request_no == "R1"


def test_a_bill_being_collected_is_not_cancelled(ready: His) -> None:
    ready("POST", "invoices/I1/collect", body())
    assert ready("POST", "invoices/I1/cancel", {"operator": OPERATOR})[0] == 409
    assert ready("POST", "encounters/E1/cancel", {"operator": OPERATOR})[0] == 409


def test_when_too_many_wait_the_next_is_answered_at_once(
    ready: His, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
    assert waiting._places.acquire(blocking=False)
    started = time.monotonic()
    assert ready("POST", "invoices/I1/collect", body(wait_s=10))[0] == 202
    assert time.monotonic() - started < 5


def test_a_waiter_holds_no_connection_and_steps_grow(
    ready: His, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[float] = []
    held: list[bool] = []

    def sleep(seconds: float) -> None:
        steps.append(seconds)
        held.append(connection.connection is not None)
        if len(steps) == 8:
            CollectRequest.objects.update(status="DECLINED")

    monkeypatch.setattr(waiting.time, "sleep", sleep)
    ready("POST", "invoices/I1/collect", body(wait_s=10))
    assert steps[0] == waiting.FIRST_STEP_S
    assert steps == sorted(steps)
    assert max(steps) == waiting.LAST_STEP_S
    assert not any(held)
    assert waiting._places._value == waiting.WAITERS_MAX


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode()
