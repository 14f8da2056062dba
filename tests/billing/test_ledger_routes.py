"""No chain of entries carries the fund's money to a payer, whatever each entry says it is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from billing import postings
from billing.ledger.checking import ledger_check
from billing.ledger.entries import Leg
from tests.billing.ledger_books import WECHAT, at, capture, give_back, issue, number, post
from tests.billing.test_ledger_rules import raw_entry, raw_legs

pytestmark = pytest.mark.django_db

FUND = "fund_receivable/330300"
OTHER = "clearing/wechat_pay/1900000099"
DRAWER = "cash_drawer/main"
Chain = tuple[tuple[int | None, tuple[Leg, ...]], ...]
RECEIVABLE, PAYABLE, UNAPPLIED = "patient_receivable", "refund_payable", "unapplied"
REDUCTION = "revenue_reduction/hospital_part"
RETURNED = (7, (Leg("medical_revenue", 100), Leg(RECEIVABLE, -100, 7)))
OUT = (None, (Leg(PAYABLE, 70, 1), Leg(WECHAT, -70)))
OWED = (
    (8, (Leg("medical_revenue", 70), Leg(RECEIVABLE, -70, 8))),
    (8, (Leg(RECEIVABLE, 70, 8), Leg(PAYABLE, -70, 1))),
)
SENT_BACK = (7, (Leg(RECEIVABLE, 30, 7), Leg(PAYABLE, -30, 1)))
AGAIN = (7, (Leg(RECEIVABLE, 30, 7), Leg(PAYABLE, -30, 2)))
LEFT = (*OWED, (8, (Leg(PAYABLE, 70, 1), Leg(WECHAT, -70))))


def fund_pays_most() -> None:
    """Bill 7 of 100: the fund paid 70, the patient 30. Bill 8 of 100: the patient paid it."""
    issue(7, 100)
    post(Leg(FUND, 70, 4), Leg(RECEIVABLE, -70, 7), invoice_id=7)
    capture(7, 30)
    issue(8, 100)
    capture(8, 100)


def by_hand(chain: Chain) -> None:
    """As somebody with psql would write it, one statement per entry."""
    for invoice_id, legs in chain:
        numbered = [
            (place, leg.account, leg.subject, leg.amount_fen) for place, leg in enumerate(legs, 1)
        ]
        with connection.cursor() as cursor:
            cursor.execute(raw_entry(len(legs), invoice_id) + raw_legs(*numbered))


ESCAPES: dict[str, tuple[str, Chain]] = {
    "without an invoice": (
        "route",
        (
            RETURNED,
            (None, (Leg(RECEIVABLE, 70, 7), Leg(UNAPPLIED, -70, 11))),
            (None, (Leg(UNAPPLIED, 70, 11), Leg(PAYABLE, -70, 1))),
            OUT,
        ),
    ),
    "under the name of another": (
        "names_its_invoice",
        ((8, (Leg(RECEIVABLE, 70, 7), Leg(PAYABLE, -70, 1))), OUT),
    ),
    "parked as unexpected money": (
        "route",
        (RETURNED, (7, (Leg(RECEIVABLE, 70, 7), Leg(UNAPPLIED, -70, 11)))),
    ),
    "parked as a deposit": (
        "route",
        (RETURNED, (7, (Leg(RECEIVABLE, 70, 7), Leg("patient_deposit/d1", -70)))),
    ),
    "straight from the receivable": (
        "route",
        (RETURNED, (7, (Leg(RECEIVABLE, 70, 7), Leg(WECHAT, -70)))),
    ),
    "from the receivable by the bank": (
        "route",
        (RETURNED, (7, (Leg(RECEIVABLE, 70, 7), Leg("bank", -70)))),
    ),
    "from the revenue": ("route", ((None, (Leg("medical_revenue", 70), Leg(WECHAT, -70))),)),
    "from the revenue, parked": (
        "route",
        ((None, (Leg("medical_revenue", 70), Leg(UNAPPLIED, -70, 11))),),
    ),
    "from the revenue, as a deposit": (
        "route",
        ((None, (Leg("medical_revenue", 70), Leg("patient_deposit/d1", -70))),),
    ),
    "from unexpected money that never came": (
        "debt_covered",
        ((None, (Leg(UNAPPLIED, 70, 11), Leg(PAYABLE, -70, 1))), OUT),
    ),
    "from a deposit that was never paid": (
        "debt_covered",
        ((None, (Leg("patient_deposit/d1", 70), Leg(PAYABLE, -70, 1))), OUT),
    ),
    "a debt withdrawn that never was": (
        "route",
        ((7, (Leg(PAYABLE, 40, 2), Leg(RECEIVABLE, -40, 7))),),
    ),
    "another bill's debt withdrawn": (
        "route",
        (
            (8, (Leg("medical_revenue", 50), Leg(RECEIVABLE, -50, 8))),
            (8, (Leg(RECEIVABLE, 50, 8), Leg(PAYABLE, -50, 2))),
            (7, (Leg(PAYABLE, 40, 2), Leg(RECEIVABLE, -40, 7))),
        ),
    ),
    "written off and drawn": (
        "route",
        (
            RETURNED,
            (7, (Leg(RECEIVABLE, 70, 7), Leg("bad_debt", -70))),
            (None, (Leg("bad_debt", 70), Leg(WECHAT, -70))),
        ),
    ),
    "by a commercial insurer": (
        "route",
        (
            RETURNED,
            (7, (Leg(RECEIVABLE, 70, 7), Leg("commercial_receivable/x", -70))),
            (None, (Leg("commercial_receivable/x", 70), Leg("cash_drawer/main", -70))),
        ),
    ),
    "by a reduction": (
        "route",
        (
            RETURNED,
            (7, (Leg(RECEIVABLE, 70, 7), Leg(REDUCTION, -70))),
            (None, (Leg(REDUCTION, 70), Leg(WECHAT, -70))),
        ),
    ),
    "by a reduction of nothing": ("route", ((None, (Leg(REDUCTION, 70), Leg(WECHAT, -70))),)),
    "as a fee": ("route", ((None, (Leg("channel_fee", 70), Leg("bank", -70))),)),
    "as a loan": ("route", ((None, (Leg("credit_debt/l", 70), Leg(WECHAT, -70))),)),
    "from the revenue, parked under a bill": (
        "route",
        (
            (8, (Leg("medical_revenue", 70), Leg(UNAPPLIED, -70, 11))),
            (8, (Leg(UNAPPLIED, 70, 11), Leg(PAYABLE, -70, 1))),
            (8, (Leg(PAYABLE, 70, 1), Leg(WECHAT, -70))),
        ),
    ),
    "from the revenue, as a deposit of a bill": (
        "route",
        (
            (8, (Leg("medical_revenue", 70), Leg("patient_deposit/d1", -70))),
            (None, (Leg("patient_deposit/d1", 70), Leg(PAYABLE, -70, 1))),
            OUT,
        ),
    ),
    "a receipt without a payer": (
        "route",
        (
            RETURNED,
            (7, (Leg(WECHAT, 70), Leg("commercial_receivable/x", -70))),
            (7, (Leg(RECEIVABLE, 100, 7), Leg(PAYABLE, -100, 1))),
        ),
    ),
    "a float as a receipt": (
        "refund_within_receipts",
        (
            RETURNED,
            (7, (Leg("cash_drawer/main", 70), Leg("bank", -70))),
            (7, (Leg(RECEIVABLE, 100, 7), Leg(PAYABLE, -100, 1))),
        ),
    ),
    "a debt dressed as money changing hands": (
        "refund_alone",
        (
            RETURNED,
            (7, (Leg(RECEIVABLE, 99, 7), Leg(WECHAT, 1), Leg(PAYABLE, -100, 1))),
            (7, (Leg(PAYABLE, 100, 1), Leg(WECHAT, -100))),
        ),
    ),
    "a float beside a receipt": (
        "refund_within_receipts",
        (
            RETURNED,
            (7, (Leg(DRAWER, 70), Leg(RECEIVABLE, -1, 7), Leg("bank", -69))),
            (7, (Leg(RECEIVABLE, 100, 7), Leg(PAYABLE, -100, 1))),
        ),
    ),
    "owed anew once it left by the bank": (
        "refund_within_receipts",
        (SENT_BACK, (7, (Leg(PAYABLE, 30, 1), Leg("bank", -30))), AGAIN),
    ),
    "owed anew once it left by a payout": (
        "refund_within_receipts",
        (SENT_BACK, (7, (Leg(PAYABLE, 30, 1), Leg("payout_float/alipay", -30))), AGAIN),
    ),
    "owed anew once it left into a deposit": (
        "refund_within_receipts",
        (SENT_BACK, (7, (Leg(PAYABLE, 30, 1), Leg("patient_deposit/d1", -30))), AGAIN),
    ),
    "out of nothing": ("refund_was_owed", (OUT,)),
    "more than was ever owed": (
        "refund_was_owed",
        (
            RETURNED,
            (7, (Leg(RECEIVABLE, 30, 7), Leg(PAYABLE, -30, 1))),
            (7, (Leg(PAYABLE, 70, 1), Leg(WECHAT, -70))),
        ),
    ),
    "a refund that forgets its bill": (
        "one_invoice",
        (
            *OWED,
            OUT,
        ),
    ),
    "came back without having left": (
        "came_back_had_left",
        (
            (7, (Leg(WECHAT, 70), Leg(PAYABLE, -70, 1))),
            (7, (Leg(PAYABLE, 70, 1), Leg(DRAWER, -70))),
        ),
    ),
    "came back without having left, of no bill": (
        "came_back_had_left",
        (
            (None, (Leg("bank", 70), Leg(PAYABLE, -70, 1))),
            (None, (Leg(PAYABLE, 70, 1), Leg(DRAWER, -70))),
        ),
    ),
    "came back from where it had not gone": (
        "came_back_had_left",
        (*LEFT, (8, (Leg(OTHER, 70), Leg(PAYABLE, -70, 1)))),
    ),
    "more came back than had left": (
        "came_back_had_left",
        (*LEFT, (8, (Leg(WECHAT, 71), Leg(PAYABLE, -71, 1)))),
    ),
    "another refund came back": (
        "came_back_had_left",
        (*LEFT, (8, (Leg(WECHAT, 70), Leg(PAYABLE, -70, 2)))),
    ),
    "came back by two ways at once": (
        "refund_one_way",
        (*LEFT, (8, (Leg(WECHAT, 30), Leg(OTHER, 40), Leg(PAYABLE, -70, 1)))),
    ),
    "what came back as a debt anew": (
        "refund_was_owed",
        (
            *LEFT,
            (8, (Leg(WECHAT, 70), Leg(PAYABLE, -70, 1))),
            (8, (Leg(PAYABLE, 140, 1), Leg(DRAWER, -140))),
        ),
    ),
    "by a merchant that took nothing": (
        "refund_by_its_merchant",
        (*OWED, (8, (Leg(PAYABLE, 70, 1), Leg(OTHER, -70)))),
    ),
    "a fee without a remittance": (
        "fee_with_remittance",
        ((None, (Leg("channel_fee", 130), Leg(WECHAT, -130))),),
    ),
    "more reversed than was settled": (
        "reversed_within_claim",
        ((7, (Leg(RECEIVABLE, 170, 7), Leg(FUND, -170, 4))),),
    ),
    "reversed under the name of another bill": (
        "reversed_within_claim",
        ((8, (Leg(RECEIVABLE, 70, 8), Leg(FUND, -70, 4))),),
    ),
    "more returned than was issued": (
        "returned_within_issued",
        ((7, (Leg("medical_revenue", 101), Leg(RECEIVABLE, -101, 7))),),
    ),
}


@pytest.mark.parametrize("way", ESCAPES)
def test_no_chain_of_entries_pays_out_what_the_fund_paid(way: str) -> None:
    rule, chain = ESCAPES[way]
    fund_pays_most()
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        by_hand(chain)
    assert ledger_check().sound


@pytest.mark.parametrize("way", ESCAPES)
def test_a_chain_that_went_round_the_rules_is_reported(way: str) -> None:
    rule, chain = ESCAPES[way]
    fund_pays_most()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_posting DISABLE TRIGGER ledger_postings_hold")
    by_hand(chain)
    broken = {violation.rule for violation in ledger_check().violations}
    assert rule in broken


def unexpected(invoice_id: int | None) -> None:
    """Money nobody waited for comes in, is owed, and leaves."""
    values = {"amount_fen": 50, "occurred_at": at(), "invoice_id": invoice_id}
    refund = {"refund_id": 5, "reference": number(), **values}
    postings.post_unexpected_in(
        payment_transaction_id=11, account=WECHAT, reference=number(), **values
    )
    postings.post_unexpected_owed(payment_transaction_id=11, **refund)
    postings.post_refund_done(route=WECHAT, **refund)


def deposit() -> None:
    """A deposit is taken, imported, used for a bill, and what is left of it goes back."""
    post(Leg(WECHAT, 100), Leg("patient_deposit/d1", -100))
    post(Leg("legacy_cutover", 30), Leg("patient_deposit/d1", -30))
    issue(9, 60)
    post(Leg("patient_deposit/d1", 60), Leg(RECEIVABLE, -60, 9), invoice_id=9)
    post(Leg("patient_deposit/d1", 70), Leg(PAYABLE, -70, 6))
    post(Leg(PAYABLE, 70, 6), Leg("bank", -70))


def left_twice() -> None:
    """A channel paid a refund twice: a fact, which stands in the books and is named."""
    give_back(7, 5, 30)
    for _ in range(2):
        post(Leg(PAYABLE, 30, 5), Leg(WECHAT, -30), invoice_id=7)


def by_another_way() -> None:
    """A refund came back, and leaves again from the drawer of whoever hands it out."""
    by_hand(LEFT)
    post(Leg(WECHAT, 70), Leg(PAYABLE, -70, 1), invoice_id=8)
    post(Leg(PAYABLE, 70, 1), Leg("cash_drawer/other", -70), invoice_id=8)


def remitted() -> None:
    """Refunds of today were paid out of what is remitted for yesterday: clearing is below zero."""
    post(Leg("bank", 129), Leg("channel_fee", 1), Leg(WECHAT, -130))
    by_hand(LEFT)


def reversed_late() -> None:
    """A claim that the insurer has remitted, and one that was lost, are reversed all the same."""
    post(Leg("bank", 60), Leg("fund_loss", 10), Leg(FUND, -70, 4))
    post(Leg(RECEIVABLE, 70, 7), Leg(FUND, -70, 4), invoice_id=7)


STORIES = {
    "unexpected": lambda: unexpected(None),
    "unexpected for a bill": lambda: unexpected(7),
    "deposit": deposit,
    "by another way": by_another_way,
    "remitted": remitted,
    "reversed late": reversed_late,
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_may_leave_leaves(story: Callable[[], None]) -> None:
    fund_pays_most()
    story()
    assert ledger_check().sound


def test_what_left_twice_is_a_fact_the_check_names() -> None:
    fund_pays_most()
    left_twice()
    assert [str(v.rule) for v in ledger_check().violations] == ["refund_left_twice"]


def test_a_payment_is_not_reversed_but_refunded() -> None:
    fund_pays_most()
    with pytest.raises(IntegrityError, match="route"), transaction.atomic():
        post(Leg(RECEIVABLE, 20, 7), Leg(WECHAT, -20), invoice_id=7)
