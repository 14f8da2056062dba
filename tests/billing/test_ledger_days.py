"""Closing a day: snapshots, late facts, and the race between who posts and who closes."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from billing.ledger.checking import ledger_check
from billing.ledger.closing import day_close, days_due
from billing.ledger.entries import DayNotClosable, Leg
from billing.ledger.models import ClosedDay, DaySnapshot, JournalEntry
from billing.ledger.selectors import account_balance, trial_balance
from core.clock import FrozenClock
from tests.billing.ledger_books import WECHAT, capture, issue, post

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
FUND_INSTEAD = (
    "UPDATE ledger_account SET code = 'fund_receivable/1', family = 'fund_receivable'"
    " WHERE family = 'patient_receivable'"
)


def test_a_closed_day_leaves_snapshots_and_the_balances_as_they_were(
    still_clock: FrozenClock,
) -> None:
    issue(7, 1000)
    capture(7, 600)
    still_clock.advance(DAY)
    before = trial_balance()

    closing = day_close(TODAY)

    assert (closing.entry_count, closing.posting_count, closing.account_count) == (2, 4, 3)
    assert closing.debit_fen == 1600
    assert not closing.replayed
    assert trial_balance() == before
    capture(7, 400)
    assert account_balance(WECHAT) == 1000
    still_clock.advance(DAY)
    day_close(TODAY + DAY)
    assert list(
        DaySnapshot.objects.filter(account__code=WECHAT)
        .order_by("day")
        .values_list("day", "debit_fen", "credit_fen", "balance_fen")
    ) == [(TODAY, 600, 0, 600), (TODAY + DAY, 1000, 0, 1000)]
    assert DaySnapshot.objects.filter(account__code="medical_revenue").count() == 1
    assert account_balance("medical_revenue") == -1000
    assert ledger_check().sound


def test_closing_again_answers_the_same(still_clock: FrozenClock) -> None:
    issue(7, 1000)
    still_clock.advance(DAY)
    first = day_close(TODAY)
    still_clock.advance(DAY)

    again = day_close(TODAY)

    assert again.replayed
    assert (again.closed_at, again.debit_fen) == (first.closed_at, first.debit_fen)
    assert ClosedDay.objects.count() == 1


def test_a_day_that_is_not_over_is_refused() -> None:
    issue(7, 1000)
    for day in (TODAY, TODAY + DAY):
        with pytest.raises(DayNotClosable, match="day_not_over"):
            day_close(day)
    assert not ClosedDay.objects.exists()


def test_days_close_in_order(still_clock: FrozenClock) -> None:
    issue(7, 1000)
    still_clock.advance(3 * DAY)

    for day in (TODAY - DAY, TODAY + DAY):
        with pytest.raises(DayNotClosable, match="day_out_of_order"):
            day_close(day)
    assert days_due() == [TODAY, TODAY + DAY, TODAY + 2 * DAY]
    day_close(TODAY)
    with pytest.raises(DayNotClosable, match="day_out_of_order"):
        day_close(TODAY + 2 * DAY)
    assert day_close(TODAY + DAY).entry_count == 0  # a day without postings is closed like any


def test_what_is_learnt_late_counts_on_the_first_open_day(still_clock: FrozenClock) -> None:
    issue(7, 1000)
    yesterday = still_clock.at
    still_clock.advance(DAY)
    day_close(TODAY)

    # a writer whose clock stands before midnight, after the close
    still_clock.at = yesterday
    entry = JournalEntry.objects.get(pk=capture(7, 1000))

    assert entry.business_day == TODAY + DAY
    assert entry.occurred_at == yesterday
    assert set(entry.postings.values_list("business_day", flat=True)) == {TODAY + DAY}
    assert ledger_check().sound


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_who_posts_and_misses_nothing(still_clock: FrozenClock) -> None:
    """A posting transaction open at midnight ends before the day does."""
    issue(7, 1000)
    posted, closed = threading.Event(), threading.Event()

    def close() -> None:
        posted.wait(5)
        still_clock.advance(DAY)
        day_close(TODAY)
        closed.set()
        connection.close()

    closer = threading.Thread(target=close)
    closer.start()
    with transaction.atomic():
        capture(7, 1000)
        posted.set()
        assert not closed.wait(0.3)
    closer.join()

    assert DaySnapshot.objects.get(account__code=WECHAT).balance_fen == 1000
    assert ledger_check().sound


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_close_posts_on_the_next_day(still_clock: FrozenClock) -> None:
    issue(7, 1000)
    capture(7, 1)
    waiting, days = threading.Event(), []

    def late() -> None:
        waiting.set()
        # still dated today
        entry_id = post(Leg(WECHAT, 5), Leg("patient_receivable", -5, 7), invoice_id=7)
        days.append(JournalEntry.objects.get(pk=entry_id).business_day)
        connection.close()

    writer = threading.Thread(target=late)
    with transaction.atomic():
        still_clock.advance(DAY)
        day_close(TODAY)
        still_clock.at -= DAY
        writer.start()
        waiting.wait(5)
        writer.join(0.3)
        assert writer.is_alive()
    writer.join()

    assert days == [TODAY + DAY]
    assert ledger_check().sound


def test_check_ledger_prints_the_contract() -> None:
    issue(7, 1000)
    out = StringIO()

    call_command("check_ledger", "--json", stdout=out, stderr=StringIO())

    assert json.loads(out.getvalue()) == {
        "entries": 1,
        "postings": 2,
        "unbalanced": 0,
        "violations": [],
        "accounts": {
            "medical_revenue": {"debit_fen": 0, "credit_fen": 1000, "balance_fen": -1000},
            "patient_receivable": {"debit_fen": 1000, "credit_fen": 0, "balance_fen": 1000},
        },
    }


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("UPDATE ledger_posting SET amount_fen = 999 WHERE amount_fen = 1000", "zero_sum"),
        ("DELETE FROM ledger_posting WHERE line_no = 2", "complete"),
        ("DELETE FROM ledger_entry WHERE event = 'captured'", "entry_exists"),
        ("DELETE FROM ledger_account WHERE code = 'medical_revenue'", "account_exists"),
        ("UPDATE ledger_posting SET subject = 0", "names_its_subject"),
        ("UPDATE ledger_entry SET business_day = '2026-11-21'", "one_business_day"),
        ("UPDATE ledger_day_snapshot SET debit_fen = debit_fen + 1, balance_fen = balance_fen + 1",
         "snapshot_equals_postings"),
        ("DELETE FROM ledger_day_snapshot", "closed_day_has_snapshot"),
        (FUND_INSTEAD, "fund_stays_apart"),
    ],
)  # fmt: skip
def test_check_ledger_finds_what_went_round_the_rules(
    damage: str, rule: str, still_clock: FrozenClock
) -> None:
    issue(7, 1000)
    capture(7, 600)
    still_clock.advance(DAY)
    day_close(TODAY)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(damage)
        cursor.execute("SET LOCAL session_replication_role = origin")

    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_ledger", "--json", stdout=out, stderr=StringIO())

    assert ended.value.code == 3
    assert rule in {violation["rule"] for violation in json.loads(out.getvalue())["violations"]}


def test_close_day_closes_what_is_due(still_clock: FrozenClock) -> None:
    issue(7, 1000)
    still_clock.advance(2 * DAY)
    out = StringIO()

    call_command("close_day", "--json", "--dry-run", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue()) == {"would_close": ["2026-11-20", "2026-11-21"]}
    assert not ClosedDay.objects.exists()

    call_command("close_day", stdout=out, stderr=StringIO())
    assert [day.isoformat() for day in ClosedDay.objects.values_list("day", flat=True)] == [
        "2026-11-20",
        "2026-11-21",
    ]


def test_close_day_refuses_with_4(still_clock: FrozenClock) -> None:
    issue(7, 1000)
    with pytest.raises(SystemExit) as ended:
        call_command("close_day", "--date", "2026-11-20", stdout=StringIO(), stderr=StringIO())
    assert ended.value.code == 4
