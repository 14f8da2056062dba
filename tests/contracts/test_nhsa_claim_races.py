"""Two workers at one claim, each with a connection of its own: the insurer is asked once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import close_old_connections, connection

from core.errors import Conflict
from core.outcomes import Outcome
from insurance.models import Claim, ClaimStatus
from insurance.services.claims import (
    PricedState,
    claim_look,
    claim_price,
    claim_reverse,
    claim_settle,
    claims_due,
)
from tests.contracts.nhsa_claims import CART_SPLIT, CLERK, House, again, fund, house_open
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    return house_open(sandbox)


def at_once(work: Callable[[], Any]) -> list[Any]:
    """What each worker got; a refusal is what it got."""

    def run() -> Any:
        close_old_connections()
        try:
            return work()
        except Conflict as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return [one.result() for one in [pool.submit(run) for _worker in range(WORKERS)]]


def test_workers_that_settle_at_once_settle_once(house: House) -> None:
    claim = house.priced()
    ends = at_once(lambda: claim_settle(claim_id=claim.pk))
    assert {one.outcome for one in ends} <= {Outcome.SUCCEEDED, Outcome.UNKNOWN}
    assert (again(claim).status, house.calls().count("2207")) == ("SETTLED", 1)
    assert fund(house) == (2_452, 500)
    at_once(lambda: claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK))
    assert (again(claim).status, house.calls().count("2208")) == ("REVERSED", 1)
    assert fund(house) == (0, 0)


def test_workers_that_price_at_once_end_with_one_price(house: House) -> None:
    claim = house.open()
    for _again in range(3):
        ends = at_once(lambda: claim_price(claim_id=claim.pk))
        assert {one.state for one in ends if not isinstance(one, Conflict)} <= {
            PricedState.PRICED, PricedState.UNKNOWN, PricedState.REFUSED,
        }  # fmt: skip
    assert claim_price(claim_id=claim.pk).split == CART_SPLIT
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT


def test_workers_that_look_at_once_end_with_one_state(house: House) -> None:
    claim = house.priced()
    house.fault("settle", "drop_after")
    claim_settle(claim_id=claim.pk)
    at_once(lambda: claim_look(claim_id=claim.pk))
    assert (again(claim).status, fund(house)) == ("SETTLED", (2_452, 500))


def test_workers_that_open_at_once_open_one(house: House) -> None:
    ends = at_once(lambda: house.open(ref=7))
    assert sum(isinstance(one, Claim) for one in ends) == 1
    assert Claim.objects.filter(invoice_ref=7, status=ClaimStatus.OPEN).count() == 1


def test_due_work_is_taken_by_one_sweeper(house: House) -> None:
    for _bill in range(6):
        claim = house.open()
        Claim.objects.filter(pk=claim.pk).update(due_at=claim.created_at)
    taken = [key for keys in at_once(lambda: claims_due(limit=3)) for key in keys]
    assert len(taken) == len(set(taken)) == 6
