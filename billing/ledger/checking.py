"""`ledger_check`: read the books again from the first posting, trusting no trigger and no snapshot.

The database refuses what is asked here already. The check is for what went round it: a restored
dump, a disabled trigger, a superuser, a disk. Names carry their schema, so that no temporary table
is read instead. The lists of families a rule asks are written once, in functions of the migrations
(`ledger_routes`, `ledger_refund_ways`, `ledger_tenders`, `ledger_fund_company`).
"""

from __future__ import annotations

from django.db import connection, transaction

from billing.ledger.entries import AccountTotals, LedgerReport, Violation

SHOWN_MAX = 100  # a broken rule is named for at most so many places

_COUNTS = """
SELECT (SELECT count(*) FROM public.ledger_entry),
  (SELECT count(*) FROM public.ledger_posting)
"""

_UNBALANCED = """
SELECT e.reference FROM public.ledger_entry e
LEFT JOIN public.ledger_posting p ON p.entry_id = e.id
GROUP BY e.id HAVING coalesce(sum(p.amount_fen), 0) <> 0 OR count(p.entry_id) < 2
"""

_ACCOUNTS = """
SELECT a.code, a.kind, coalesce(sum(p.amount_fen) FILTER (WHERE p.amount_fen > 0), 0),
  coalesce(-sum(p.amount_fen) FILTER (WHERE p.amount_fen < 0), 0)
FROM public.ledger_account a JOIN public.ledger_posting p ON p.account_id = a.id
GROUP BY a.id ORDER BY a.code
"""

# Each question lists the places where its rule does not hold.
_RULES: dict[str, str] = {
    "complete": """
        SELECT e.reference FROM public.ledger_entry e
        LEFT JOIN public.ledger_posting p ON p.entry_id = e.id
        GROUP BY e.id HAVING count(p.entry_id) <> e.posting_count
          OR min(p.line_no) <> 1 OR max(p.line_no) <> e.posting_count""",
    "entry_exists": """
        SELECT DISTINCT p.entry_id::text FROM public.ledger_posting p
        WHERE NOT EXISTS (SELECT FROM public.ledger_entry e WHERE e.id = p.entry_id)""",
    "account_exists": """
        SELECT p.entry_id::text || '.' || p.line_no FROM public.ledger_posting p
        WHERE NOT EXISTS (SELECT FROM public.ledger_account a WHERE a.id = p.account_id)""",
    "names_its_subject": """
        SELECT p.entry_id::text || '.' || p.line_no
        FROM public.ledger_posting p JOIN public.ledger_account a ON a.id = p.account_id
        WHERE p.subject <= 0 AND (a.needs_subject OR a.family IN
          ('patient_receivable', 'refund_payable', 'unapplied', 'fund_receivable'))""",
    "one_business_day": """
        SELECT DISTINCT e.reference FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        WHERE p.business_day <> e.business_day""",
    "fund_stays_apart": """
        SELECT e.reference FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        JOIN public.ledger_account a ON a.id = p.account_id GROUP BY e.id
        HAVING bool_or(a.family = 'fund_receivable') AND bool_or(
          a.family <> ALL (public.ledger_fund_company()))""",
    "names_its_invoice": """
        SELECT DISTINCT e.reference FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        JOIN public.ledger_account a ON a.id = p.account_id
        WHERE a.family = 'patient_receivable' AND e.invoice_id IS DISTINCT FROM p.subject""",
    "one_invoice": """
        SELECT a.code || ' ' || p.subject FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        JOIN public.ledger_account a ON a.id = p.account_id
        WHERE a.family IN ('refund_payable', 'unapplied')
        GROUP BY a.code, p.subject HAVING count(DISTINCT coalesce(e.invoice_id, 0)) > 1""",
    "debt_covered": """
        SELECT a.code || ' ' || p.subject FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id
        WHERE a.family IN ('unapplied', 'patient_deposit')
        GROUP BY a.code, p.subject HAVING sum(p.amount_fen) > 0""",
    "route": """
        SELECT e.reference FROM public.ledger_entry e JOIN (
          SELECT p.entry_id, array_agg(DISTINCT a.family) FILTER (WHERE p.amount_fen > 0) AS debits,
            array_agg(DISTINCT a.family) FILTER (WHERE p.amount_fen < 0) AS credits
          FROM public.ledger_posting p JOIN public.ledger_account a ON a.id = p.account_id
          GROUP BY p.entry_id) AS moved ON moved.entry_id = e.id
        WHERE EXISTS (SELECT FROM unnest(moved.debits) AS debit, unnest(moved.credits) AS credit
          WHERE debit || '>' || credit <> ALL (public.ledger_routes()))""",
    "refund_alone": """
        SELECT e.reference FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        JOIN public.ledger_account a ON a.id = p.account_id GROUP BY e.id
        HAVING bool_or(a.family = 'refund_payable') AND count(DISTINCT a.family) > 2""",
    "refund_was_owed": """
        SELECT 'refund ' || p.subject FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id WHERE a.family = 'refund_payable'
        GROUP BY a.code, p.subject
        HAVING max(p.amount_fen) > coalesce(-sum(p.amount_fen) FILTER (WHERE p.amount_fen < 0
          AND NOT EXISTS (SELECT FROM public.ledger_posting w
            JOIN public.ledger_account way ON way.id = w.account_id
            WHERE w.entry_id = p.entry_id
              AND way.family = ANY (public.ledger_refund_ways()))), 0)""",
    "refund_one_way": """
        SELECT e.reference FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        JOIN public.ledger_account a ON a.id = p.account_id GROUP BY e.id
        HAVING bool_or(a.family = 'refund_payable') AND count(DISTINCT a.id) FILTER
          (WHERE a.family = ANY (public.ledger_refund_ways())) > 1""",
    "came_back_had_left": """
        SELECT 'refund ' || p.subject FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id AND a.family = 'refund_payable'
        CROSS JOIN LATERAL (SELECT DISTINCT w.account_id FROM public.ledger_posting w
          JOIN public.ledger_account way ON way.id = w.account_id WHERE w.entry_id = p.entry_id
            AND way.family = ANY (public.ledger_refund_ways())) AS by
        GROUP BY p.account_id, p.subject, by.account_id HAVING sum(p.amount_fen) < 0""",
    "refund_by_its_merchant": """
        SELECT DISTINCT e.reference FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id AND a.family = 'refund_payable'
        JOIN public.ledger_entry e ON e.id = p.entry_id
        JOIN public.ledger_posting w ON w.entry_id = p.entry_id
        JOIN public.ledger_account way ON way.id = w.account_id AND way.family = 'clearing'
        WHERE p.amount_fen > 0 AND e.invoice_id IS NOT NULL AND NOT EXISTS (
          SELECT FROM public.ledger_entry came
          JOIN public.ledger_posting took ON took.entry_id = came.id
          WHERE came.invoice_id = e.invoice_id AND took.account_id = w.account_id
            AND took.amount_fen > 0 AND NOT EXISTS (SELECT FROM public.ledger_posting back
              WHERE back.entry_id = came.id AND back.account_id = p.account_id))""",
    "fee_with_remittance": """
        SELECT DISTINCT e.reference FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id AND a.family = 'channel_fee'
        JOIN public.ledger_entry e ON e.id = p.entry_id
        WHERE p.amount_fen > 0 AND NOT EXISTS (SELECT FROM public.ledger_posting b
          JOIN public.ledger_account bank ON bank.id = b.account_id AND bank.family = 'bank'
          WHERE b.entry_id = p.entry_id AND b.amount_fen > 0)""",
    "reversed_within_claim": """
        SELECT a.code || ' ' || p.subject FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id AND a.family = 'fund_receivable'
        JOIN public.ledger_entry e ON e.id = p.entry_id
        WHERE EXISTS (SELECT FROM public.ledger_posting b
          JOIN public.ledger_account bill ON bill.id = b.account_id
          WHERE b.entry_id = e.id AND bill.family = 'patient_receivable')
        GROUP BY a.code, p.subject, e.invoice_id HAVING sum(p.amount_fen) < 0""",
    "returned_within_issued": """
        SELECT 'invoice ' || e.invoice_id FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id AND a.family = 'medical_revenue'
        JOIN public.ledger_entry e ON e.id = p.entry_id
        GROUP BY e.invoice_id HAVING sum(p.amount_fen) > 0""",
    "refund_left_twice": """
        SELECT 'refund ' || p.subject FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id WHERE a.family = 'refund_payable'
        GROUP BY a.code, p.subject HAVING sum(p.amount_fen) > 0""",
    "refund_within_receipts": """
        SELECT 'invoice ' || invoice_id FROM (
          SELECT e.invoice_id, sum(p.amount_fen) FILTER (
              WHERE a.family = ANY (public.ledger_tenders())) AS tender,
            bool_or(a.family = 'patient_receivable' AND p.amount_fen < 0) AS pays,
            sum(p.amount_fen) FILTER (WHERE a.family = 'refund_payable') AS payable
          FROM public.ledger_entry e JOIN public.ledger_posting p ON p.entry_id = e.id
          JOIN public.ledger_account a ON a.id = p.account_id
          WHERE e.invoice_id IS NOT NULL GROUP BY e.id) AS by_entry
        GROUP BY invoice_id HAVING coalesce(-sum(payable) FILTER (WHERE tender IS NULL), 0)
          > coalesce(sum(tender) FILTER (WHERE pays), 0)""",
    "snapshot_equals_postings": """
        SELECT a.code || ' ' || s.day FROM public.ledger_day_snapshot s
        JOIN public.ledger_account a ON a.id = s.account_id
        JOIN LATERAL (
          SELECT coalesce(sum(p.amount_fen) FILTER (WHERE p.amount_fen > 0), 0) AS debit_fen,
            coalesce(-sum(p.amount_fen) FILTER (WHERE p.amount_fen < 0), 0) AS credit_fen
          FROM public.ledger_posting p WHERE p.account_id = s.account_id AND p.business_day <= s.day
        ) AS read ON true
        WHERE s.day = (SELECT max(l.day) FROM public.ledger_day_snapshot l
            WHERE l.account_id = s.account_id)
          AND (s.debit_fen, s.credit_fen) IS DISTINCT FROM (read.debit_fen, read.credit_fen)""",
    "closed_day_has_snapshot": """
        SELECT DISTINCT a.code || ' ' || p.business_day FROM public.ledger_posting p
        JOIN public.ledger_account a ON a.id = p.account_id
        WHERE p.business_day <= (SELECT max(c.day) FROM public.ledger_closed_day c)
          AND NOT EXISTS (SELECT FROM public.ledger_day_snapshot s
            WHERE s.account_id = p.account_id AND s.day >= p.business_day)""",
}


def ledger_check() -> LedgerReport:
    """The books as they stand at one instant, and every rule that does not hold."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _nested():
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(_COUNTS)
        entries, postings = cursor.fetchone()
        cursor.execute(_UNBALANCED)
        unbalanced = [reference for (reference,) in cursor.fetchall()]
        violations = [Violation("zero_sum", reference) for reference in unbalanced[:SHOWN_MAX]]
        for rule, question in _RULES.items():
            cursor.execute(question)
            violations += [Violation(rule, place) for (place,) in cursor.fetchmany(SHOWN_MAX)]
        cursor.execute(_ACCOUNTS)
        accounts = tuple(
            AccountTotals(code, kind, int(debit), int(credit), int(debit) - int(credit))
            for code, kind, debit, credit in cursor.fetchall()
        )
    if sum(account.balance_fen for account in accounts):
        violations.append(Violation("trial_balance", "the balances do not sum to zero"))
    return LedgerReport(entries, postings, len(unbalanced), tuple(violations), accounts)


def _nested() -> bool:
    """Whether a caller's transaction was open already; its isolation is then the caller's."""
    return bool(connection.savepoint_ids)
