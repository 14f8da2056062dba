"""Claims whose answers were lost, cannot be believed or contradict: looked at, adopted or ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.actors import Actor
from core.errors import Conflict, Forbidden
from core.outcomes import Outcome
from insurance.gateway.base import Answer
from insurance.gateway.claim_values import FundParts, Scope, Settlement
from insurance.gateway.visit_values import Scheme
from insurance.models import Claim, ClaimStatus, InsuranceMessage, InsuranceReview
from insurance.policy import POLICY
from insurance.services.claims import (
    Decision,
    PricedState,
    claim_look,
    claim_look_reversal,
    claim_price,
    claim_release,
    claim_resume,
    claim_reverse,
    claim_review_decide,
    claim_settle,
    claims_due,
)
from insurance.services.claims.applying import settlement_apply
from tests.contracts.nhsa_claims import (
    CART_FEN,
    CART_SPLIT,
    CLERK,
    House,
    again,
    fund,
    house_open,
    later,
)
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db
CHIEF = Actor("staff", "C2", "主管")
LOST = ["drop_after", "http_500_after", "system_error_after"]
NEVER = ["drop_before", "http_500_before", "system_error_before"]


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    return house_open(sandbox)


@pytest.mark.parametrize("fault", LOST)
def test_a_settlement_whose_answer_was_lost_is_adopted(house: House, fault: str) -> None:
    claim = house.priced()
    house.fault("settle", fault)
    lost = claim_settle(claim_id=claim.pk)
    assert (lost.outcome, lost.status) == (Outcome.UNKNOWN, "SETTLING")
    assert claim_settle(claim_id=claim.pk).outcome is Outcome.UNKNOWN
    found = claim_look(claim_id=claim.pk)
    assert (found.outcome, found.split) == (Outcome.SUCCEEDED, CART_SPLIT)
    assert house.calls().count("2207") == 1 and "2601" not in house.calls()
    assert claim_look(claim_id=claim.pk) == found
    assert (again(claim).status, fund(house)) == ("SETTLED", (2_452, 500))


@pytest.mark.parametrize("fault", NEVER)
def test_a_settlement_that_never_happened_is_settled_once_more(house: House, fault: str) -> None:
    claim = house.priced()
    house.fault("settle", fault)
    assert claim_settle(claim_id=claim.pk).outcome is Outcome.UNKNOWN
    ended = claim_look(claim_id=claim.pk)
    assert (ended.outcome, ended.code, ended.status) == (
        Outcome.DECLINED, "NOT_EXECUTED", "PRICED",
    )  # fmt: skip
    assert house.calls()[-2:] == ["5203", "2601"]
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT
    numbers = InsuranceMessage.objects.filter(code="2207").values_list("message_no", flat=True)
    assert len(set(numbers)) == 2
    assert fund(house) == (2_452, 500)


def test_an_insurer_that_is_away_is_known_not_to_have_settled(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "refuse_connection")
    settled = claim_settle(claim_id=claim.pk)
    assert settled.status in ("PRICED", "SETTLING")
    if settled.status == "SETTLING":
        settled = claim_look(claim_id=claim.pk)
    assert (settled.outcome, settled.code) == (Outcome.DECLINED, "NOT_EXECUTED")


def test_while_the_insurer_says_nothing_the_claim_waits_and_then_a_person_is_told(
    house: House,
) -> None:
    claim = house.priced()
    house.fault("settle", "drop_after")
    claim_settle(claim_id=claim.pk)
    silence = house.fault("query", "drop_before", times=100)
    looked = claim_look(claim_id=claim.pk)
    row = again(claim)
    assert (looked.outcome, row.status, row.looks) == (Outcome.UNKNOWN, "SETTLING", 2)
    assert row.due_at is not None and row.due_at > clock.now()
    assert "2601" not in house.calls()
    later(claim, POLICY.slow_after_s + 1)
    assert InsuranceReview.objects.get().reason_code == "not_ended"
    house.sandbox.control("DELETE", f"faults/{silence}")
    assert claim_look(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
    assert InsuranceReview.objects.get().status == "WITHDRAWN"


def test_a_silent_2601_leaves_the_claim_as_it_is(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "drop_before")
    house.fault("reverse", "drop_after")
    claim_settle(claim_id=claim.pk)
    assert claim_look(claim_id=claim.pk).status == "SETTLING"
    assert claim_look(claim_id=claim.pk).status == "PRICED"


def test_a_settlement_that_was_slow_is_adopted_by_the_second_try(house: House) -> None:
    """2601 found nothing because the first 2207 was still on its way."""
    claim = house.priced()
    house.fault("settle", "drop_after")
    claim_settle(claim_id=claim.pk)
    Claim.objects.filter(pk=claim.pk).update(due_at=None, status=ClaimStatus.PRICED)
    second = claim_settle(claim_id=claim.pk)
    assert (second.outcome, second.split) == (Outcome.SUCCEEDED, CART_SPLIT)
    assert fund(house) == (2_452, 500) and house.calls().count("2207") == 2


def test_a_trial_after_a_slow_settlement_finds_it(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "drop_after")
    claim_settle(claim_id=claim.pk)
    past = clock.now() - timedelta(seconds=1)
    Claim.objects.filter(pk=claim.pk).update(
        due_at=None, status=ClaimStatus.PRICED, valid_until=past
    )
    assert claim_price(claim_id=claim.pk).code == "SETTLED_LATE"
    assert claim_look(claim_id=claim.pk).split == CART_SPLIT


def test_a_release_finds_a_settlement_that_was_slow(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "drop_after")
    claim_settle(claim_id=claim.pk)
    with pytest.raises(Conflict, match="claim_in_doubt"):
        claim_release(claim_id=claim.pk, by=CLERK)
    Claim.objects.filter(pk=claim.pk).update(due_at=None, status=ClaimStatus.PRICED)
    released = claim_release(claim_id=claim.pk, by=CLERK)
    assert (released.outcome, released.status) == (Outcome.DECLINED, "SETTLED")
    assert claim_reverse(claim_id=claim.pk, reason="", by=CLERK).outcome is Outcome.SUCCEEDED
    assert fund(house) == (0, 0)


def test_a_release_after_a_lost_settlement_waits_for_the_insurers_word(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "drop_before")
    claim_settle(claim_id=claim.pk)
    claim_look(claim_id=claim.pk)
    house.fault("query", "drop_before")
    waiting = claim_release(claim_id=claim.pk, by=CLERK)
    assert (waiting.outcome, again(claim).releasing) == (Outcome.UNKNOWN, True)
    with pytest.raises(Conflict):
        claim_settle(claim_id=claim.pk)
    later(claim, 0)
    assert again(claim).status == "RELEASED"


def test_a_release_does_not_wait_for_an_insurer_that_settled_nothing(house: House) -> None:
    claim = house.priced()
    house.fault("upload", "drop_before")
    assert claim_release(claim_id=claim.pk, by=CLERK).outcome is Outcome.SUCCEEDED
    row = again(claim)
    assert (row.status, row.lines_sent, row.due_at is not None) == ("RELEASED", True, True)
    later(claim, 0)
    row = again(claim)
    assert (row.lines_sent, row.due_at) == (False, None)


@pytest.mark.parametrize("fault", LOST)
def test_a_reversal_whose_answer_was_lost_is_known_by_the_flag(house: House, fault: str) -> None:
    claim = house.priced()
    claim_settle(claim_id=claim.pk)
    house.fault("settle_reverse", fault)
    lost = claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert (lost.outcome, lost.status) == (Outcome.UNKNOWN, "REVERSING")
    assert claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK).outcome is Outcome.UNKNOWN
    found = claim_look_reversal(claim_id=claim.pk)
    assert (found.outcome, found.split) == (Outcome.SUCCEEDED, CART_SPLIT)
    assert (again(claim).status, fund(house)) == ("REVERSED", (0, 0))
    later(claim)
    assert again(claim).lines_sent is False


def test_a_reversal_that_never_happened_is_said_once_more(house: House) -> None:
    claim = house.priced()
    claim_settle(claim_id=claim.pk)
    house.fault("settle_reverse", "drop_before")
    claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    ended = claim_look_reversal(claim_id=claim.pk)
    assert (ended.outcome, ended.code, ended.status) == (
        Outcome.DECLINED, "NOT_EXECUTED", "SETTLED",
    )  # fmt: skip
    assert claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK).status == "REVERSED"
    assert fund(house) == (0, 0)


def test_a_reversal_after_one_thought_lost_is_known_as_done(house: House) -> None:
    claim = house.priced()
    claim_settle(claim_id=claim.pk)
    house.fault("settle_reverse", "drop_after")
    claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    Claim.objects.filter(pk=claim.pk).update(due_at=None, status=ClaimStatus.SETTLED)
    assert claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK).status == "REVERSED"


def test_a_reversal_the_insurer_refuses_leaves_the_settlement(house: House) -> None:
    claim = house.priced()
    claim_settle(claim_id=claim.pk)
    house.fault("settle_reverse", "already_cleared")
    refused = claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert (refused.outcome, refused.status) == (Outcome.DECLINED, "SETTLED")
    assert "已清算" in str(refused.sentence) and fund(house) == (2_452, 500)


def said(house: House, claim: Claim, **values: Any) -> Settlement:
    """A settlement of this claim as 2207 would say it."""
    row = again(claim)
    assert row.coverage is not None
    filled: dict[str, Any] = {
        "settlement_no": "S1", "mdtrt_id": row.mdtrt_id, "person_no": house.psn_no,
        "total_fen": CART_FEN, "split": CART_SPLIT, "scope": Scope(100, 0, 163, 4_087),
        "fund": FundParts(basic_fen=2_452), "rows": (), "scheme": Scheme.EMPLOYEE,
        "person_class": "1101", "med_type": "11",
    }  # fmt: skip
    return Settlement(**filled | values)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "one fen more": (
        {"total_fen": CART_FEN + 1, "split": replace(CART_SPLIT, cash_fen=1_399)},
        "split_broken",
    ),
    "other lines": ({"scope": Scope(101, 0, 162, 4_087)}, "split_broken"),
    "other person": ({"person_no": "P0"}, "other_answer"),
    "other visit": ({"mdtrt_id": "V0"}, "other_answer"),
    "other scheme": ({"scheme": Scheme.RESIDENT}, "other_answer"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_settlement_that_is_not_this_bills_settles_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    claim = house.priced()
    values, reason = WRONG[what]
    told = Answer(Outcome.SUCCEEDED, value=said(house, claim, **values))
    monkeypatch.setattr(
        "insurance.services.claims.settling.message_deliver", lambda _prepared: told
    )
    ended = claim_settle(claim_id=claim.pk)
    assert (ended.outcome, ended.status) == (Outcome.UNKNOWN, "REVIEW")
    row = again(claim)
    assert (row.settled_split, row.settlement_no, row.due_at) == (None, "", None)
    assert InsuranceReview.objects.get().reason_code == reason
    assert claim_look(claim_id=claim.pk).status == "REVIEW"
    with pytest.raises(Conflict):
        claim_release(claim_id=claim.pk, by=CLERK)


def test_a_region_that_counts_differently_stops_the_claim_until_a_person_decides(
    house: House,
) -> None:
    house.sandbox.act(
        "nhsa", "set_rules", house.sandbox.nhsa["fixmedins_code"], fund_includes_account=True
    )
    claim = house.open()
    priced = claim_price(claim_id=claim.pk)
    assert priced.state is PricedState.REVIEW
    review = InsuranceReview.objects.get()
    assert (review.reason_code, review.claim_id) == ("split_broken", claim.pk)
    assert "48.50" in review.summary or "43.50" in review.summary
    region = house.encounter.campus.institution.region
    region.fund_includes_account = True
    region.save()
    claim_review_decide(
        review_id=review.pk, decision=Decision.LOOK_AGAIN, by=CHIEF, comment="已核对"
    )
    assert claim_price(claim_id=claim.pk).split == CART_SPLIT


def test_a_settlement_that_does_not_add_up_is_undone_by_a_person(house: House) -> None:
    claim = house.priced()
    place = house.sandbox.nhsa["fixmedins_code"]
    house.sandbox.act("nhsa", "set_rules", place, fund_includes_account=True)
    ended = claim_settle(claim_id=claim.pk)
    assert (ended.status, fund(house)) == ("REVIEW", (2_452, 500))
    house.sandbox.act("nhsa", "set_rules", place, fund_includes_account=False)
    review = InsuranceReview.objects.get()
    with pytest.raises(Forbidden):
        claim_review_decide(
            review_id=review.pk, decision=Decision.UNDO, by=Actor("his", "H1"), comment="已核对"
        )
    claim_review_decide(review_id=review.pk, decision=Decision.UNDO, by=CHIEF, comment="已核对")
    assert claims_due(limit=10) == [claim.pk]
    claim_resume(claim_id=claim.pk)
    assert (again(claim).status, fund(house)) == ("OPEN", (0, 0))
    assert claim_price(claim_id=claim.pk).state is PricedState.PRICED
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT


def test_an_answer_applied_twice_settles_once(house: House) -> None:
    claim = house.priced()
    claim_settle(claim_id=claim.pk)
    first = again(claim)
    same = said(house, claim, settlement_no=first.settlement_no)
    assert settlement_apply(claim_id=claim.pk, said=same).status == "SETTLED"
    assert InsuranceReview.objects.count() == 0
    settlement_apply(claim_id=claim.pk, said=said(house, claim, settlement_no="OTHER"))
    assert again(claim).settlement_no == first.settlement_no
    assert InsuranceReview.objects.get().reason_code == "state_differs"
