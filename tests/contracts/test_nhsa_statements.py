"""A day compared with the insurer: even where nothing was planted, and what was planted is found,
all of it and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from core import clock
from insurance.models import (
    Claim,
    Institution,
    InsuranceMessage,
    InsurerStatement,
    StatementDifference,
)
from insurance.selectors import institution_speaking
from insurance.services.claims import claim_reverse, claim_settle
from insurance.services.statements import day_compare, days_due
from insurance.services.statements.sums import sums_write
from insurance.tasks import compare_statements
from tests.conftest import ProofScale
from tests.contracts.nhsa_claims import CLERK, House, again, house_open
from tests.contracts.nhsa_house import EXCLUDED, SERVICE
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db
MANY = 20_000


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    return house_open(sandbox)


def place_of(house: House) -> Institution:
    return institution_speaking(house.encounter.campus.institution.pk)


def settled(house: House, *cart: tuple[str, int]) -> Claim:
    claim = house.priced(*cart)
    assert claim_settle(claim_id=claim.pk).split is not None
    return again(claim)


def compared(house: House, day: Any = None) -> dict[str, tuple[str, int, int]]:
    """The groups of a day: state, rows and fund of ours."""
    day = day or clock.today()
    day_compare(institution_id=place_of(house).pk, day=day)
    rows = InsurerStatement.objects.filter(day=day).order_by("scheme")
    return {row.scheme: (row.status, row.ours_count, row.ours_fund_fen) for row in rows}


def found(**only: Any) -> set[tuple[str, str]]:
    rows = StatementDifference.objects.filter(gone_at=None, **only)
    return set(rows.values_list("kind", "settlement_no"))


def dearer(claim: Claim) -> None:
    """A fen more in our books than the insurer has."""
    more = {name: F(name) + 1 for name in ("amount_fen", "priced_cash_fen", "settled_cash_fen")}
    Claim.objects.filter(pk=claim.pk).update(**more)


Night = Callable[[], None]


@pytest.fixture
def night(house: House, still_clock: clock.FrozenClock) -> Night:
    """Both clocks go to two in the morning of the next day."""

    def passes() -> None:
        start = clock.day_bounds(clock.today())[1] + timedelta(hours=2)
        seconds = (start - clock.now()).total_seconds()
        moved = house.sandbox.control("POST", "clock", {"advance_s": seconds})["now"]
        still_clock.at = datetime.fromisoformat(moved).astimezone(clock.ZONE)

    return passes


def test_a_day_with_reversals_is_even_and_sends_no_file(house: House) -> None:
    settled(house)
    back = settled(house, (SERVICE, 2_000))
    claim_reverse(claim_id=back.pk, reason="退", by=CLERK)
    # 43.50 at 24.52 of the fund; 20.00 at 12.00 there and back: three rows.
    assert compared(house) == {"310": ("EVEN", 3, 2_452), "390": ("EVEN", 0, 0)}
    assert not {"9101", "3202", "9102"} & set(house.calls())
    row = InsurerStatement.objects.get(scheme="310")
    assert (row.ours_total_fen, row.ours_account_fen, row.ours_cash_fen) == (4_350, 500, 1_398)
    assert (row.verdict, row.text) == ("0", "平")


def test_every_planted_difference_is_found_and_none_is_invented(house: House) -> None:
    # given four settlements of which one stays as it is
    even, theirs, ours, other = [
        settled(house, (SERVICE, fen)) for fen in (1_000, 2_000, 3_000, 4_000)
    ]
    reversed_ = settled(house, (EXCLUDED, 500))
    claim_reverse(claim_id=reversed_.pk, reason="退", by=CLERK)
    # when one is missing on our side, one carries a number the insurer never gave, one is dearer
    yesterday = clock.now() - timedelta(days=1)
    Claim.objects.filter(pk=theirs.pk).update(settled_at=yesterday)
    Claim.objects.filter(pk=ours.pk).update(settlement_no="NOWHERE1")
    dearer(other)
    assert compared(house)["310"][0] == "DETAILED"
    # then each is there with its figures, and the settlement behind the odd number as well
    assert found() == {
        ("1", theirs.settlement_no),
        ("1", ours.settlement_no),
        ("2", "NOWHERE1"),
        ("3", other.settlement_no),
    }
    odd = StatementDifference.objects.get(settlement_no=other.settlement_no)
    assert (odd.ours_total_fen, odd.theirs_total_fen, odd.claim_id) == (
        4_001, 4_000, other.pk,
    )  # fmt: skip
    lost = StatementDifference.objects.get(settlement_no=theirs.settlement_no)
    assert (lost.ours_total_fen, lost.theirs_total_fen, lost.theirs_fund_fen) == (
        None, 2_000, theirs.settled_fund_fen,
    )  # fmt: skip
    assert InsurerStatement.objects.get(scheme="390").status == "EVEN"
    assert even.settlement_no not in str(found())
    # and said again it is the same rows
    compared(house)
    assert StatementDifference.objects.count() == 4


def test_what_is_put_right_is_gone_and_stays_on_record(house: House) -> None:
    claim = settled(house)
    at = claim.settled_at
    Claim.objects.filter(pk=claim.pk).update(settled_at=clock.now() - timedelta(days=1))
    compared(house)
    assert found() == {("1", claim.settlement_no)}
    Claim.objects.filter(pk=claim.pk).update(settled_at=at)
    assert compared(house)["310"][0] == "EVEN"
    assert found() == set() and StatementDifference.objects.get().gone_at is not None


@pytest.mark.parametrize(("seed", "kinds"), [(0, ["1"]), (1, ["2"]), (2, ["3"])])
def test_a_difference_the_sandbox_makes_on_demand_is_found(
    house: House, seed: int, kinds: list[str]
) -> None:
    claim = settled(house)
    Claim.objects.filter(pk=claim.pk).update(settled_at=claim.settled_at)
    standing = house.fault("statement", "bill_difference", seed=seed, times=None, probability=1.0)
    compared(house)
    house.sandbox.control("DELETE", f"faults/{standing}")
    kept = StatementDifference.objects.order_by("pk")
    assert [row.kind for row in kept if row.settlement_no != "GHOST0001" or seed == 0] == kinds
    assert compared(house)["310"][0] == "EVEN" and found() == set()


def test_a_refund_counts_on_its_own_day(house: House, night: Night) -> None:
    claim = settled(house)
    day = clock.today()
    night()
    claim_reverse(claim_id=claim.pk, reason="退", by=CLERK)
    assert compared(house, day)["310"] == ("EVEN", 1, 2_452)
    assert compared(house)["310"] == ("EVEN", 1, -2_452)


def test_a_reversal_whose_number_was_never_told_is_named_by_the_result(house: House) -> None:
    claim = settled(house)
    claim_reverse(claim_id=claim.pk, reason="退", by=CLERK)
    number = again(claim).reversal_no
    Claim.objects.filter(pk=claim.pk).update(reversal_no="")
    assert compared(house)["310"][0] == "EVEN"
    odd = settled(house, (SERVICE, 1_000))
    Claim.objects.filter(pk=odd.pk).update(settlement_no="NOWHERE1")
    dearer(odd)
    compared(house)
    assert found() == {("1", odd.settlement_no), ("2", "NOWHERE1")}
    assert again(claim).reversal_no == number


def test_a_silent_insurer_is_asked_again_by_the_job(house: House, night: Night) -> None:
    claim = settled(house)
    Claim.objects.filter(pk=claim.pk).update(settled_at=claim.settled_at)
    place, day = place_of(house), clock.today()
    assert days_due(place) == [] and compare_statements() == 0
    night()
    assert days_due(place) == [day]
    house.fault("statement", "drop_before", times=2)
    assert compare_statements() == 1
    assert set(InsurerStatement.objects.values_list("status", flat=True)) == {"PENDING"}
    assert days_due(place) == [day] and compare_statements() == 1
    assert set(InsurerStatement.objects.values_list("status", flat=True)) == {"EVEN"}
    assert days_due(place) == [] and compare_statements() == 0


def test_a_lost_file_leaves_the_day_to_be_asked_again(house: House, night: Night) -> None:
    claim = settled(house)
    Claim.objects.filter(pk=claim.pk).update(settlement_no="NOWHERE1")
    dearer(claim)
    day = clock.today()
    night()
    standing = house.fault("statement", "drop_after", times=None, probability=1.0)
    assert compare_statements() == 1
    house.sandbox.control("DELETE", f"faults/{standing}")
    assert days_due(place_of(house)) == [day]
    compare_statements()
    assert found() == {("1", claim.settlement_no), ("2", "NOWHERE1")}
    # known rows are looked for again the next day, not every half hour
    assert days_due(place_of(house)) == []
    night()
    assert day in days_due(place_of(house))


def test_a_day_of_many_settlements_is_counted_by_one_statement(
    house: House, proof_scale: ProofScale
) -> None:
    claim = settled(house)
    place, day = place_of(house), clock.today()
    seen = []
    many = proof_scale(MANY)
    for more in (0, many - 1):
        _copies(claim, more)
        with CaptureQueriesContext(connection) as said:
            sums_write(place, day)
        seen.append(len(said))
    assert seen == [2, 2]  # the groups of late, and the sums
    row = InsurerStatement.objects.get(scheme="310")
    assert (row.ours_count, row.ours_total_fen, row.ours_fund_fen) == (
        many, many * 4_350, many * 2_452,
    )  # fmt: skip
    assert not InsuranceMessage.objects.filter(code="3201").exists()


def _copies(claim: Claim, count: int) -> None:
    """So many more settlements like this one, under numbers of their own."""
    names = [field.column for field in Claim._meta.concrete_fields if not field.primary_key]
    values = {
        "invoice_ref": "1000 + n", "batch_no": "'CB' || n", "settlement_no": "'S' || n",
        "settle_message_id": "NULL", "reverse_message_id": "NULL",
    }  # fmt: skip
    said = ", ".join(values.get(name, f'"{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO insurance_claim ({columns}) SELECT {said} FROM insurance_claim,"
            " generate_series(1, %s) AS n WHERE id = %s",
            [count, claim.pk],
        )
