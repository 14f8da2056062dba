"""`visits`: from issued to paid with twenty visits at once, as the HIS sees it over the network.

A demo of its own (its own folder, servers and free ports) is driven through the public contract;
the deductions travel over the sandbox's real sockets. Nothing is gated: these are milliseconds of
this machine, and the memory of the web worker after the last round.
"""

from __future__ import annotations

import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from threading import Barrier
from typing import Any

from tests.bench.cluster import Cluster
from tests.bench.report import Case
from tests.bench.rounds import ROUNDS
from tests.fixtures.demo_process import Demo, demo_process

VISITS = 20
LINES = 10
PAID_WITHIN_S = 60
NOTE = f"{VISITS} visits at once over real sockets, {LINES} charges each; aim 3,000 ms, 180 MB"


def measure(_cluster: Cluster) -> list[Case]:
    with tempfile.TemporaryDirectory() as folder, demo_process(Path(folder)) as demo:
        payers = [
            one["mrn"]
            for one in demo.facts["patients"]
            if "wechat_pay" in one["agreements"] and not one.get("low_limit")
        ]
        _round(demo, payers)  # connections open, plans made
        rounds = [_round(demo, payers) for _ in range(ROUNDS)]
        rss_mb = round(max(_rss_mb(pid) for pid in demo.pids("granian")))
        demo.books_agree()
    p50 = median(median(times) for times in rounds)
    p95 = median(quantiles(times, n=20)[-1] for times in rounds)
    return [
        Case("visits.p95", p95, "ms", extra={"rss_mb": rss_mb}, note=NOTE),
        Case("visits.p50", p50, "ms", note=f"web worker {rss_mb} MB"),
    ]


def _round(demo: Demo, payers: list[str]) -> list[float]:
    """Milliseconds from the answer of issue to the news that the bill is paid, visit by visit."""
    together = Barrier(VISITS)
    chance = random.Random(VISITS)

    def visit(mrn: str) -> float:
        together.wait()
        bill = demo.bill(mrn, *(chance.randint(1, 3000) for _ in range(LINES)))
        issued = time.perf_counter()
        _paid(demo, bill.number, demo.collect(bill.number, wait_s=10))
        return (time.perf_counter() - issued) * 1000

    with ThreadPoolExecutor(VISITS) as pool:
        return list(pool.map(visit, (payers[n % len(payers)] for n in range(VISITS))))


def _paid(demo: Demo, number: str, answer: dict[str, Any]) -> None:
    deadline = time.monotonic() + PAID_WITHIN_S
    status = str(answer["invoice"]["status"])
    while status != "PAID" and time.monotonic() < deadline:
        time.sleep(0.1)
        status = demo.invoice(number)["status"]
    if status != "PAID":
        raise RuntimeError(f"bill {number} is {status} after {PAID_WITHIN_S} s")


def _rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kilobytes) / 1024
