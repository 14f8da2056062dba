"""Whoever works at an insured bill dies by `kill -9` at any named point, in the hall or by phone.

Each journey runs in a forked process that dies at its n-th point, whatever the name; then people do
what people do, and the sweepers bring it to its end. Full size walks every point of every journey.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from billing.models import Invoice
from config.books import books_compare
from core import failpoints
from tests.billing.insured.phone import Phone
from tests.conftest import PINNED_NOW, ProofReport, ProofScale
from tests.fixtures.sandbox_process import Sandbox
from tests.proof.books import transaction_faults
from tests.proof.deaths import KILLED, ended, fork
from tests.proof.house import shared_clock
from tests.proof.insured import Hospital, faults_of, hospital_open, ledger_faults, sweep
from tests.proof.insured_journeys import JOURNEYS, Journey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof("CLAIMKILLS")]

# No journey passes more points than this.
POINTS = 96
FULL_EACH = 13  # deaths of each journey from which on it is walked point by point
# The fewest points at which anything dies below full size, and at full size.
LEAST_POINTS, FULL_POINTS = 6, 60
PATIENCE_S = 300
WAITS = 3  # how often people come back before somebody would complain


@dataclass
class Field:
    """The hospital, and who died where."""

    house: Hospital
    folder: Path
    kills: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def strike(self, journey: Journey, nth: int) -> bool:
        """One bill whose worker dies at its n-th point; whether it did."""
        before = self._books(self.house)
        phone = journey.who(self.house)
        bill = journey.begin(phone)
        where = self._killed(lambda: journey.work(phone, bill), nth)
        if where:
            self.kills[journey.name] += 1
            self.points[where] += 1
        faults_forget(phone.ward.sandbox)
        self._end(journey, phone, bill)
        after = self._books(self.house)
        moved = {name: after[name] - before[name] for name in after}
        found = self._judge(journey, bill, moved, after)
        self.wrong += [f"{journey.name}, killed at {nth} {where}: {one}" for one in found]
        return bool(where)

    def _end(self, journey: Journey, phone: Phone, bill: Invoice) -> None:
        for _time in range(WAITS):
            sweep(self.house)
            bill.refresh_from_db()
            if bill.status == journey.ends:
                return
            journey.after(phone, bill)

    def _judge(
        self, journey: Journey, bill: Invoice, moved: dict[str, int], books: dict[str, int]
    ) -> list[str]:
        at_window = bill.collects.filter(method="cash", status="PAID").exists()
        found = faults_of(bill, moved, cash_at_window=at_window)
        found += ledger_faults(self.house, books)
        if bill.status != journey.ends:
            found.append(f"ends {bill.status}, not {journey.ends}")
        return found

    def _killed(self, work: Callable[[], object], nth: int) -> str:
        """The name of the point at which a process died that did the work; empty if it lived."""
        last, log = self.folder / "point", self.folder / "processes.log"
        last.write_text("")

        def job() -> None:
            failpoints._pass = deadly(nth, last)
            failpoints._active = True
            work()

        code = ended(fork(job, log), PATIENCE_S)
        assert code in (0, KILLED), log.read_text()
        return last.read_text()

    @staticmethod
    def _books(house: Hospital) -> dict[str, int]:
        insurer = house.sandbox.book("nhsa", house.sandbox.nhsa["fixmedins_code"])
        channel = house.sandbox.book()
        return {
            "fund": insurer["fund"]["fen"],
            "own_account": insurer["own_account"]["fen"],
            "mutual_aid": insurer["mutual_aid"]["fen"],
            "captured": channel["captured"]["fen"] - channel["reversed"]["fen"],
            "refunded": channel["refunded"]["fen"],
        }


def deadly(nth: int, last: Path) -> Callable[[str], None]:
    """Passes points until the n-th, whose name it leaves behind."""
    count = itertools.count(1)

    def pass_or_die(name: str) -> None:
        if next(count) == nth:
            last.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    return pass_or_die


def faults_forget(sandbox: Sandbox) -> None:
    """What the dead did not meet is not left for the next journey."""
    for fault in sandbox.control("GET", "faults"):
        sandbox.control("DELETE", f"faults/{fault['id']}")


@pytest.fixture
def battlefield(
    sandbox: Sandbox, settings: Any, tmp_path: Path, transactional_db: None
) -> Iterator[Field]:
    settings.SANDBOX_URL = sandbox.url
    with shared_clock(PINNED_NOW) as shared:
        yield Field(hospital_open(sandbox, shared), tmp_path)


def walk(field: Field, wanted: int) -> None:
    """As many deaths as are wanted, over all journeys alike; at full size at every point."""
    each = max(1, wanted // len(JOURNEYS))
    stride = max(1, FULL_EACH // each)
    most = each if stride > 1 else POINTS
    for place, journey in enumerate(JOURNEYS):
        nth = 1 + place * 5 % stride
        while field.kills[journey.name] < most:
            if field.strike(journey, nth):
                nth += stride
            elif field.kills[journey.name]:
                break
            else:
                nth = max(1, nth // 2)


def test_killed_anywhere_patient_fund_and_ledger_come_out_right(
    battlefield: Field, proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    wanted = proof_scale(220, least=len(JOURNEYS))
    walk(battlefield, wanted)
    comparison = books_compare()
    total, points = sum(battlefield.kills.values()), len(battlefield.points)
    least, least_points = (200, FULL_POINTS) if wanted >= 200 else (wanted // 2, LEAST_POINTS)
    proof_report("CLAIMKILLS.kills", total, least, total >= least)
    proof_report("CLAIMKILLS.points", points, least_points, points >= least_points)
    journeys = len(battlefield.kills)
    proof_report("CLAIMKILLS.journeys", journeys, len(JOURNEYS), journeys == len(JOURNEYS))
    proof_report("CLAIMKILLS.wrong", len(battlefield.wrong), 0, not battlefield.wrong)
    difference = sum(abs(one.ours - one.theirs) for one in comparison.differences)
    proof_report("CLAIMKILLS.books_difference_fen", difference, 0, not comparison.differences)
    assert battlefield.wrong == []
    assert (comparison.differences, comparison.open) == ([], [])
    assert transaction_faults() == []
    assert (total >= least, points >= least_points) == (True, True)
