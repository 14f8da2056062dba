"""Web and worker processes die by `kill -9` at every step of collect and refund.

The channel is the real adapter against the real sandbox process. Whoever comes after a death has
only the rows: all hints of the dead are lost. In the end both ledgers agree to the fen.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billing.models import Invoice, InvoiceReturn, PaymentTransaction
from config.books import books_compare
from tests.conftest import PINNED_NOW, ROOT, ProofReport, ProofScale
from tests.fixtures.sandbox_process import Sandbox
from tests.proof.battle import Battle
from tests.proof.books import faults
from tests.proof.deaths import Web, ended
from tests.proof.house import house_open, shared_clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof("KILLS")]

WEB_COLLECT = ("collect.written", "collect.committed", "notice.stored")
WEB_RETURN = ("return.written", "return.committed")
COLLECT = (
    "drive.tender_written",
    "drive.tender_committed",
    "capture.before_send",
    "capture.after_send",
    "apply.locked",
    "apply.posted",
    "apply.written",
    "apply.committed",
    "notice.before_applied",
)
REFUND = (
    "refund.before_send",
    "refund.after_send",
    "refund.posted",
    "apply.locked",
    "apply.written",
    "apply.committed",
)
LEASE_S, LOOK_S = 16, 4


@pytest.fixture
def battle(
    sandbox: Sandbox, settings: Any, tmp_path: Path, transactional_db: None
) -> Iterator[Battle]:
    log = tmp_path / "processes.log"
    web = Web(log, range(8400, 8450))
    settings.PORTAL_URL, settings.SANDBOX_URL = web.url, sandbox.url
    settings.ALLOWED_HOSTS = ["*"]
    with shared_clock(PINNED_NOW) as shared:
        house = house_open(sandbox, shared)
        web.start()
        try:
            yield Battle(house, web, log)
        finally:
            web.close()


def strike_collect(battle: Battle, point: str) -> None:
    """A bill is collected, and a process dies on the way."""
    bill = battle.bill()
    web = point in WEB_COLLECT
    if web:
        battle.web.stop()
        battle.web.start(f"{point}:1")
    before = battle.web.deaths
    battle.collect(bill)
    if point in ("notice.before_applied", "notice.stored"):
        assert ended(battle.worker()) == 0, battle.log.read_text()
        battle.notified(bill)
    if web:
        battle.web.revive()
        battle.kills[point] += battle.web.deaths - before
        return
    if point == "apply.posted":
        # A deduction is posted by its notice or by a query, never by the reply.
        assert ended(battle.worker()) == 0, battle.log.read_text()
        battle.house.advance(LOOK_S)
    twice = point in ("apply.locked", "apply.written", "apply.committed")
    passes = battle.random.choice((1, 2)) if twice else 1
    battle.strike(point, passes=passes, beside=bool(bill.pk % 2))
    battle.house.advance(battle.random.choice((LOOK_S, LEASE_S)))


def strike_refund(battle: Battle, point: str) -> None:
    """A paid bill is given back, and a process dies on the way."""
    bill = Invoice.objects.filter(status="PAID", returns=None).order_by("pk").first()
    if bill is None:
        bill = battle.bill()
        battle.collect(bill)
        battle.settle()
    before = battle.web.deaths
    if point in WEB_RETURN:
        battle.web.stop()
        battle.web.start(f"{point}:1")
    battle.give_back(bill)
    if point in WEB_RETURN:
        battle.web.revive()
        battle.kills[point] += battle.web.deaths - before
        return
    if point == "refund.posted":
        assert ended(battle.worker()) == 0, battle.log.read_text()
        battle.house.advance(LOOK_S)
    battle.strike(f"{point}", beside=bool(bill.pk % 2))
    battle.house.advance(battle.random.choice((LOOK_S, LEASE_S)))


def points() -> list[tuple[str, str]]:
    return [("collect", p) for p in WEB_COLLECT + COLLECT] + [
        ("refund", p) for p in WEB_RETURN + REFUND
    ]


def test_every_named_point_is_in_the_house() -> None:
    named = {point for _kind, point in points()}
    source = "".join(path.read_text() for path in (ROOT / "billing").rglob("*.py"))
    assert not [point for point in named if f'failpoint("{point}")' not in source]
    assert len(named) >= 16


def test_killed_at_any_point_nothing_is_lost_or_doubled(
    battle: Battle, proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    wanted = proof_scale(240, least=20)
    everything = {point for _kind, point in points()}
    for kind, point in itertools.islice(itertools.cycle(points()), 3 * wanted):
        if kind == "collect":
            strike_collect(battle, point)
        else:
            strike_refund(battle, point)
        if sum(battle.kills.values()) >= wanted and set(battle.kills) == everything:
            break
    battle.settle()

    doubled, lost = judge(battle)
    comparison = books_compare()
    difference = sum(abs(one.ours - one.theirs) for one in comparison.differences)
    total = sum(battle.kills.values())
    proof_report("KILLS.kills", total, min(wanted, 200), total >= min(wanted, 200))
    struck = len(battle.kills)
    proof_report("KILLS.points", struck, len(everything), struck == len(everything))
    proof_report("KILLS.doubled", len(doubled), 0, not doubled)
    proof_report("KILLS.lost", len(lost), 0, not lost)
    proof_report("KILLS.ledger_difference_fen", difference, 0, not comparison.differences)
    assert (doubled, lost) == ([], [])
    assert (comparison.differences, comparison.open) == ([], [])
    assert faults() == []
    assert set(battle.kills) == everything


def judge(battle: Battle) -> tuple[list[str], list[str]]:
    """By the sandbox's own rows: bills taken twice or given back twice, and bills forgotten."""
    theirs = battle.house.rows()
    taken = Counter(
        row["number"]
        for row in theirs
        if row["kind"] != "refund" and row["status"] in ("SUCCESS", "REFUND")
    )
    back = Counter(row["number"] for row in theirs if row["status"] == "SUCCESS" and row["parent"])
    doubled, lost = [], []
    for bill in Invoice.objects.all():
        numbers = PaymentTransaction.objects.filter(payment__invoice=bill)
        captures = sum(taken[row.number] for row in numbers if row.kind == "CAPTURE")
        refunds = sum(back[row.number] for row in numbers if row.kind == "REFUND")
        returned = InvoiceReturn.objects.filter(invoice=bill, status="DONE").count()
        if captures > 1 or refunds > 1:
            doubled.append(f"{bill} taken {captures} times, given back {refunds} times")
        right = {"PAID": (1, 0, 0), "REFUNDED": (1, 1, 1), "ISSUED": (0, 0, 0)}
        if (captures, refunds, returned) != right.get(bill.status):
            lost.append(f"{bill} is {bill.status}: {captures} {refunds} {returned}")
    return doubled, lost
