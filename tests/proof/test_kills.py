"""Web and worker processes die by `kill -9` at every step of collect and refund.

The channel is the real adapter against the real sandbox process. Whoever comes after a death has
only the rows: all hints of the dead are lost. In the end both ledgers agree to the fen.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from billing.models import BillingReview, Invoice, InvoiceReturn, PaymentTransaction
from billing.services.review_decisions import refund_review_hand_out
from config.books import books_compare
from tests.billing.services.bills import REVIEWER
from tests.conftest import PINNED_NOW, ROOT, ProofReport, ProofScale
from tests.fixtures.sandbox_process import Sandbox
from tests.proof.battle import Battle
from tests.proof.books import faults
from tests.proof.deaths import KILLED, Web, ended, fork
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
SCAN = ("capture.before_close", "capture.reverse_begun", "capture.before_reverse_again")
RESEND = ("refund.before_resend",)
HAND_OUT = ("hand_out.written", "hand_out.committed")
LEASE_S, LOOK_S, PASSWORD_S = 16, 4, 46


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
    bill = battle.paid_bill()
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


def strike_scan(battle: Battle, point: str) -> None:
    """A code whose payer never types the password is taken back, and a process dies on the way."""
    bill = battle.bill()
    code = battle.house.sandbox.act("payer", "show_code", battle.house.wallet(free_fen=0))
    battle.collect(bill, method="scan", auth_code=code["auth_code"])
    assert ended(battle.worker()) == 0, battle.log.read_text()
    battle.house.advance(PASSWORD_S)
    if point == "capture.before_reverse_again":
        battle.strike("capture.reverse_begun")
        battle.house.advance(LEASE_S)
    battle.strike(point)
    battle.house.advance(LEASE_S)


def strike_resend(battle: Battle, point: str) -> None:
    """A refund whose send was lost is sent again, and the process dies before it."""
    battle.settle()  # the fault is for this refund alone
    bill = battle.paid_bill()
    battle.house.sandbox.fault("refund", "drop_before", times=1)
    battle.give_back(bill)
    assert ended(battle.worker()) == 0, battle.log.read_text()
    battle.house.advance(LOOK_S)
    battle.strike(point)
    battle.house.advance(LEASE_S)


def strike_hand_out(battle: Battle, point: str) -> None:
    """A refund that the channel refuses is handed out, and the process of the desk dies; whoever
    decided looks again, and decides again where the case is still open."""
    battle.settle()  # the fault is for this refund alone
    bill = battle.paid_bill()
    battle.house.sandbox.fault("refund", "decline", times=1)
    battle.give_back(bill)
    for _look in range(3):
        assert ended(battle.worker()) == 0, battle.log.read_text()
        battle.house.advance(LOOK_S)
    case = BillingReview.objects.get(reason_code="refund_declined", invoice=bill)
    desk = fork(partial(hand_out, case.pk), battle.log, armed=f"{point}:1")
    assert ended(desk) == KILLED, battle.log.read_text()
    battle.kills[point] += 1
    case.refresh_from_db()
    assert (case.status == "OPEN") == (point == "hand_out.written")
    if case.status == "OPEN":
        hand_out(case.pk)


def hand_out(case_id: int) -> None:
    refund_review_hand_out(review_id=case_id, by=REVIEWER, comment="患者已签字")


STRIKES: dict[str, Callable[[Battle, str], None]] = {
    **dict.fromkeys(SCAN, strike_scan),
    **dict.fromkeys(RESEND, strike_resend),
    **dict.fromkeys(HAND_OUT, strike_hand_out),
}


def points() -> list[tuple[Callable[[Battle, str], None], str]]:
    return [
        *((strike_collect, point) for point in WEB_COLLECT + COLLECT),
        *((strike_refund, point) for point in WEB_RETURN + REFUND),
        *((strike, point) for point, strike in STRIKES.items()),
    ]


def test_every_named_point_is_in_the_house() -> None:
    named = {point for _kind, point in points()}
    source = "".join(path.read_text() for path in (ROOT / "billing").rglob("*.py"))
    assert not [point for point in named if f'failpoint("{point}")' not in source]
    assert len(named) >= 22


def test_killed_at_any_point_nothing_is_lost_or_doubled(
    battle: Battle, proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    wanted = proof_scale(240, least=26)
    everything = {point for _kind, point in points()}
    for strike, point in itertools.islice(itertools.cycle(points()), 3 * wanted):
        strike(battle, point)
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
        refunds += numbers.filter(
            kind="REFUND", payment__channel="cash", status="SUCCEEDED"
        ).count()
        returned = InvoiceReturn.objects.filter(invoice=bill, status="DONE").count()
        if captures > 1 or refunds > 1:
            doubled.append(f"{bill} taken {captures} times, given back {refunds} times")
        right = {"PAID": (1, 0, 0), "REFUNDED": (1, 1, 1), "ISSUED": (0, 0, 0)}
        if (captures, refunds, returned) != right.get(bill.status):
            lost.append(f"{bill} is {bill.status}: {captures} {refunds} {returned}")
    return doubled, lost
