"""Claims against the sandbox's insurance platform, over sockets: priced, settled, reversed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.errors import Conflict, Forbidden
from core.outcomes import Outcome
from insurance.gateway.claim_values import Split
from insurance.models import Claim, ClaimLine, ClaimStatus, Coverage, InsuranceReview, InsuredVisit
from insurance.services.claims import (
    PricedState,
    claim_price,
    claim_release,
    claim_reverse,
    claim_settle,
)
from tests.contracts.nhsa_claims import (
    CART_FEN,
    CART_SPLIT,
    CLERK,
    House,
    again,
    charge,
    house_open,
)
from tests.contracts.nhsa_house import DRUG, EXCLUDED, SERVICE
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    return house_open(sandbox)


@pytest.mark.parametrize("style", ["signed_base", "path_key"])
def test_an_adult_is_priced_settled_and_given_back(sandbox: Sandbox, style: str) -> None:
    house = house_open(sandbox, style=style)
    claim = house.open()
    priced = claim_price(claim_id=claim.pk)
    assert (priced.state, priced.split) == (PricedState.PRICED, CART_SPLIT)
    assert priced.valid_until is not None and priced.valid_until > clock.now()
    assert house.book()["fund"] == 0
    settled = claim_settle(claim_id=claim.pk)
    assert (settled.outcome, settled.split) == (Outcome.SUCCEEDED, CART_SPLIT)
    row = again(claim)
    assert (row.status, row.amount_fen, row.settled_split) == ("SETTLED", CART_FEN, CART_SPLIT)
    assert row.fund_parts is not None and row.fund_parts.basic_fen == 2_452
    book = house.book()
    assert (book["fund"], book["own_account"], book["mutual_aid"]) == (2_452, 500, 0)
    back = claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert (back.outcome, back.split) == (Outcome.SUCCEEDED, CART_SPLIT)
    row = again(claim)
    assert (row.status, bool(row.reversal_no), row.due_at) == ("REVERSED", True, None)
    book = house.book()
    assert (book["fund"], book["own_account"], book["reversed"]) == (0, 0, 2_952)


def test_every_step_is_said_once_and_every_line_has_its_result(house: House) -> None:
    claim = house.priced()
    claim_settle(claim_id=claim.pk)
    assert house.calls() == [
        "ec.query", "9001", "1101", "2201", "2203A", "2204", "2206", "2207",
    ]  # fmt: skip
    rows = list(ClaimLine.objects.filter(claim=claim).order_by("pk"))
    assert [(row.level, row.own_fen, row.first_own_fen, row.in_scope_fen) for row in rows] == [
        ("01", 0, 0, 1_000), ("02", 0, 163, 3_087), ("03", 100, 0, 0),
    ]  # fmt: skip


def test_a_second_bill_of_the_visit_needs_neither_code_nor_registration(house: House) -> None:
    first = house.priced()
    claim_settle(claim_id=first.pk)
    before = len(house.calls())
    second = house.priced((SERVICE, 1_000))
    assert house.calls()[before:] == ["2204", "2206"]
    assert claim_settle(claim_id=second.pk).split == Split(600, 0, 0, 0, 400)
    assert InsuredVisit.objects.count() == 1


def test_a_resident_pays_the_deductible_first(sandbox: Sandbox) -> None:
    house = house_open(sandbox, insutype="390", balance_fen=0, used_fen=0)
    claim = house.priced(lines=[charge("1", SERVICE, 50_000, "10")])
    row = again(claim)
    # 500.00 in scope less 200.00 of the year, of which residents are paid 0.35 at this level.
    assert row.priced_split == Split(10_500, 0, 0, 0, 39_500)
    assert row.priced is not None and row.priced["deductible_fen"] == 20_000
    settled = claim_settle(claim_id=claim.pk)
    assert settled.split == row.priced_split
    # The deductible of the year is used up now.
    second = house.priced(lines=[charge("2", SERVICE, 10_000, "10")])
    assert second.priced_split == Split(3_500, 0, 0, 0, 6_500)


def test_a_sample_inside_the_deductible_is_paid_by_the_account(sandbox: Sandbox) -> None:
    # The reference's sample: 4.52 at 0.05 is 0.23 first own, 4.29 in scope, all deductible.
    house = house_open(sandbox, balance_fen=1_000, used_fen=0)
    claim = house.priced((DRUG, 452))
    row = ClaimLine.objects.get(claim=claim)
    assert (row.first_own_fen, row.in_scope_fen, row.own_share) == (23, 429, Decimal("0.05"))
    assert claim.priced is not None and claim.priced["deductible_fen"] == 429
    settled = claim_settle(claim_id=claim.pk)
    assert settled.split == Split(0, 452, 0, 0, 0)


def test_employees_come_before_residents_and_what_is_paused_pays_nothing(house: House) -> None:
    house.sandbox.act("nhsa", "set_coverage", house.psn_no, insutype="390")
    claim = house.priced()
    assert claim.coverage is not None and claim.coverage.scheme == "310"
    rows = {row.scheme: (row.state, row.balance_fen) for row in Coverage.objects.all()}
    assert rows == {"310": ("1", 500), "390": ("1", 0)}


def test_a_paused_coverage_leaves_the_other_one(house: House) -> None:
    house.sandbox.act("nhsa", "set_coverage", house.psn_no, insutype="390")
    house.sandbox.act("nhsa", "set_coverage", house.psn_no, insutype="310", psn_insu_stas="2")
    claim = house.priced((SERVICE, 1_000))
    assert claim.coverage is not None and claim.coverage.scheme == "390"


def test_nothing_that_holds_is_not_covered(house: House) -> None:
    house.sandbox.act("nhsa", "set_coverage", house.psn_no, insutype="310", psn_insu_stas="2")
    claim = house.open()
    priced = claim_price(claim_id=claim.pk)
    assert (priced.state, priced.code) == (PricedState.NOT_COVERED, "not_covered")
    assert "2201" not in house.calls() and again(claim).status == ClaimStatus.OPEN


def test_without_a_code_the_patient_is_asked_for_it(house: House) -> None:
    house.encounter.insurance_credential.delete()
    claim = house.open()
    assert claim_price(claim_id=claim.pk).state is PricedState.NO_CREDENTIAL
    house.encounter.refresh_from_db()
    house.show_code()
    assert claim_price(claim_id=claim.pk).state is PricedState.PRICED


def test_the_code_of_another_person_is_refused_and_settles_nothing(house: House) -> None:
    other = house.sandbox.act(
        "nhsa", "enrol_person", "330300197501010012", name="别人", sex="male",
        birth_date="1975-01-01",
    )  # fmt: skip
    with pytest.raises(Forbidden, match="other_person"):
        house.show_code(other["psn_no"])
    # A record that is corrected after the code was held is another person too.
    house.encounter.patient.name = "改名"
    house.encounter.patient.save()
    claim = house.open()
    priced = claim_price(claim_id=claim.pk)
    assert priced.state is PricedState.REFUSED and "2201" not in house.calls()


def test_an_item_over_its_limit_is_shown_with_what_the_patient_pays(house: House) -> None:
    claim = house.priced(lines=[charge("1", SERVICE, 4_000, "20")])
    row = ClaimLine.objects.get(claim=claim)
    assert (row.price_limit, row.over_limit_fen, row.in_scope_fen) == (Decimal(10), 2_000, 2_000)
    assert claim.priced_split == Split(1_200, 500, 0, 0, 2_300)


def test_an_unknown_item_is_refused_in_the_platforms_words(house: House) -> None:
    claim = house.open(("999999999999999", 1_000))
    priced = claim_price(claim_id=claim.pk)
    assert priced.state is PricedState.REFUSED and "999999999999999" in str(priced.sentence)


def test_a_second_claim_of_one_bill_is_refused_until_the_first_ended(house: House) -> None:
    first = house.open(ref=7)
    with pytest.raises(Conflict, match="claim_stands"):
        house.open(ref=7)
    claim_price(claim_id=first.pk)
    claim_settle(claim_id=first.pk)
    with pytest.raises(Conflict, match="claim_stands"):
        house.open(ref=7)
    claim_reverse(claim_id=first.pk, reason="退药", by=CLERK)
    second = house.priced((SERVICE, 1_000), ref=7)
    assert claim_settle(claim_id=second.pk).split == Split(600, 400, 0, 0, 0)
    assert house.book()["fund"] == 600


def test_a_trial_that_ran_out_is_asked_anew(house: House) -> None:
    claim = house.priced()
    before = len(house.calls())
    assert claim_price(claim_id=claim.pk).state is PricedState.PRICED
    assert len(house.calls()) == before
    Claim.objects.filter(pk=claim.pk).update(valid_until=clock.now() - timedelta(seconds=1))
    priced = claim_price(claim_id=claim.pk)
    assert house.calls()[before:] == ["2206"]
    assert (priced.split, priced.state) == (CART_SPLIT, PricedState.PRICED)
    assert priced.valid_until is not None and priced.valid_until > clock.now()


def test_a_settlement_may_differ_from_the_trial(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "settle_differs", seed=1)
    settled = claim_settle(claim_id=claim.pk)
    row = again(claim)
    assert settled.outcome is Outcome.SUCCEEDED and settled.split == row.settled_split
    assert row.priced_split == CART_SPLIT and row.settled_split != CART_SPLIT
    assert house.book()["fund"] == row.settled_fund_fen


def test_a_declined_settlement_voids_the_trial(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "decline")
    settled = claim_settle(claim_id=claim.pk)
    assert (settled.outcome, settled.status) == (Outcome.DECLINED, "OPEN")
    assert "医保中心拒绝" in str(settled.sentence)
    assert claim_price(claim_id=claim.pk).state is PricedState.PRICED
    assert claim_settle(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
    assert house.book()["fund"] == 2_452


def test_a_release_takes_lines_and_registration_away(house: House) -> None:
    claim = house.priced()
    released = claim_release(claim_id=claim.pk, by=CLERK)
    assert (released.outcome, again(claim).status) == (Outcome.SUCCEEDED, "RELEASED")
    assert house.calls()[-2:] == ["2205", "2202"] and again(claim).due_at is None
    # The bill is claimed after all, with a registration of its own.
    house.open((EXCLUDED, 100), ref=1)
    assert InsuranceReview.objects.count() == 0


def test_pricing_and_settling_cost_the_same_for_any_number_of_lines(house: House) -> None:
    house.priced((SERVICE, 1_000))  # the day's sign-in, the coverage and the visit
    counts = []
    for count in (1, 10, 45):
        rows = [charge(f"{count}-{n}", SERVICE, 1_000, "10") for n in range(count)]
        claim = house.open(lines=rows)
        with CaptureQueriesContext(connection) as priced:
            assert claim_price(claim_id=claim.pk).state is PricedState.PRICED
        with CaptureQueriesContext(connection) as settled:
            assert claim_settle(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
        counts.append([statements(one) for one in (priced, settled)])
    assert counts[0] == counts[1] == counts[2]
    assert counts[0] == [23, 9]


def statements(captured: CaptureQueriesContext) -> int:
    marks = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")
    # A prepared statement's text is not logged.
    said = [query["sql"] or "prepared" for query in captured.captured_queries]
    return sum(not text.startswith(marks) for text in said)
