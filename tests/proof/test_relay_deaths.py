"""T9: what was committed is told, although broker, relay or task died in between."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from kombu import pools

from billing.channels.base import Operation
from billing.models import HisEvent, Invoice
from billing.services.collecting.collects import collect_start
from billing.tasks import invoice_drive_task, sweep_events, sweep_invoices
from config.celery import app
from core import clock
from core.dispatch import enqueue
from tests import scripted
from tests.conftest import PINNED_NOW, ProofReport, ProofScale
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import TOKEN, his_client
from tests.proof.deaths import KILLED, ended, fork
from tests.proof.house import SharedClock, shared_clock
from tests.sandbox.wechat_client import Inbox, inbox_start

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.proof("T9"),
    pytest.mark.usefixtures("scripted_channel"),
]

POINTS = ("relay.numbered", "relay.sent")


@pytest.fixture
def shared() -> Iterator[SharedClock]:
    with shared_clock(PINNED_NOW) as one:
        yield one


@pytest.fixture
def his_inbox() -> Iterator[Inbox]:
    box, server = inbox_start()
    yield box
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_broker() -> Iterator[None]:
    """The broker's address leads nowhere, as while it restarts."""
    known = app.conf.broker_url

    def point_to(url: str) -> None:
        app.conf.broker_url = app.conf.broker_write_url = url
        pools.reset()
        app._pool = None
        app.amqp._producer_pool = None

    point_to("redis+socket:///nowhere/valkey.sock")
    yield
    point_to(known)


def test_broker_away_at_commit_costs_a_sweep(
    no_broker: None, still_clock: clock.FrozenClock, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = invoice(8_640)
    payments.agreement(bill.patient)
    body = {"request_no": "R1", "method": "auto", "operator": {"code": "C1", "name": "收费员"}}
    answer = client.post(
        f"/api/v1/invoices/{bill.invoice_no}/collect",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Token {TOKEN}"},
    )
    assert (answer.status_code, answer.json()["result"]) == (202, "processing")
    assert enqueue(invoice_drive_task, bill.pk) is False
    # the broker is back: beat's next sweep finds the bill
    still_clock.advance(timedelta(seconds=5))
    hinted: list[int] = []
    monkeypatch.setattr("billing.tasks.enqueue", lambda _task, pk: hinted.append(pk))
    assert sweep_invoices() == 1
    assert hinted == [bill.pk]


def test_nothing_is_sent_from_inside_a_transaction() -> None:
    """A task sent before the commit would run although the rows are rolled back."""
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue(invoice_drive_task, 1)


def test_rolled_back_collect_leaves_no_task_and_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    bill = invoice(8_640)
    payments.agreement(bill.patient)
    sent: list[Any] = []
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *a, **k: sent.append(a))

    class Broken(Exception):
        pass

    with pytest.raises(Broken), transaction.atomic():
        collect_start(
            client=bill.client,
            invoice_no=bill.invoice_no,
            request_no="R1",
            method="auto",
            auth_code="",
            operator=payments.OPERATOR,
            input_hash="",
        )
        raise Broken
    invoice_drive_task.run(bill.pk)
    bill.refresh_from_db()
    assert (bill.status, bill.collects.count()) == ("ISSUED", 0)
    assert scripted.calls(Operation.CAPTURE) == []


def test_relay_killed_between_number_and_push_tells_everything(
    shared: SharedClock,
    his_inbox: Inbox,
    tmp_path: Path,
    proof_scale: ProofScale,
    proof_report: ProofReport,
) -> None:
    log = tmp_path / "relay.log"
    his_client(events_url=his_inbox.url + "/events", events_secret="s")
    bills = [invoice(100 + n) for n in range(proof_scale(200, least=6))]
    died = 0
    for place, _bill in enumerate(bills):
        pid = fork(
            lambda: sweep_events() and None, log, armed=f"{POINTS[place % 2]}:{1 + place % 3}"
        )
        code = ended(pid)
        assert code in (0, KILLED), log.read_text()
        died += code == KILLED
        shared.at += timedelta(seconds=16)
    for _sweep in range(3):
        assert ended(fork(lambda: sweep_events() and None, log)) == 0, log.read_text()
        shared.at += timedelta(seconds=16)

    told = Counter(json.loads(one.body)["event_id"] for one in his_inbox.got)
    ids = set(HisEvent.objects.values_list("event_id", flat=True))
    waiting = HisEvent.objects.filter(delivered_at=None).count()
    proof_report("T9.relay_killed", died, ">= 1", died >= 1)
    proof_report("T9.events_lost", len(ids - set(told)) + waiting, 0, set(told) == ids)
    assert died >= 2
    assert set(told) == ids
    assert waiting == 0
    assert len(ids) == Invoice.objects.count()
    # a push whose answer was lost is repeated under its own number, by which the HIS knows it
    assert sum(told.values()) - len(told) <= died
