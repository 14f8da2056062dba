"""Our own work on a claim or an order breaks off: kept, rarer each time, told to a person."""

from __future__ import annotations

from typing import Any

import pytest

from billing import tasks
from billing.models import BillingReview
from core import clock
from insurance.models import Claim
from insurance.services.claims import claim_resume, claims_due
from tests.billing.insured.ward import Ward

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda *_task: True)


def broken(*_given: Any, **_more: Any) -> None:
    raise RuntimeError("a name that must not be kept: 王小明")


def test_a_claim_that_cannot_be_looked_at(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a settlement without an answer, whose claim waits to be asked about
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "drop_after")
    ward.collect(bill)
    claim = ward.claim(bill)
    assert claim.status == "SETTLING" and claim.due_at is not None
    ward.later((claim.due_at - clock.now()).total_seconds())
    # when our own look breaks off again and again
    monkeypatch.setattr(tasks, "claim_resume", broken)
    waited = []
    for _try in range(5):
        assert claims_due(limit=10) == [claim.pk]
        tasks.claim_leased_task(claim.pk)
        claim = Claim.objects.get(pk=claim.pk)
        assert claim.due_at is not None
        waited.append((claim.due_at - clock.now()).total_seconds())
        assert claims_due(limit=10) == []
        ward.later((claim.due_at - clock.now()).total_seconds())
    # then it is tried more and more rarely, and a person is told by the bill
    assert waited == [15, 30, 60, 300, 900]
    review = BillingReview.objects.get(invoice=bill, reason_code="not_ended")
    assert review.figures == {"attempts": 5, "code": "RuntimeError"}
    # and once nothing stands in its way it ends by itself
    monkeypatch.setattr(tasks, "claim_resume", claim_resume)
    assert claims_due(limit=10) == [claim.pk]
    tasks.claim_leased_task(claim.pk)
    ward.ended(bill)
    assert (bill.status, ward.claim(bill).status) == ("PAID", "SETTLED")
