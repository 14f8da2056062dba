"""Closing a business day (日结): after it, no posting bears that day or an earlier one."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from billing.ledger.entries import DayClosing, DayNotClosable
from billing.ledger.locks import open_days_lock_exclusive
from billing.ledger.models import ClosedDay, JournalEntry
from core import clock

# Every account that moved since the last closed day gets its sums from the very beginning. Without
# a closed day before, everything up to the day belongs to it.
_SNAPSHOT = """
WITH moved AS (
  SELECT account_id, count(*) AS postings,
    coalesce(sum(amount_fen) FILTER (WHERE amount_fen > 0), 0) AS debit_fen,
    coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0) AS credit_fen
  FROM ledger_posting
  WHERE business_day <= %(day)s AND business_day > %(after)s
  GROUP BY account_id
), written AS (
  INSERT INTO ledger_day_snapshot (account_id, day, debit_fen, credit_fen, balance_fen)
  SELECT moved.account_id, %(day)s,
    moved.debit_fen + coalesce(before.debit_fen, 0),
    moved.credit_fen + coalesce(before.credit_fen, 0),
    moved.debit_fen - moved.credit_fen + coalesce(before.balance_fen, 0)
  FROM moved LEFT JOIN LATERAL (
    SELECT s.debit_fen, s.credit_fen, s.balance_fen FROM ledger_day_snapshot s
    WHERE s.account_id = moved.account_id ORDER BY s.day DESC LIMIT 1
  ) AS before ON true
), entries AS (
  SELECT count(DISTINCT entry_id) AS entries FROM ledger_posting
  WHERE business_day <= %(day)s AND business_day > %(after)s
)
INSERT INTO ledger_closed_day
  (day, closed_at, entry_count, posting_count, account_count, debit_fen)
SELECT %(day)s, %(now)s, (SELECT entries FROM entries), coalesce(sum(postings), 0), count(*),
  coalesce(sum(debit_fen), 0)
FROM moved
"""


def day_close(day: date) -> DayClosing:
    """Close a day that is over. A day closed before answers what it answered then.

    Raises `DayNotClosable` for a day that is not over and for one whose predecessor is still open.
    Waits for posting transactions no longer than the session's lock_timeout.
    """
    if day >= clock.today():
        raise DayNotClosable("day_not_over", _("%(day)s is not over yet.") % {"day": day}, "date")
    with transaction.atomic():
        open_days_lock_exclusive()
        closed = ClosedDay.objects.filter(day=day).first()
        if closed is not None:
            return _closing(closed, replayed=True)
        after, first = _next_open_day()
        if first is not None and day != first:
            message = _("The next day to close is %(first)s, not %(day)s.")
            values = {"first": first, "day": day}
            raise DayNotClosable("day_out_of_order", message % values, "date")
        with connection.cursor() as cursor:
            cursor.execute(_SNAPSHOT, {"day": day, "after": after, "now": clock.now()})
        closing = _closing(ClosedDay.objects.get(day=day), replayed=False)
    _summarize_days()
    return closing


def days_due() -> list[date]:
    """The days that are over and still open, oldest first."""
    _, first = _next_open_day()
    days: list[date] = []
    while first is not None and first < clock.today():
        days.append(first)
        first += timedelta(days=1)
    return days


def _next_open_day() -> tuple[date, date | None]:
    """The last closed day (or the beginning of time), and the day to close next (None: any)."""
    last = ClosedDay.objects.order_by("-day").values_list("day", flat=True).first()
    if last is not None:
        return last, last + timedelta(days=1)
    return date.min, JournalEntry.objects.aggregate(first=Min("business_day"))["first"]


def _summarize_days() -> None:
    """Tell the block-range index about the day's blocks, so that the next close skips them.

    Outside the closing transaction: it may wait for a vacuum of the postings, and nobody who
    posts should wait with it. Inside a caller's transaction it is left to autovacuum, and so it is
    for a role that does not own the index, which PostgreSQL would not let do it.
    """
    if connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT brin_summarize_new_values(oid) FROM pg_class"
            " WHERE oid = 'public.ledger_posting_brin'::regclass AND pg_has_role(relowner, 'USAGE')"
        )


def _closing(row: ClosedDay, *, replayed: bool) -> DayClosing:
    return DayClosing(
        day=row.day,
        closed_at=row.closed_at,
        entry_count=row.entry_count,
        posting_count=row.posting_count,
        account_count=row.account_count,
        debit_fen=row.debit_fen,
        replayed=replayed,
    )
