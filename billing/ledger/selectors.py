"""Reading the books. A balance is debit minus credit, whatever the kind of account.

An account that was never posted to has a balance of 0; a path outside the chart raises.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import BigIntegerField, F, Func

from billing.ledger.chart import family_of
from billing.ledger.entries import AccountTotals
from core.statements import prepared_cursor

# One statement, one snapshot of the database: a day closing at the same moment is seen wholly or
# not at all.
_BALANCE = """
SELECT coalesce(s.balance_fen, 0) + coalesce((
  SELECT sum(p.amount_fen) FROM ledger_posting p
  WHERE p.account_id = a.id AND p.business_day > coalesce(s.day, '-infinity')), 0)
FROM ledger_account a LEFT JOIN LATERAL (
  SELECT d.day, d.balance_fen FROM ledger_day_snapshot d
  WHERE d.account_id = a.id ORDER BY d.day DESC LIMIT 1) AS s ON true
WHERE a.code = %s
"""

# `subject > 0` stands here as it stands in the index that serves it.
_SUBJECT_BALANCE = """
SELECT coalesce(sum(p.amount_fen), 0)
FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
WHERE a.code = {code} AND p.subject = {subject} AND p.subject > 0
"""
_SUBJECT_BALANCE_ASKED = _SUBJECT_BALANCE.format(code="%s", subject="%s")
_SUBJECT_BALANCE_BESIDE = _SUBJECT_BALANCE.format(code="'%(code)s'", subject="%(expressions)s")

_TRIAL_BALANCE = """
SELECT a.code, a.kind, coalesce(s.debit_fen, 0) + coalesce(o.debit_fen, 0),
  coalesce(s.credit_fen, 0) + coalesce(o.credit_fen, 0)
FROM ledger_account a LEFT JOIN LATERAL (
  SELECT d.debit_fen, d.credit_fen FROM ledger_day_snapshot d
  WHERE d.account_id = a.id ORDER BY d.day DESC LIMIT 1) AS s ON true
LEFT JOIN (
  SELECT p.account_id,
    coalesce(sum(p.amount_fen) FILTER (WHERE p.amount_fen > 0), 0) AS debit_fen,
    coalesce(-sum(p.amount_fen) FILTER (WHERE p.amount_fen < 0), 0) AS credit_fen
  FROM ledger_posting p
  WHERE p.business_day > coalesce((SELECT max(c.day) FROM ledger_closed_day c), '-infinity')
  GROUP BY p.account_id) AS o ON o.account_id = a.id
ORDER BY a.code
"""


def account_balance(code: str) -> int:
    """Last closed day's snapshot plus the postings since: its cost is one day, not the history."""
    family_of(code)
    with prepared_cursor() as cursor:
        cursor.execute(_BALANCE, (code,))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def subject_balance(code: str, subject: int) -> int:
    """What an account holds about one row, such as an invoice's open receivable."""
    family_of(code)
    with prepared_cursor() as cursor:
        cursor.execute(_SUBJECT_BALANCE_ASKED, (code, str(subject)))
        row = cursor.fetchone()
    return int(row[0])


def subject_balance_beside(code: str, subject: str) -> Func:
    """`subject_balance` as a column of a query whose field `subject` names the row."""
    family_of(code)
    return Func(
        F(subject),
        template=f"({_SUBJECT_BALANCE_BESIDE})",
        code=code,
        output_field=BigIntegerField(),
    )


def trial_balance() -> list[AccountTotals]:
    """Every account that was posted to, by path; the balances sum to zero."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIAL_BALANCE)
        return [
            AccountTotals(code, kind, int(debit), int(credit), int(debit) - int(credit))
            for code, kind, debit, credit in cursor.fetchall()
            if debit or credit
        ]
