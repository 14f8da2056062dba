"""Random days of claims: whatever is lost on the way, our claims and the insurer's books agree, and
a return leaves what a visit without the item would have cost."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum

from core.outcomes import Outcome
from insurance.gateway.claim_values import ChargeLine, Split
from insurance.models import Claim, ClaimLine, ClaimStatus, InsuranceReview
from insurance.services.claims import (
    PricedState,
    claim_price,
    claim_release,
    claim_resume,
    claim_reverse,
    claim_settle,
)
from tests.conftest import ProofScale
from tests.contracts.nhsa_claims import (
    CLERK,
    DIAGNOSES,
    House,
    again,
    charge,
    house_open,
)
from tests.contracts.nhsa_house import DRUG, EXCLUDED, SERVICE
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.proof("claims")]
OPERATIONS = ["query", "register", "upload", "presettle", "settle", "settle_reverse", "reverse"]
FAULTS = [
    "drop_before", "drop_after", "http_500_before", "http_500_after", "system_error_before",
    "system_error_after", "decline", "refuse_connection",
]  # fmt: skip
IN_DOUBT_TRIES = 8


def cart(draw: random.Random, prefix: str) -> list[ChargeLine]:
    """Some items, some of them over their price limit."""
    rows = []
    for place in range(draw.randint(1, 5)):
        code = draw.choice((SERVICE, DRUG, EXCLUDED))
        price = draw.choice(("4.52", "10", "12.3", "88.88"))
        fen = int(Decimal(price) * 100) * draw.randint(1, 9)
        rows.append(charge(f"{prefix}-{place}", code, fen, price))
    return rows


@dataclass
class Day:
    """A desk where anything may get lost."""

    house: House
    draw: random.Random

    def trouble(self) -> None:
        """Sometimes the next call of some kind goes wrong."""
        if self.draw.random() < 0.6:
            self.house.fault(self.draw.choice(OPERATIONS), self.draw.choice(FAULTS))

    def calm(self) -> None:
        self.house.sandbox.control("DELETE", "faults")

    def ended(self, claim: Claim) -> Claim:
        """After the sweeper came by, which may find the insurer silent as well."""
        for _try in range(IN_DOUBT_TRIES):
            if again(claim).status not in Claim.IN_DOUBT and not again(claim).releasing:
                break
            claim_resume(claim_id=claim.pk)
            self.calm()
        return again(claim)

    def bill(self) -> Claim:
        claim = self.house.open(lines=cart(self.draw, f"b{self.house.bills}"))
        for _try in range(4):
            self.trouble()
            if again(claim).status in ("OPEN", "PRICED"):
                claim_price(claim_id=claim.pk)
            if again(claim).status == ClaimStatus.PRICED:
                claim_settle(claim_id=claim.pk)
            self.ended(claim)
        self.calm()
        return again(claim)

    def give_up(self, claim: Claim) -> None:
        self.trouble()
        if again(claim).status in ("OPEN", "PRICED"):
            claim_release(claim_id=claim.pk, by=CLERK)
        self.ended(claim)

    def give_back(self, claim: Claim) -> None:
        for _try in range(4):
            self.trouble()
            if again(claim).status == ClaimStatus.SETTLED:
                claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
            self.ended(claim)
        self.calm()


def test_a_random_day_ends_with_equal_books(sandbox: Sandbox, proof_scale: ProofScale) -> None:
    seed = int(os.environ.get("SEED", "20261120"))
    day = Day(house_open(sandbox, balance_fen=50_000, used_fen=30_000), random.Random(seed))
    for _bill in range(proof_scale(200, least=6)):
        claim = day.bill()
        if claim.status != ClaimStatus.SETTLED:
            day.give_up(claim)
        elif day.draw.random() < 0.4:
            day.give_back(claim)
    day.calm()
    for claim in Claim.objects.filter(due_at__isnull=False):
        day.ended(claim)
    standing = Claim.objects.filter(status=ClaimStatus.SETTLED)
    sums = standing.aggregate(fund=Sum("settled_fund_fen"), own=Sum("settled_own_account_fen"))
    book = day.house.book()
    assert (sums["fund"] or 0, sums["own"] or 0) == (book["fund"], book["own_account"]), seed
    assert not Claim.objects.filter(status__in=Claim.IN_DOUBT).exists()
    assert not InsuranceReview.objects.filter(status="OPEN").exists()
    for claim in standing:
        lines = ClaimLine.objects.filter(claim=claim)
        assert claim.settled is not None
        for name, fen in claim.settled["scope"].items():
            assert sum(lines.values_list(name, flat=True)) == fen


def twin(house: House, serial: int, **told: int) -> House:
    """Another person with the same entitlements and the same year behind them."""
    born = date(1980, 1, 1)
    number = patients.id_number(serial, born, "330300")
    shown = house.sandbox.act(
        "nhsa", "enrol_person", number, name="双胞", sex="female", birth_date="1980-01-01",
        balance_fen=told["balance_fen"],
    )  # fmt: skip
    psn_no = str(shown["baseinfo"]["psn_no"])
    house.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=told["used_fen"])
    encounter = patients.encounter(
        of=patients.patient(number=number, name="双胞", birth_date=born),
        campus=house.encounter.campus, self_pay=False, diagnoses=DIAGNOSES,
        doctor_national_code="D330300000001",
    )  # fmt: skip
    made = House(house.sandbox, psn_no, encounter, bills=1_000 * serial)
    made.show_code()
    return made


def settled(house: House, lines: list[ChargeLine]) -> tuple[Claim, Split]:
    claim = house.open(lines=lines)
    assert claim_price(claim_id=claim.pk).state is PricedState.PRICED
    done = claim_settle(claim_id=claim.pk)
    assert done.outcome is Outcome.SUCCEEDED and done.split is not None
    return claim, done.split


def test_what_is_left_after_a_return_costs_what_it_would_have_cost_alone(
    sandbox: Sandbox, proof_scale: ProofScale
) -> None:
    draw = random.Random(4)
    desk = house_open(sandbox)
    for serial in range(1, proof_scale(100, least=4) + 1):
        told = {"balance_fen": draw.randint(0, 20_000), "used_fen": draw.randint(0, 60_000)}
        bought, alone = twin(desk, 2 * serial, **told), twin(desk, 2 * serial + 1, **told)
        lines = [*cart(draw, "x"), charge("kept", DRUG, 3_250)]
        rest = draw.sample(lines, draw.randint(1, len(lines)))
        whole, _split = settled(bought, lines)
        assert (
            claim_reverse(claim_id=whole.pk, reason="退药", by=CLERK).outcome is Outcome.SUCCEEDED
        )
        _again, left = settled(bought, rest)
        _first, fresh = settled(alone, rest)
        assert left == fresh
