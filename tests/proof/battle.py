"""A house under fire: bills collected and given back while its processes are killed."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import httpx

from billing.models import Invoice, InvoiceReturn, PaymentNotice, PaymentTransaction
from billing.services.invoice_drive import invoice_drive, invoices_drive_due
from billing.services.notices.applying import notice_apply, notices_due
from billing.services.sweeps import transaction_resume, transactions_due
from tests.factories.billing import invoice
from tests.factories.patients import TOKEN, encounter, patient
from tests.proof.deaths import KILLED, Web, ended, fork
from tests.proof.house import House

CLIENT = httpx.Client(timeout=20, trust_env=False)
OPERATOR, APPROVER = {"code": "C1", "name": "收费员"}, {"code": "C2", "name": "组长"}


class Battle:
    """One house, one web process, workers that come and die."""

    def __init__(self, house: House, web: Web, log: Path) -> None:
        self.house, self.web, self.log = house, web, log
        self.random = Random(20261120)
        self.kills: Counter[str] = Counter()
        self.patients = [patient() for _ in range(4)]
        for one in self.patients:
            house.agreement(one)

    def bill(self) -> Invoice:
        """A bill of one of a few payers, so that bills meet at an agreement's limit."""
        visit = encounter(of=self.random.choice(self.patients))
        return invoice(self.random.randint(100, 20_000), of=visit)

    def his(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a HIS does with a call that broke: the same call again, with the same number."""
        for _try in range(20):
            try:
                answer = CLIENT.post(
                    f"{self.web.url}/api/v1/{path}",
                    content=json.dumps(body).encode(),
                    headers={
                        "Authorization": f"Token {TOKEN}",
                        "Content-Type": "application/json",
                    },
                )
            except httpx.TransportError:
                self.mourn()
                continue
            assert answer.status_code in (200, 202), answer.text
            return dict(answer.json())
        raise AssertionError(f"{path} is never answered")

    def mourn(self) -> None:
        """Put a successor where the web process died."""
        deadline = time.monotonic() + 2
        while not self.web.revive() and time.monotonic() < deadline:
            time.sleep(0.005)

    def paid_bill(self) -> Invoice:
        """One that is paid and of which nothing was asked back."""
        bill = Invoice.objects.filter(status="PAID", returns=None).order_by("pk").first()
        if bill is None:
            bill = self.bill()
            self.collect(bill)
            self.settle()
        return bill

    def collect(self, bill: Invoice, **how: str) -> None:
        body = {"request_no": f"R{bill.pk}", "method": "auto", "operator": OPERATOR} | how
        self.his(f"invoices/{bill.invoice_no}/collect", body)

    def give_back(self, bill: Invoice) -> None:
        body = {
            "refund_no": f"F{bill.pk}",
            "lines": "all",
            "reason": "退费",
            "operator": OPERATOR,
            "approved_by": APPROVER,
        }
        self.his(f"invoices/{bill.invoice_no}/refunds", body)

    def worker(self, armed: str = "") -> int:
        return fork(work, self.log, armed=armed)

    def strike(self, point: str, *, passes: int = 1, beside: bool = False) -> None:
        """A worker that dies at the point, perhaps beside one that lives."""
        pids = [self.worker(f"{point}:{passes}")]
        if beside:
            pids.append(self.worker())
        codes = [ended(pid) for pid in pids]
        assert set(codes) <= {KILLED, 0}, self.log.read_text()
        if KILLED in codes:
            self.kills[point] += 1

    def notified(self, bill: Invoice) -> None:
        """Until the sandbox has delivered the notice of a bill's deduction."""
        waiting = PaymentNotice.objects.filter(
            number__in=PaymentTransaction.objects.filter(payment__invoice=bill).values("number")
        )
        deadline = time.monotonic() + 3
        while not waiting.exists() and time.monotonic() < deadline:
            if self.web.revive():
                self.kills["notice.stored"] += 1
            time.sleep(0.02)

    def settle(self) -> None:
        """Sweepers alone bring everything to its end."""
        for _round in range(60):
            codes = [ended(self.worker()), ended(self.worker())]
            assert codes == [0, 0], self.log.read_text()
            self.web.revive()
            if not self.open():
                return
            self.house.advance(61)
        raise AssertionError(f"still open: {self.open()}")

    def open(self) -> list[str]:
        rows = PaymentTransaction.objects.filter(status__in=PaymentTransaction.IN_FLIGHT)
        bills = Invoice.objects.filter(status__in=["COLLECTING", "PROCESSING"])
        returns = InvoiceReturn.objects.exclude(status="DONE")
        return [str(row) for query in (rows, bills, returns) for row in query]


def work() -> None:
    """A worker: what hints would tell it, then what the sweepers find."""
    for pk in Invoice.objects.filter(status="COLLECTING").values_list("pk", flat=True):
        invoice_drive(invoice_id=pk)
    for pk in PaymentNotice.objects.filter(applied_at=None).values_list("pk", flat=True):
        notice_apply(notice_id=pk)
    for _round in range(3):
        for pk in transactions_due(limit=200):
            transaction_resume(transaction_id=pk)
        for pk in notices_due(limit=200):
            notice_apply(notice_id=pk)
        for pk in invoices_drive_due(limit=200):
            invoice_drive(invoice_id=pk)
