"""The centre rings about an order whose claim waits for nothing: what does not fit reaches a
person, and nothing moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from core.actors import Actor
from insurance.gateway.mobile.states import ORDER_STATES
from insurance.gateway.mobile.values import MobileState
from insurance.models import (
    Claim,
    ClaimStatus,
    HeldCredential,
    InsuranceReason,
    InsuranceReview,
    MobileOrder,
)
from insurance.services.claims import (
    Decision,
    claim_release,
    claim_reverse,
    claim_review_decide,
)
from insurance.services.claims.mobile import callbacks, watching
from tests.contracts.nhsa_claims import CLERK, House, again, fund, house_open
from tests.contracts.test_nhsa_claim_mobile import disturb, number, settled, tried
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db
REVIEWER = Actor("staff", "reviewer", "李志强")


Ring = Callable[[House, Claim, int], list[str]]


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    house = house_open(sandbox)
    HeldCredential.objects.all().delete()
    return house


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch, client: Client) -> Ring:
    """The centre's verified word that an order stands so."""

    def told(house: House, claim: Claim, ord_stas: int) -> list[str]:
        state = MobileState(number(claim), str(ord_stas), None)
        monkeypatch.setattr(callbacks, "callback_read", lambda _body, _profile: state)
        before = len(house.calls())
        code = house.sandbox.nhsa["fixmedins_code"]
        answer = client.post(f"/notices/centre/{code}", b"{}", content_type="application/json")
        assert answer.json()["code"] == "0"
        return house.calls()[before:]

    return told


@pytest.mark.parametrize(("ord_stas", "reason"), [
    (8, InsuranceReason.STATE_DIFFERS),
    (12, InsuranceReason.STATE_DIFFERS),
    (14, InsuranceReason.CENTRE_STUCK),
    (16, InsuranceReason.CENTRE_STUCK),
    (21, InsuranceReason.UNKNOWN_CODE),
])  # fmt: skip
def test_a_settled_claim_whose_order_says_otherwise_is_a_persons(
    house: House,
    ring: Ring,
    ord_stas: int,
    reason: InsuranceReason,
) -> None:
    claim = settled(house)
    disturb(house, claim, ord_stas)
    assert ring(house, claim, ord_stas) == ["6301"]
    case = InsuranceReview.objects.get()
    assert (case.reason_code, case.figures["ord_stas"]) == (reason, str(ord_stas))
    assert (again(claim).status, MobileOrder.objects.get().state) == ("SETTLED", str(ord_stas))
    assert fund(house) == (2_452, 500)
    # told again it is the same case; decided, the settlement stays as it is
    ring(house, claim, ord_stas)
    claim_review_decide(
        review_id=case.pk, decision=Decision.LOOK_AGAIN, by=REVIEWER, comment="已核"
    )
    assert (again(claim).status, InsuranceReview.objects.count()) == ("SETTLED", 1)


def test_a_ring_that_comes_late_is_no_question(house: House, ring: Ring) -> None:
    claim = settled(house)
    assert ring(house, claim, 6) == []
    claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert again(claim).status == "REVERSED"
    # the settlement's own ring, after it was taken back: the centre itself says so
    assert ring(house, claim, 6) == ["6301"]
    assert not InsuranceReview.objects.exists()


def test_a_payment_of_what_was_released_is_a_persons(house: House, ring: Ring) -> None:
    claim = tried(house)
    claim_release(claim_id=claim.pk, by=CLERK)
    assert ring(house, claim, 12) == []
    disturb(house, claim, 6)
    ring(house, claim, 6)
    assert InsuranceReview.objects.get().reason_code == InsuranceReason.STATE_DIFFERS
    assert again(claim).status == "RELEASED"


def test_a_silent_centre_is_no_reason_to_forget_the_ring(house: House, ring: Ring) -> None:
    claim = settled(house)
    house.fault("mobile_query", "drop_before")
    ring(house, claim, 14)
    assert InsuranceReview.objects.get().reason_code == InsuranceReason.CENTRE_STUCK


def test_every_state_fits_some_claim_or_is_shown() -> None:
    """No state is silently taken for the end of a settled claim that lost its insurance."""
    for status in (ClaimStatus.SETTLED, ClaimStatus.REVERSED, ClaimStatus.RELEASED):
        shown = {
            code
            for code in (*ORDER_STATES, "18", "25", "x")
            if not watching.order_fits(Claim(status=status), MobileState("P", code, None))
        }
        assert {"14", "18", "25", "x"} <= shown
    gone = {"7", "8", "11", "13", "16"}
    for code in gone:
        assert not watching.order_fits(Claim(status="SETTLED"), MobileState("P", code, None))
    for code in ("4", "5", "6"):
        for status in (ClaimStatus.REVERSED, ClaimStatus.RELEASED):
            assert not watching.order_fits(Claim(status=status), MobileState("P", code, None))
