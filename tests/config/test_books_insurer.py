"""The insurer's books beside ours: equal to the fen, and what differs is named."""

from __future__ import annotations

from typing import Any

import pytest

from billing.ledger.chart import Event
from billing.ledger.entries import Leg
from billing.ledger.services import entry_post
from config import books
from core import clock
from tests.billing.insured.ward import FUND, Ward, ward_open
from tests.billing.services.bills import ask_back, part
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward(sandbox: Sandbox, still_clock: clock.FrozenClock, settings: Any) -> Ward:
    settings.SANDBOX_URL = sandbox.url
    return ward_open(sandbox, still_clock)


def test_every_part_of_the_fund_is_compared(ward: Ward) -> None:
    ward.agreement()
    bill = ward.paid()
    where = f"nhsa/{ward.sandbox.nhsa['fixmedins_code']}"
    found = books.books_compare()
    assert found.compared[where] == {"fund": 2_452, "own_account": 500, "mutual_aid": 0}
    assert (found.differences, found.open) == ([], [])
    # a return in the middle is open, and then equal again
    ask_back(bill, part(bill, 1))
    assert any(one.get("invoice_no") == bill.invoice_no for one in books.books_compare().open)
    ward.driven(bill)
    ward.refund()
    found = books.books_compare()
    assert found.compared[where] == {"fund": 600, "own_account": 500, "mutual_aid": 0}
    assert found.differences == []


def test_a_settlement_that_only_we_posted_is_named(ward: Ward) -> None:
    ward.agreement()
    bill = ward.paid()
    claim = ward.claim(bill)
    entry_post(
        reference="claim_settled:again",
        event=Event.CLAIM_SETTLED,
        occurred_at=clock.now(),
        legs=[Leg(FUND, 100, claim.pk), Leg("patient_receivable", -100, bill.pk)],
        invoice_id=bill.pk,
    )
    named = [str(one.where) for one in books.books_compare().differences]
    assert any(claim.settlement_no in where for where in named)
    assert f"nhsa/{ward.sandbox.nhsa['fixmedins_code']}" in named
