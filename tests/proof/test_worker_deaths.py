"""T8: real workers and a real broker die in the middle of the work; the rows bring it to its end.

Works are what leaves the house after a commit: drives, events to the HIS, messages to people.
Effects are counted where they arrive, by their own numbers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection, transaction
from kombu import Connection

from billing.models import HisEvent, Invoice, PaymentTransaction
from config.celery import app
from config.demo.processes import worker_command
from config.schedule import JOBS
from core.embedded.addresses import database_url
from core.embedded.valkey import ValkeyServer
from patients.models import Notification
from patients.services.notifications import Message, notifications_queue
from tests.conftest import ROOT, ProofReport, ProofScale
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter, his_client
from tests.proof.books import faults
from tests.sandbox.wechat_client import Inbox, Received, inbox_start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof("T8")]

RECOVERY_S = 60
WORKS_PER_BILL = 4  # the drive, two events, one message
DAILY = {job.key for job in JOBS if job.at is not None}


@pytest.fixture(autouse=True)
def still_clock() -> None:
    """Processes of their own run by the machine's clock, and so does this test."""


def slow(_one: Received) -> tuple[int, bytes]:
    """An outside world that takes its time, so that deaths fall into the middle of a call."""
    time.sleep(0.03)
    return 200, b'{"code": "OK"}'


@pytest.fixture
def world() -> Iterator[Inbox]:
    """The HIS's event address and the SMS gateway."""
    box, server = inbox_start()
    box.answer = slow
    yield box
    server.shutdown()
    server.server_close()


class Crew:
    """A broker, workers and a beat, each of which can be killed."""

    def __init__(self, folder: Path, world: Inbox) -> None:
        self.folder = folder
        self.valkey = ValkeyServer(folder / "valkey")
        self.valkey.start()
        self.broker = f"redis+socket://{self.valkey.socket}"
        parts = urlsplit(database_url())
        self.environ = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PORTAL_ENV": "test",
            "DATABASE_URL": urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}")),
            "CELERY_BROKER_URL": self.broker,
            "SMS_URL": world.url,
            "WECHAT_MESSAGES_URL": "",
        }
        self.worker: subprocess.Popen[bytes] | None = None
        self.pool = ""
        self.hands = threading.RLock()
        self.stopped = threading.Event()
        self.beat = threading.Thread(target=self._beat, daemon=True)
        self.beat.start()

    def start(self, pool: str) -> None:
        with self.hands:
            self.pool = pool
            self._launch()

    def supervise(self) -> None:
        """A worker that ended because its broker died is started again, as any supervisor does."""
        with self.hands:
            if self.worker is not None and self.worker.poll() is not None:
                self._launch()

    def _launch(self) -> None:
        pool = self.pool
        command = list(worker_command())
        command[command.index("--pool") + 1] = pool
        command[command.index("--concurrency") + 1] = "2" if pool == "prefork" else "6"
        with (self.folder / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill_worker(self) -> None:
        """The whole group at once, as a power cut does."""
        with self.hands:
            assert self.worker is not None
            with suppress(ProcessLookupError):
                os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()
            self.worker = None

    def kill_child(self) -> bool:
        """One process of the pool; the worker lives on."""
        assert self.worker is not None
        pid = self.worker.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            os.kill(int(children[-1]), signal.SIGKILL)
        return bool(children)

    def kill_broker(self) -> None:
        """It keeps nothing: whatever was queued is gone."""
        with self.valkey._client() as client:
            pid = client.info("server")["process_id"]
        os.kill(int(pid), signal.SIGKILL)
        while self.valkey.running():
            time.sleep(0.02)
        self.valkey._launch()

    def send(self, name: str, *args: Any) -> None:
        """A hint; where the broker is away it is lost."""
        with suppress(Exception), Connection(self.broker) as link:
            app.send_task(name, args, connection=link, retry=False, expires=5)

    def _beat(self) -> None:
        while not self.stopped.wait(1.0):
            self.supervise()
            for job in JOBS:
                if job.key not in DAILY:
                    self.send("config.tasks.run_job", job.key)

    def stop(self) -> None:
        self.stopped.set()
        self.beat.join(10)
        if self.worker is not None and self.worker.poll() is None:
            self.kill_worker()
        self.valkey.stop()


@pytest.fixture
def crew(transactional_db: None, tmp_path: Path, world: Inbox) -> Iterator[Crew]:
    one = Crew(tmp_path, world)
    yield one
    one.stop()


def works(count: int, world: Inbox) -> list[int]:
    """Bills to be taken in cash, with an event to the HIS and a message to the patient each."""
    his_client(events_url=f"{world.url}/events", events_secret="s")
    visit = encounter()
    bills = []
    for place in range(count):
        bill = invoice(100 + place, of=visit)
        payments.collect(bill, "cash")
        with transaction.atomic():
            facts = {"hospital": "主院区", "amount_fen": 100, "number": str(place)}
            message = Message(f"bill/{bill.pk}", "pay_link", None, facts)
            notifications_queue(messages=[message], patient_id=visit.patient_id)
        bills.append(bill.pk)
    return bills


def undone() -> int:
    """Works that have not reached their end."""
    return (
        Invoice.objects.exclude(status="PAID").count()
        + HisEvent.objects.filter(delivered_at=None).count()
        + Notification.objects.exclude(status="SENT").count()
    )


def wait_until(enough: int, patience_s: float) -> float:
    """Seconds until no more than so many works are undone."""
    start = time.monotonic()
    while undone() > enough and time.monotonic() - start < patience_s:
        time.sleep(0.1)
    return time.monotonic() - start


def test_work_survives_the_death_of_workers_and_broker(
    crew: Crew, world: Inbox, proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    count = proof_scale(1_000, least=48) // WORKS_PER_BILL
    total = count * WORKS_PER_BILL
    bills = works(count, world)
    for pk in bills[::2]:
        crew.send("billing.tasks.invoice_drive_task", pk)

    crew.start("threads")
    wait_until(total * 3 // 4, RECOVERY_S)
    crew.kill_worker()
    crew.start("prefork")
    wait_until(total // 2, RECOVERY_S)
    child_died = crew.kill_child()
    wait_until(total // 4, RECOVERY_S)
    crew.kill_broker()
    recovery_s = wait_until(0, 2 * RECOVERY_S)

    lost = undone()
    proof_report("T8.lost", lost, 0, lost == 0)
    assert lost == 0, (crew.folder / "worker.log").read_text()[-3000:]
    assert child_died
    got = [json.loads(one.body) for one in world.got]
    told = Counter(one["event_id"] for one in got if "event_id" in one)
    sent = Counter(one["out_id"] for one in got if "out_id" in one)
    captured = PaymentTransaction.objects.filter(kind="CAPTURE", status="SUCCEEDED").count()
    done = captured + len(told) + len(sent)
    proof_report("T8.works", done, total, done == total)
    proof_report(
        "T8.recovery_s", round(recovery_s, 1), f"<= {RECOVERY_S}", recovery_s <= RECOVERY_S
    )
    repeats = sum(told.values()) - len(told) + sum(sent.values()) - len(sent)
    proof_report("T8.repeated_under_the_same_number", repeats, "<= 30", repeats <= 30)
    assert recovery_s <= RECOVERY_S
    assert captured == count
    assert set(told) == set(HisEvent.objects.values_list("event_id", flat=True))
    assert len(told) == 2 * count
    assert len(sent) == count
    # only what was in a dying hand is said again, and under its own number
    assert repeats <= 30
    assert faults() == []
