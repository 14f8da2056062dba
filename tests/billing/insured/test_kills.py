"""Killed between any two steps: whoever drives the bill again ends it right, on all three sides.

The death is an exception nobody catches, raised at the n-th named point that the work passes; what
was not committed is gone with it, and what the counterparties did stands.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from billing.models import Invoice, InvoiceReturn, PaymentTransaction
from billing.services.sweeps import transaction_resume
from core import failpoints
from insurance.models import Claim
from insurance.services.claims import claim_resume
from tests.billing.insured.ward import Ward, even, split_of
from tests.billing.services.bills import ask_back, part
from tests.factories import payments

pytestmark = pytest.mark.django_db
SPLIT = (2_452, 500, 0, 0, 1_398)
REST = (600, 500, 0, 0, 0)
# More points than any of these journeys passes: the last ones die nowhere.
POINTS = range(1, 34, 3)


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def die_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Arm the n-th point that is passed from now on, whatever its name."""
    left = [0]

    def pass_or_die(name: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed(name)

    def arm(passes: int) -> None:
        left[0] = passes
        monkeypatch.setattr(failpoints, "_active", True)
        monkeypatch.setattr(failpoints, "_pass", pass_or_die)

    return arm


def sweep(ward: Ward, bill: Invoice) -> None:
    """What the sweepers do in the minutes after, until nothing is due any more."""
    for _round in range(4):
        ward.later(61)
        open_rows = PaymentTransaction.objects.filter(status__in=PaymentTransaction.IN_FLIGHT)
        for pk in list(open_rows.values_list("pk", flat=True)):
            transaction_resume(transaction_id=pk)
        for pk in list(Claim.objects.filter(due_at__isnull=False).values_list("pk", flat=True)):
            claim_resume(claim_id=pk)
        bill.refresh_from_db()
        if bill.status in Invoice.DRIVEN:
            ward.driven(bill)


def killed(work: Callable[[], object]) -> bool:
    try:
        work()
    except Killed:
        return True
    return False


@pytest.mark.parametrize("method", ["auto", "one_code", "cash"])
@pytest.mark.parametrize("passes", POINTS)
def test_a_collect_that_died_anywhere_ends_paid_once(
    ward: Ward, die_at: Callable[[int], None], passes: int, method: str
) -> None:
    if method == "auto":
        ward.agreement()
    bill = ward.bill()
    code = ward.code() if method == "one_code" else ""
    payments.collect(bill, method, auth_code=code)
    die_at(passes)
    killed(lambda: (ward.driven(bill), ward.ended(bill)))
    die_at(0)
    sweep(ward, bill)
    if bill.status == "ISSUED":
        # A code that was scanned and not sent pays nothing; another way does.
        ward.collect(bill, "cash")
    sweep(ward, bill)
    assert (bill.status, split_of(bill)) == ("PAID", SPLIT)
    books = ward.books()
    assert (books["fund"], books["own_account"]) == (2_452, 500)
    assert len(Claim.objects.filter(status="SETTLED")) == 1
    even(ward, bill)


@pytest.mark.parametrize("passes", POINTS)
def test_a_return_that_died_anywhere_gives_back_once(
    ward: Ward, die_at: Callable[[int], None], passes: int
) -> None:
    ward.agreement()
    bill = ward.paid()
    ask_back(bill, part(bill, 1))
    die_at(passes)
    killed(lambda: (ward.driven(bill), ward.refund()))
    die_at(0)
    sweep(ward, bill)
    assert (bill.status, split_of(bill)) == ("PARTLY_REFUNDED", REST)
    assert InvoiceReturn.objects.get().status == "DONE"
    assert ward.books() == {"fund": 600, "own_account": 500, "captured": 1_398, "refunded": 1_398}
    even(ward, bill)


@pytest.mark.parametrize("passes", range(1, 40, 3))
def test_a_dearer_settlement_that_died_anywhere_ends_even(
    ward: Ward, die_at: Callable[[int], None], passes: int
) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=2)
    payments.collect(bill)
    die_at(passes)
    killed(lambda: (ward.driven(bill), ward.ended(bill)))
    die_at(0)
    sweep(ward, bill)
    sweep(ward, bill)
    assert (bill.status, split_of(bill)) == ("PAID", SPLIT)
    books = ward.books()
    assert books["captured"] - books["refunded"] == 1_398
    even(ward, bill)
