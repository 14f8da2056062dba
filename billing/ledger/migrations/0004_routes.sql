-- No way round "what was received": a debt to a payer is about one bill, comes from money that is
-- there, and nothing of a bill leaves beside refund_payable.

-- The debts an entry touches. Each belongs to one bill (or to none) for good, so that what one bill
-- owes cannot be withdrawn by another; and a debt that shrinks must have been there. What a tender
-- paid out is a fact that is booked even when it left twice; `ledger_check` names that.
CREATE FUNCTION ledger_debts_hold(entry bigint, invoice bigint, paid_out boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  debt record;
BEGIN
  IF invoice IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(72011, hashint8(invoice));
  END IF;
  FOR debt IN
    SELECT p.account_id, p.subject, a.code, a.family, bool_or(p.amount_fen > 0) AS shrinks
      FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
     WHERE p.entry_id = entry AND a.family IN ('refund_payable', 'unapplied', 'patient_deposit')
     GROUP BY p.account_id, p.subject, a.code, a.family ORDER BY p.account_id, p.subject
  LOOP
    PERFORM pg_advisory_xact_lock(72012, hashint8(debt.account_id) # hashint8(debt.subject));
    IF debt.family <> 'patient_deposit' AND EXISTS (
      SELECT FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
       WHERE p.account_id = debt.account_id AND p.subject = debt.subject AND p.subject > 0
         AND e.invoice_id IS DISTINCT FROM invoice
    ) THEN
      PERFORM ledger_refuse('one_invoice', format(
        'entry %s: %s %s is about another invoice', entry, debt.code, debt.subject));
    END IF;
    CONTINUE WHEN NOT debt.shrinks OR (debt.family = 'refund_payable' AND paid_out);
    IF (SELECT sum(p.amount_fen) FROM ledger_posting p
         WHERE p.account_id = debt.account_id AND p.subject = debt.subject) > 0 THEN
      PERFORM ledger_refuse('debt_covered', format(
        'entry %s: %s %s holds less', entry, debt.code, debt.subject));
    END IF;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION ledger_postings_hold() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  entry record;
BEGIN
  FOR entry IN
    SELECT * FROM (
      SELECT legs.entry_id, e.invoice_id, legs.paid_out,
        legs.payable OR legs.unapplied OR legs.deposit_used AS debts,
        -- More is owed, or less was received.
        e.invoice_id IS NOT NULL AND (legs.owes OR legs.tender < 0 AND NOT legs.payable) AS binds,
        CASE
          WHEN e.id IS NULL THEN 'entry_exists'
          WHEN legs.count <> e.posting_count OR legs.first <> 1 OR legs.last <> legs.count
            THEN 'complete'
          WHEN legs.total <> 0 THEN 'zero_sum'
          WHEN legs.count < 2 THEN 'two_legs'
          WHEN legs.accounts <> legs.count THEN 'account_exists'
          WHEN legs.nameless THEN 'names_its_subject'
          WHEN legs.day_from <> e.business_day OR legs.day_to <> e.business_day
            THEN 'one_business_day'
          WHEN legs.fund AND legs.fund_stranger THEN 'fund_stays_apart'
          WHEN legs.payable AND (legs.payable_stranger OR legs.legacy) THEN 'refund_route'
          WHEN legs.unapplied AND legs.legacy THEN 'refund_route'
          WHEN (legs.unapplied OR legs.deposit) AND e.invoice_id IS NULL
            AND legs.payable_stranger THEN 'refund_route'
          WHEN legs.bill_from IS NOT NULL AND legs.banked OR legs.earned_back AND legs.leaves
            THEN 'refund_route'
          WHEN legs.bill_from IS NOT NULL AND (e.invoice_id IS NULL
            OR legs.bill_from <> e.invoice_id OR legs.bill_to <> e.invoice_id)
            THEN 'names_its_invoice'
        END AS broken
      FROM (
        SELECT n.entry_id, count(*) AS count, sum(n.amount_fen) AS total,
          min(n.line_no) AS first, max(n.line_no) AS last, count(a.id) AS accounts,
          min(n.business_day) AS day_from, max(n.business_day) AS day_to,
          bool_or(a.needs_subject AND n.subject = 0) AS nameless,
          min(n.subject) FILTER (WHERE a.family = 'patient_receivable') AS bill_from,
          max(n.subject) FILTER (WHERE a.family = 'patient_receivable') AS bill_to,
          bool_or(a.family = 'fund_receivable') AS fund,
          bool_or(a.family NOT IN ('fund_receivable', 'patient_receivable', 'bank', 'fund_loss',
            'revenue_reduction')) AS fund_stranger,
          bool_or(a.family = 'refund_payable') AS payable,
          bool_or(a.family = 'refund_payable' AND n.amount_fen < 0) AS owes,
          bool_or(a.family = 'unapplied') AS unapplied,
          bool_or(a.family = 'patient_deposit') AS deposit,
          bool_or(a.family = 'patient_deposit' AND n.amount_fen > 0) AS deposit_used,
          bool_or(a.family = 'legacy_cutover') AS legacy,
          bool_or(a.family = 'medical_revenue' AND n.amount_fen > 0) AS earned_back,
          bool_or(n.amount_fen < 0 AND a.family IN ('bank', 'payout_float')) AS banked,
          bool_or(n.amount_fen < 0 AND a.family IN ('clearing', 'cash_drawer', 'bank',
            'payout_float')) AS leaves,
          bool_or(n.amount_fen < 0 AND a.family IN ('clearing', 'cash_drawer', 'bank',
            'payout_float', 'credit_debt', 'credit_receivable')) AS paid_out,
          sum(n.amount_fen) FILTER (WHERE a.family IN ('clearing', 'cash_drawer', 'credit_debt',
            'credit_receivable', 'patient_deposit', 'unapplied')) AS tender,
          bool_or(a.family NOT IN ('refund_payable', 'patient_receivable', 'patient_deposit',
            'unapplied', 'clearing', 'bank', 'payout_float', 'cash_drawer', 'credit_debt',
            'credit_receivable', 'legacy_cutover')) AS payable_stranger
        FROM added n LEFT JOIN ledger_account a ON a.id = n.account_id
        GROUP BY n.entry_id
      ) AS legs LEFT JOIN ledger_entry e ON e.id = legs.entry_id
    ) AS judged
    WHERE broken IS NOT NULL OR debts OR binds
    ORDER BY broken, invoice_id, entry_id
  LOOP
    IF entry.broken IS NOT NULL THEN
      PERFORM ledger_refuse(entry.broken, 'entry ' || entry.entry_id);
    END IF;
    IF entry.binds THEN
      PERFORM ledger_refund_within_receipts(entry.invoice_id);
    END IF;
    IF entry.debts THEN
      PERFORM ledger_debts_hold(entry.entry_id, entry.invoice_id, entry.paid_out);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
