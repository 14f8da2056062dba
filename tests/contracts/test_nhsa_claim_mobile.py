"""Claims through the mobile-pay centre of the sandbox: tried, confirmed, taken back, by sockets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.outcomes import Outcome
from insurance.models import (
    Claim,
    ClaimRoute,
    HeldCredential,
    InsuranceReason,
    InsuranceReview,
    MobileOrder,
)
from insurance.services.claims import (
    Decision,
    PricedState,
    claim_end_wanted,
    claim_look,
    claim_look_reversal,
    claim_offer,
    claim_price,
    claim_release,
    claim_reverse,
    claim_review_decide,
    claim_settle,
    mobile_begin,
)
from tests.contracts.nhsa_claims import CART_SPLIT, CLERK, House, again, fund, house_open
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.wechat_client import Inbox

pytestmark = pytest.mark.django_db
REVIEWER = Actor("staff", "reviewer", "李志强")
CHILD = patients.id_number(7, region="330302")


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    """An insured adult who shows nothing at the hospital: the consent on the phone is the proof."""
    house = house_open(sandbox)
    HeldCredential.objects.all().delete()
    return house


def begun(house: House, psn_no: str = "") -> Claim:
    claim = house.open(route=ClaimRoute.MOBILE)
    given = house.sandbox.act("nhsa", "authorise_pay", psn_no or house.psn_no)
    mobile_begin(claim=claim, pay_auth_no=given["pay_auth_no"])
    return claim


def tried(house: House) -> Claim:
    claim = begun(house)
    priced = claim_price(claim_id=claim.pk)
    assert (priced.state, priced.split) == (PricedState.PRICED, CART_SPLIT)
    return again(claim)


def offered(house: House) -> Claim:
    claim = tried(house)
    claim_offer(claim_id=claim.pk, by=CLERK)
    return again(claim)


def number(claim: Claim) -> str:
    return MobileOrder.objects.get(claim=claim).pay_order_no


def confirm(house: House, claim: Claim, **how: Any) -> int:
    order = house.sandbox.act("nhsa", "confirm_order", number(claim), **how)
    return int(order["ord_stas"])


def disturb(house: House, claim: Claim, ord_stas: int) -> None:
    house.sandbox.act("nhsa", "set_order", number(claim), ord_stas=ord_stas)


def settled(house: House) -> Claim:
    claim = offered(house)
    assert confirm(house, claim) == 6
    assert claim_look(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
    return again(claim)


def ended(house: House, claim: Claim) -> str:
    claim_end_wanted(claim_id=claim.pk)
    return claim_look(claim_id=claim.pk).code


def test_an_order_is_tried_confirmed_settled_and_taken_back(house: House) -> None:
    claim = offered(house)
    assert (claim.status, fund(house)) == ("SETTLING", (0, 0))
    # nobody has confirmed yet: it is asked again and nothing is guessed
    assert claim_look(claim_id=claim.pk).outcome is Outcome.UNKNOWN
    confirm(house, claim)
    done = claim_look(claim_id=claim.pk)
    assert (done.outcome, done.split, fund(house)) == (Outcome.SUCCEEDED, CART_SPLIT, (2_452, 500))
    row = again(claim)
    assert row.settlement_no and row.fund_parts is not None and row.fund_parts.basic_fen == 2_452
    back = claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert (back.outcome, fund(house)) == (Outcome.SUCCEEDED, (0, 0))
    assert MobileOrder.objects.get(claim=claim).state == "6"  # as it was when last asked
    codes = house.calls()
    assert [code for code in codes if code.startswith("6")] == [
        "6201", "6202", "6301", "6301", "6203",
    ]  # fmt: skip
    assert not {"2204", "2206", "2207", "2208"} & set(codes)


def test_a_bill_has_one_route(house: House) -> None:
    claim = tried(house)
    with pytest.raises(Conflict):
        house.open(ref=claim.invoice_ref)
    with pytest.raises(Conflict):
        claim_settle(claim_id=claim.pk)
    hall = house.open()
    with pytest.raises(Conflict):
        claim_offer(claim_id=hall.pk, by=CLERK)


def test_only_the_insureds_own_consent_opens_the_order(house: House) -> None:
    other = house.sandbox.act(
        "nhsa", "enrol_person", CHILD, name="王小明", sex="male", birth_date="2016-01-01"
    )
    claim = begun(house, str(other["baseinfo"]["psn_no"]))
    priced = claim_price(claim_id=claim.pk)
    assert (priced.state, again(claim).status) == (PricedState.REFUSED, "OPEN")
    assert fund(house) == (0, 0)


@pytest.mark.parametrize("operation", ["mobile_upload", "mobile_order"])
@pytest.mark.parametrize("lost", ["drop_before", "drop_after", "bad_signature"])
def test_a_trial_whose_answer_was_lost_is_found_out(
    house: House, operation: str, lost: str
) -> None:
    claim = begun(house)
    house.fault(operation, lost)
    first = claim_price(claim_id=claim.pk)
    if first.state is not PricedState.PRICED:
        assert first.state is PricedState.UNKNOWN
        first = claim_price(claim_id=claim.pk)
    assert (first.state, first.split) == (PricedState.PRICED, CART_SPLIT)
    # one order there, whatever was lost
    assert MobileOrder.objects.count() == 1 and fund(house) == (0, 0)
    asked = house.calls().count("6202")
    assert asked == (2 if (operation, lost) == ("mobile_order", "drop_before") else 1)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "bad_signature", "http_500_after"])
def test_silence_after_the_confirmation_is_asked_again(house: House, fault: str) -> None:
    claim = offered(house)
    confirm(house, claim)
    house.fault("mobile_query", fault)
    assert claim_look(claim_id=claim.pk).outcome is Outcome.UNKNOWN
    assert again(claim).due_at is not None
    assert claim_look(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
    assert fund(house) == (2_452, 500)


def test_what_nobody_confirmed_is_taken_away(house: House) -> None:
    claim = offered(house)
    assert ended(house, claim) == "REVOKED"
    assert (again(claim).status, fund(house)) == ("RELEASED", (0, 0))
    assert house.calls()[-2:] == ["6401", "2202"]


def test_a_confirmation_in_the_last_moment_is_adopted(house: House) -> None:
    claim = offered(house)
    claim_end_wanted(claim_id=claim.pk)
    confirm(house, claim)
    assert claim_look(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
    assert (again(claim).status, fund(house)) == ("SETTLED", (2_452, 500))


def test_the_fund_alone_paid_and_is_given_back(house: House) -> None:
    claim = offered(house)
    assert confirm(house, claim, cash=False) == 4
    assert claim_look(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
    back = claim_reverse(claim_id=claim.pk, reason="未付现金", by=CLERK)
    assert (back.outcome, fund(house)) == (Outcome.SUCCEEDED, (0, 0))


def test_the_cash_alone_paid_ends_without_a_settlement(house: House) -> None:
    claim = offered(house)
    house.fault("mobile_order", "part_success", seed=2)
    assert confirm(house, claim) == 3
    assert claim_look(claim_id=claim.pk).outcome is Outcome.UNKNOWN
    assert ended(house, claim) == "CASH_ALONE"
    assert (again(claim).status, fund(house)) == ("RELEASED", (0, 0))


def test_the_insurers_final_no_ends_the_claim(house: House) -> None:
    claim = offered(house)
    disturb(house, claim, 15)
    assert claim_look(claim_id=claim.pk).outcome is Outcome.DECLINED
    assert again(claim).status == "RELEASED"


@pytest.mark.parametrize(("ord_stas", "reason"), [
    (13, InsuranceReason.CENTRE_STUCK),
    (14, InsuranceReason.CENTRE_STUCK),
    (16, InsuranceReason.CENTRE_STUCK),
    (18, InsuranceReason.UNKNOWN_CODE),
    (25, InsuranceReason.UNKNOWN_CODE),
    (7, InsuranceReason.STATE_DIFFERS),
])  # fmt: skip
def test_a_state_that_needs_a_person_waits_for_one(
    house: House, ord_stas: int, reason: InsuranceReason
) -> None:
    claim = offered(house)
    disturb(house, claim, ord_stas)
    assert claim_look(claim_id=claim.pk).outcome is Outcome.UNKNOWN
    case = InsuranceReview.objects.get()
    assert (again(claim).status, case.reason_code) == ("REVIEW", reason)
    # the centre's people have mended it: asked again, the claim goes on
    disturb(house, claim, 1)
    confirm(house, claim)
    claim_review_decide(
        review_id=case.pk, decision=Decision.LOOK_AGAIN, by=REVIEWER, comment="已核对"
    )
    assert claim_look(claim_id=claim.pk).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(("ord_stas", "status"), [(13, "RELEASED"), (16, "RELEASED"),
                                                  (14, "REVIEW"), (20, "REVIEW")])  # fmt: skip
def test_a_person_ends_only_what_surely_settled_nothing(
    house: House, ord_stas: int, status: str
) -> None:
    claim = offered(house)
    disturb(house, claim, ord_stas)
    claim_look(claim_id=claim.pk)
    case = InsuranceReview.objects.get()
    claim_review_decide(review_id=case.pk, decision=Decision.UNDO, by=REVIEWER, comment="已核对")
    claim_look(claim_id=claim.pk)
    assert again(claim).status == status


@pytest.mark.parametrize("lost", ["drop_before", "drop_after", "bad_signature", "never_final"])
def test_a_lost_refund_is_found_out_and_happens_once(house: House, lost: str) -> None:
    claim = settled(house)
    standing = house.fault("mobile_refund", lost)
    first = claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert first.outcome is Outcome.UNKNOWN
    assert claim_look_reversal(claim_id=claim.pk).outcome is not Outcome.SUCCEEDED or (
        lost in ("drop_after", "bad_signature")
    )
    if lost == "never_final":
        house.sandbox.control("DELETE", f"faults/{standing}")
        assert claim_look_reversal(claim_id=claim.pk).outcome is Outcome.SUCCEEDED
    if again(claim).status == "SETTLED":
        assert claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK).outcome is (
            Outcome.SUCCEEDED
        )
    assert (again(claim).status, fund(house)) == ("REVERSED", (0, 0))


def test_a_refund_the_centre_refuses_leaves_the_settlement(house: House) -> None:
    claim = settled(house)
    house.fault("mobile_refund", "already_cleared")
    first = claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert (first.outcome, again(claim).status) == (Outcome.DECLINED, "SETTLED")
    before = MobileOrder.objects.get().refund_no
    # only after a final failure there is another number
    assert claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK).outcome is Outcome.SUCCEEDED
    assert MobileOrder.objects.get().refund_no != before
    assert fund(house) == (0, 0)


def test_an_order_nobody_was_offered_is_released_and_revoked(house: House) -> None:
    claim = tried(house)
    assert claim_release(claim_id=claim.pk, by=CLERK).outcome is Outcome.SUCCEEDED
    assert house.calls()[-2:] == ["6401", "2202"]
    assert again(claim).due_at is None


def test_the_centres_word_rings_and_is_asked_for(
    house: House, inbox: Inbox, client: Client
) -> None:
    code = house.sandbox.nhsa["fixmedins_code"]
    house.sandbox.act("nhsa", "set_rules", code, callback_url=f"{inbox.url}/notices/centre/{code}")
    claim = offered(house)
    confirm(house, claim)
    told = inbox.await_count(1)[0]
    Claim.objects.filter(pk=claim.pk).update(due_at=clock.now() + timedelta(hours=1))
    answer = client.post(told.path, told.body, content_type="application/json")
    assert answer.json()["code"] == "0"
    # nothing is believed of it but that it is time to ask
    assert (again(claim).status, again(claim).due_at) == ("SETTLING", clock.now())
    assert claim_look(claim_id=claim.pk).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("body", [b"", b"{}", b"<xml/>", b'{"code":"0","encData":"00"}'])
def test_a_word_that_is_not_the_centres_is_believed_in_nothing(
    house: House, client: Client, body: bytes
) -> None:
    claim = offered(house)
    due_at = again(claim).due_at
    code = house.sandbox.nhsa["fixmedins_code"]
    answer = client.post(f"/notices/centre/{code}", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (200, "-1")
    assert again(claim).due_at == due_at
    unknown = client.post("/notices/centre/H00000000000", body, content_type="application/json")
    assert unknown.status_code == 404
