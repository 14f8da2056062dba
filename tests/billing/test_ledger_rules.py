"""What the database refuses, whoever asks: here by SQL and by legs that no event makes."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError

from billing import postings
from billing.ledger.accounts import accounts_resolve
from billing.ledger.checking import ledger_check
from billing.ledger.entries import Leg
from billing.ledger.models import JournalEntry, Posting
from tests.billing.ledger_books import WECHAT, at, capture, give_back, issue, number, post

pytestmark = pytest.mark.django_db

FUND = "fund_receivable/330300"


def raw_entry(posting_count: int = 2, invoice_id: int | None = None) -> str:
    """The SQL of an entry by hand, as a psql user would write it; the legs follow."""
    return (
        "WITH e AS (INSERT INTO ledger_entry (reference, event, occurred_at, created_at,"
        f" business_day, invoice_id, posting_count) VALUES ('{number()}', 'x', now(), now(),"
        f" '2026-11-20', {invoice_id or 'NULL'}, {posting_count}) RETURNING id, business_day)"
    )


def raw_legs(*legs: tuple[int, str, int, int]) -> str:
    accounts = accounts_resolve({leg[1] for leg in legs})
    rows = ", ".join(
        f"({line}, {accounts[code].id}, {subject}, {amount})"
        for line, code, subject, amount in legs
    )
    return (
        " INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen,"
        f" business_day) SELECT e.id, l.*, e.business_day FROM e, (VALUES {rows}) l"
    )


def refused(rule: str, sql: str) -> None:
    before = (JournalEntry.objects.count(), Posting.objects.count())
    refusal = pytest.raises(IntegrityError, match=rule)
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert (JournalEntry.objects.count(), Posting.objects.count()) == before


@pytest.mark.parametrize(
    ("rule", "count", "legs"),
    [
        ("zero_sum", 2, ((1, WECHAT, 0, 5), (2, "medical_revenue", 0, -4))),
        ("complete", 2, ((1, WECHAT, 0, 5),)),
        ("complete", 3, ((1, WECHAT, 0, 5), (2, "medical_revenue", 0, -5))),
        ("complete", 2, ((1, WECHAT, 0, 5), (3, "medical_revenue", 0, -5))),
        ("complete", 2, ((0, WECHAT, 0, 5), (1, "medical_revenue", 0, -5))),
        ("two_legs", 1, ((1, WECHAT, 0, 5),)),
        ("not_zero", 2, ((1, WECHAT, 0, 0), (2, "medical_revenue", 0, 0))),
        ("names_its_subject", 2, ((1, WECHAT, 0, 5), (2, "patient_receivable", 0, -5))),
        ("names_its_subject", 2, ((1, WECHAT, 0, 5), (2, "unapplied", 0, -5))),
        ("names_its_subject", 2, ((1, "bank", 0, 5), (2, FUND, 0, -5))),
        ("subject_set", 2, ((1, WECHAT, 0, 5), (2, "unapplied", -1, -5))),
    ],
)
def test_an_entry_by_hand_keeps_the_rules(
    rule: str, count: int, legs: tuple[tuple[int, str, int, int], ...]
) -> None:
    refused(rule, raw_entry(count) + raw_legs(*legs))


def test_an_entry_by_hand_that_keeps_them_is_taken() -> None:
    sql = raw_entry(2, 7) + raw_legs((1, WECHAT, 0, 5), (2, "patient_receivable", 7, -5))
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert ledger_check().sound


def test_an_entry_without_legs_is_refused() -> None:
    refused("complete", raw_entry() + " SELECT 1")


def test_an_account_outside_the_books_is_refused() -> None:
    sql = raw_entry() + raw_legs((1, WECHAT, 0, 5), (2, "medical_revenue", 0, -5))
    account = accounts_resolve([WECHAT])[WECHAT].id
    refused("account_exists", sql.replace(f"(1, {account}, 0", "(1, 987654321, 0"))


def test_nothing_joins_an_entry_later() -> None:
    entry_id = capture(7, 100)
    account = accounts_resolve([WECHAT])[WECHAT].id
    add = "INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen,"
    add += f" business_day) SELECT {entry_id}, n, {account}, 0, a, '2026-11-20' FROM (VALUES "

    refused("complete", add + "(3, 5), (4, -5)) v (n, a)")
    refused("ledger_posting_pkey", add + "(1, 5), (2, -5)) v (n, a)")
    refused("entry_exists", add.replace(str(entry_id), "987654321") + "(1, 5), (2, -5)) v (n, a)")


def test_the_day_of_a_leg_is_the_day_of_its_entry() -> None:
    sql = raw_entry() + raw_legs((1, WECHAT, 0, 5), (2, "medical_revenue", 0, -5))
    refused("one_business_day", sql.replace("l.*, e.business_day", "l.*, date '2026-11-19'"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET amount_fen = amount_fen + 1",
        "UPDATE ledger_entry SET event = 'other'",
        "UPDATE ledger_account SET code = 'bank'",
        "DELETE FROM ledger_posting",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_posting",
        "TRUNCATE ledger_entry",
        "TRUNCATE ledger_day_snapshot",
        "DELETE FROM ledger_closed_day",
    ],
)
def test_what_is_written_stays(statement: str) -> None:
    capture(7, 100)

    refusal = pytest.raises((IntegrityError, InternalError), match="append-only")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert ledger_check().accounts[0].debit_fen == 100


@pytest.mark.parametrize(
    "other",
    [WECHAT, "cash_drawer/main", "medical_revenue", "refund_payable", "patient_deposit/d1"],
)
def test_the_funds_money_meets_only_its_own_accounts(other: str) -> None:
    """An entry with fund_receivable never pays anybody out."""
    with pytest.raises(IntegrityError, match="fund_stays_apart"), transaction.atomic():
        post(Leg(other, 50, 3), Leg(FUND, -50, 4), invoice_id=7)
    with pytest.raises(IntegrityError, match="fund_stays_apart"), transaction.atomic():
        post(Leg("bank", 60), Leg(other, -10, 3), Leg(FUND, -50, 4), invoice_id=7)


def test_the_funds_own_entries_are_taken() -> None:
    issue(7, 100)
    post(Leg(FUND, 100, 4), Leg("patient_receivable", -100, 7), invoice_id=7)
    post(
        Leg("bank", 70),
        Leg("fund_loss", 20),
        Leg("revenue_reduction/insurer_difference", 10),
        Leg(FUND, -100, 4),
    )
    assert ledger_check().sound


def test_what_the_fund_paid_is_never_refundable() -> None:
    # given a bill of 100 of which the fund paid 70 and the patient 30
    issue(7, 100)
    post(Leg(FUND, 70, 4), Leg("patient_receivable", -70, 7), invoice_id=7)
    capture(7, 30)

    # when everything comes back, then only the patient's 30 may be owed
    with pytest.raises(IntegrityError, match="refund_within_receipts"), transaction.atomic():
        give_back(7, 1, 31)
    give_back(7, 1, 30)
    with pytest.raises(IntegrityError, match="refund_within_receipts"), transaction.atomic():
        give_back(7, 2, 1)
    assert ledger_check().sound


def refund_done() -> None:
    postings.post_refund_done(
        refund_id=1, amount_fen=60, route=WECHAT, reference=number(), occurred_at=at(), invoice_id=7
    )


def test_what_is_left_to_refund() -> None:
    """Money that went back stays counted."""
    issue(7, 100)
    capture(7, 100)
    give_back(7, 1, 60)
    refund_done()

    with pytest.raises(IntegrityError, match="refund_within_receipts"), transaction.atomic():
        give_back(7, 2, 41)
    give_back(7, 2, 40)


def test_a_refund_that_came_back_is_owed_again_not_twice() -> None:
    issue(7, 100)
    capture(7, 100)
    give_back(7, 1, 100)
    for n in range(3):
        postings.post_refund_done(
            refund_id=1, amount_fen=100, route=WECHAT, reference=f"out{n}", occurred_at=at(),
            invoice_id=7,
        )  # fmt: skip
        postings.post_refund_came_back(
            refund_id=1, amount_fen=100, route=WECHAT, reference=f"back{n}", occurred_at=at(),
            invoice_id=7,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="refund_within_receipts"), transaction.atomic():
        give_back(7, 1, 1)


def test_unexpected_money_is_refundable_and_once_applied_pays_the_bill() -> None:
    issue(7, 100)
    for transaction_id in (11, 12):
        postings.post_unexpected_in(
            payment_transaction_id=transaction_id, amount_fen=100, account=WECHAT,
            reference=f"in{transaction_id}", occurred_at=at(), invoice_id=7,
        )  # fmt: skip
    postings.post_unexpected_owed(
        payment_transaction_id=11, refund_id=1, amount_fen=100, reference="owed",
        occurred_at=at(), invoice_id=7,
    )  # fmt: skip
    postings.post_unexpected_applied(
        payment_transaction_id=12, invoice_id=7, amount_fen=100, reference="on", occurred_at=at()
    )

    with pytest.raises(IntegrityError, match="refund_within_receipts"), transaction.atomic():
        give_back(7, 2, 101)
    give_back(7, 2, 100)
    assert ledger_check().sound


@pytest.mark.django_db(transaction=True)
def test_two_refunds_at_once_do_not_miss_each_other() -> None:
    issue(7, 100)
    capture(7, 100)
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def run(refund_id: int) -> None:
        try:
            with transaction.atomic():
                together.wait()
                give_back(7, refund_id, 60)
                time.sleep(0.1)  # both stand uncommitted side by side, were it not for the lock
            outcomes.append("owed")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["owed", "refused"]
    assert ledger_check().sound


@pytest.mark.django_db(transaction=True)
def test_an_older_snapshot_does_not_post() -> None:
    refusal = pytest.raises(IntegrityError, match="read_committed")
    with refusal, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        capture(7, 100)


def test_a_refund_owed_of_a_receivable_names_its_invoice() -> None:
    legs = (Leg("patient_receivable", 5, 7), Leg("refund_payable", -5, 1))
    with pytest.raises(IntegrityError, match="names_its_invoice"), transaction.atomic():
        post(*legs)


def test_a_refund_is_not_taken_from_revenue() -> None:
    legs = (Leg("medical_revenue", 5), Leg("refund_payable", -5, 1))
    with pytest.raises(IntegrityError, match="route"), transaction.atomic():
        post(*legs, invoice_id=7)


def test_an_account_is_what_its_path_says() -> None:
    insert = "INSERT INTO ledger_account (code, family, kind, needs_subject) VALUES "
    for row in (
        "('fund_receivable/1', 'bank', 'asset', true)",
        "('unapplied', 'unapplied', 'liability', false)",
        "('bank', 'bank', 'pocket', false)",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(insert + row)
