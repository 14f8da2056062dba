"""Claims whose process was killed between any two steps: whoever calls again ends them right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.outcomes import Outcome
from insurance.gateway.claim_values import Split
from insurance.services import exchange
from insurance.services.claims import (
    PricedState,
    claim_look,
    claim_price,
    claim_reverse,
    claim_settle,
    claims_due,
)
from tests.contracts.nhsa_claims import (
    CART_SPLIT,
    CLERK,
    House,
    again,
    fund,
    house_open,
    later,
)
from tests.contracts.nhsa_house import SERVICE
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    return house_open(sandbox)


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Arm one failpoint: the next pass raises what no service catches, once."""
    armed: set[str] = set()

    def pass_or_die(name: str) -> None:
        if name in armed:
            armed.remove(name)
            raise Killed(name)

    for module in ("applying", "looking", "pricing", "releasing", "reversing", "settling",
                   "speaking"):  # fmt: skip
        monkeypatch.setattr(f"insurance.services.claims.{module}.failpoint", pass_or_die)
    monkeypatch.setattr(exchange, "failpoint", pass_or_die)
    return armed.add


PRICING = ["after_sign_in", "after_person", "after_visit", "after_registered", "after_told",
           "after_lines_begun", "before_lines", "after_lines", "before_trial",
           "after_trial"]  # fmt: skip


@pytest.mark.parametrize("point", PRICING)
def test_pricing_goes_on_where_it_was_killed(
    house: House, kill: Callable[[str], None], point: str
) -> None:
    claim = house.open()
    kill(f"claim.{point}")
    with pytest.raises(Killed):
        claim_price(claim_id=claim.pk)
    priced = claim_price(claim_id=claim.pk)
    assert (priced.state, priced.split) == (PricedState.PRICED, CART_SPLIT)
    assert house.calls().count("2201") == 1
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
@pytest.mark.parametrize("operation", ["query", "register", "upload", "presettle"])
def test_pricing_goes_on_after_a_lost_answer(house: House, operation: str, fault: str) -> None:
    claim = house.open()
    house.fault(operation, fault)
    states = [claim_price(claim_id=claim.pk).state for _try in range(2)]
    assert states == [PricedState.UNKNOWN, PricedState.PRICED]
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT


SETTLING = ["before_settle", "after_settle", "before_apply", "after_apply"]


@pytest.mark.parametrize("point", [f"claim.{one}" for one in SETTLING]
                         + ["insurance.before_send", "insurance.after_send"])  # fmt: skip
def test_settling_ends_right_wherever_it_was_killed(
    house: House, kill: Callable[[str], None], point: str
) -> None:
    claim = house.priced()
    kill(point)
    with pytest.raises(Killed):
        claim_settle(claim_id=claim.pk)
    later(claim)
    if again(claim).status == "PRICED":
        claim_settle(claim_id=claim.pk)
    assert (again(claim).status, again(claim).settled_split) == ("SETTLED", CART_SPLIT)
    assert fund(house) == (2_452, 500)


def test_a_send_another_process_is_making_is_left_alone(
    house: House, kill: Callable[[str], None]
) -> None:
    claim = house.priced()
    kill("claim.before_settle")
    with pytest.raises(Killed):
        claim_settle(claim_id=claim.pk)
    before = len(house.calls())
    assert claim_look(claim_id=claim.pk).outcome is Outcome.UNKNOWN
    assert len(house.calls()) == before and claims_due(limit=10) == []


@pytest.mark.parametrize(
    "point", ["before_reverse", "after_reverse", "before_reversal_apply", "after_reversal_apply"]
)
def test_reversing_ends_right_wherever_it_was_killed(
    house: House, kill: Callable[[str], None], point: str
) -> None:
    claim = house.priced()
    claim_settle(claim_id=claim.pk)
    kill(f"claim.{point}")
    with pytest.raises(Killed):
        claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    later(claim)
    if again(claim).status == "SETTLED":
        claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert (again(claim).status, fund(house)) == ("REVERSED", (0, 0))


def test_an_older_attempt_that_wakes_writes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = house.open((SERVICE, 1_000))
    true_send = exchange.message_send
    nested: list[Any] = []

    def overtaken(**said: Any) -> Any:
        answer = true_send(**said)
        if said["call"].code == "2206" and not nested:
            nested.append(None)
            nested[0] = claim_price(claim_id=claim.pk)
        return answer

    monkeypatch.setattr("insurance.services.claims.speaking.message_send", overtaken)
    outer = claim_price(claim_id=claim.pk)
    assert nested[0].state is PricedState.PRICED
    assert (outer.state, outer.code) == (PricedState.UNKNOWN, "OVERTAKEN")
    assert nested[0].split == Split(600, 400, 0, 0, 0)
