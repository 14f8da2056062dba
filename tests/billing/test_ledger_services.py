"""Posting: one statement, balanced, once; and what is refused before anything is written."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing import postings
from billing.ledger.accounts import accounts_resolve
from billing.ledger.chart import Event, UnknownAccount
from billing.ledger.entries import (
    AlreadyPosted,
    EntryDraft,
    Leg,
    MissingSubject,
    PartlyPosted,
    ReferenceReused,
    UnbalancedEntry,
)
from billing.ledger.models import JournalEntry, LedgerAccount, Posting
from billing.ledger.selectors import account_balance, subject_balance, trial_balance
from billing.ledger.services import entries_post, entry_post
from tests.billing.ledger_books import WECHAT, at, capture, give_back, issue, post

pytestmark = pytest.mark.django_db

PAIR = (Leg(WECHAT, 8640), Leg("patient_receivable", -8640, 7))


def test_an_entry_is_written_with_its_legs() -> None:
    occurred_at = at() - timedelta(hours=30)
    entry_id = entry_post(
        reference="captured:PT1",
        event=Event.CAPTURED,
        occurred_at=occurred_at,
        legs=PAIR,
        invoice_id=7,
    )

    entry = JournalEntry.objects.get(pk=entry_id)
    assert (entry.reference, entry.event, entry.invoice_id) == ("captured:PT1", "captured", 7)
    assert entry.occurred_at == occurred_at
    assert entry.created_at == at()
    assert entry.business_day == at().date()
    assert list(
        entry.postings.order_by("line_no").values_list(
            "line_no", "account__code", "subject", "amount_fen"
        )
    ) == [(1, WECHAT, 0, 8640), (2, "patient_receivable", 7, -8640)]


def test_a_bill_paid_and_partly_returned_ends_where_it_should() -> None:
    issue(7, 10000)
    capture(7, 10000)
    give_back(7, 3, 2500)
    postings.post_refund_done(
        refund_id=3,
        amount_fen=2500,
        route=WECHAT,
        reference="RF3",
        occurred_at=at(),
        invoice_id=7,
    )

    assert subject_balance("patient_receivable", 7) == 0
    assert subject_balance("refund_payable", 3) == 0
    assert account_balance("medical_revenue") == -7500
    assert account_balance(WECHAT) == 7500
    assert {row.code: (row.debit_fen, row.credit_fen) for row in trial_balance()} == {
        "patient_receivable": (12500, 12500),
        "medical_revenue": (2500, 10000),
        "refund_payable": (2500, 2500),
        WECHAT: (10000, 2500),
    }


@pytest.mark.django_db(transaction=True)
def test_posting_is_one_statement_however_many_legs() -> None:
    issue(7, 100_000)
    capture(7, 100)
    many = [Leg(WECHAT, 100) for _ in range(9)] + [Leg("patient_receivable", -900, 7)]

    for legs in (PAIR, many):
        with CaptureQueriesContext(connection) as queries:
            post(*legs, invoice_id=7)
        assert len(queries) == 1

    give_back(7, 3, 400)  # makes the account's row
    with CaptureQueriesContext(connection) as queries:
        give_back(7, 3, 400)
    assert len(queries) == 1


def test_the_same_entry_again_is_answered_and_changes_nothing() -> None:
    first = post(*PAIR, reference="captured:PT1", invoice_id=7)

    with transaction.atomic():
        with pytest.raises(AlreadyPosted) as refused:
            post(*PAIR, reference="captured:PT1", invoice_id=7)
        capture(8, 5)  # the transaction lives

    assert refused.value.entry_id == first
    assert account_balance(WECHAT) == 8645


@pytest.mark.parametrize(
    ("legs", "invoice_id"),
    [
        ((Leg(WECHAT, 8641), Leg("patient_receivable", -8641, 7)), 7),
        ((Leg(WECHAT, 8640), Leg("patient_receivable", -8640, 8)), 7),
        (PAIR, 8),
    ],
    ids=["amount", "subject", "invoice"],
)
def test_a_reference_is_not_reused_for_something_else(
    legs: tuple[Leg, ...], invoice_id: int
) -> None:
    post(*PAIR, reference="captured:PT1", invoice_id=7)

    with pytest.raises(ReferenceReused):
        post(*legs, reference="captured:PT1", invoice_id=invoice_id)

    assert account_balance(WECHAT) == 8640


@pytest.mark.parametrize(
    ("legs", "error"),
    [
        ((), UnbalancedEntry),
        ((Leg(WECHAT, 5),), UnbalancedEntry),
        ((Leg(WECHAT, 5), Leg("patient_receivable", -4, 7)), UnbalancedEntry),
        ((Leg(WECHAT, 0), Leg("patient_receivable", 0, 7)), UnbalancedEntry),
        ((Leg(WECHAT, 5), Leg("patient_receivable", -5)), MissingSubject),
        ((Leg(WECHAT, 5), Leg("patient_receivable", -5, -7)), MissingSubject),
        ((Leg("clearing/wechat_pay", 5), Leg("medical_revenue", -5)), UnknownAccount),
        ((Leg("clearing/wechat pay/1", 5), Leg("medical_revenue", -5)), UnknownAccount),
        ((Leg("slush_fund", 5), Leg("medical_revenue", -5)), UnknownAccount),
    ],
)
def test_a_wrong_entry_is_refused_before_it_is_written(
    legs: tuple[Leg, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        post(*legs)

    assert not JournalEntry.objects.exists()
    assert not Posting.objects.exists()


@pytest.mark.parametrize("amount_fen", [0, -1])
def test_an_event_has_a_positive_amount(amount_fen: int) -> None:
    with pytest.raises(UnbalancedEntry):
        issue(7, amount_fen)


def test_several_entries_travel_in_one_statement() -> None:
    issue(7, 1000)
    capture(7, 1000)

    returned, owed = give_back(7, 3, 400)

    assert returned < owed
    assert JournalEntry.objects.get(pk=returned).event == "lines_returned"
    assert JournalEntry.objects.get(pk=owed).event == "refund_owed"
    assert subject_balance("refund_payable", 3) == -400


def test_several_entries_posted_before_are_all_or_none() -> None:
    drafts = [EntryDraft(f"d{n}", Event.CAPTURED, at(), PAIR, 7) for n in range(3)]
    entries_post(drafts[:2])

    with pytest.raises(AlreadyPosted):
        entries_post(drafts[:2])
    with pytest.raises(PartlyPosted), transaction.atomic():
        entries_post(drafts)

    assert JournalEntry.objects.count() == 2


def test_an_account_of_a_rolled_back_transaction_is_not_remembered() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        accounts_resolve(["cash_drawer/s1"])
        raise ZeroDivisionError

    assert not LedgerAccount.objects.filter(code="cash_drawer/s1").exists()
    post(Leg("cash_drawer/s1", 5), Leg("patient_receivable", -5, 7), invoice_id=7)
    assert account_balance("cash_drawer/s1") == 5


def test_an_unused_account_has_no_balance() -> None:
    assert account_balance("cash_drawer/never") == 0
    assert subject_balance("patient_receivable", 999) == 0


@pytest.mark.django_db(transaction=True)
def test_the_same_event_at_once_is_posted_once() -> None:
    outcomes: list[str] = []
    together = threading.Barrier(4)

    def run() -> None:
        together.wait()
        try:
            post(*PAIR, reference="captured:PT1", invoice_id=7)
            outcomes.append("posted")
        except AlreadyPosted:
            outcomes.append("already")
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["already", "already", "already", "posted"]
    assert account_balance(WECHAT) == 8640
