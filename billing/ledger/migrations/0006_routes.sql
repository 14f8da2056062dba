-- Which family may meet which, debit > credit: the rows of the posting table, those of what is not
-- built yet included. Nothing else is an entry. The rule below and `ledger_check` both read it.
CREATE FUNCTION public.ledger_routes() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ARRAY[
    -- an invoice is issued; it is cancelled, or lines come back
    'patient_receivable>medical_revenue', 'medical_revenue>patient_receivable',
    -- a claim is settled; it is reversed
    'fund_receivable>patient_receivable', 'patient_receivable>fund_receivable',
    -- the hospital's part, a discount; the part is reversed with its claim
    'revenue_reduction>patient_receivable', 'patient_receivable>revenue_reduction',
    -- a commercial insurer settles
    'commercial_receivable>patient_receivable',
    -- a capture, cash at the window
    'clearing>patient_receivable', 'cash_drawer>patient_receivable',
    -- a credit is posted, of a bank or of the hospital
    'credit_receivable>patient_receivable', 'credit_debt>patient_receivable',
    -- a deposit is taken, imported, used
    'clearing>patient_deposit', 'cash_drawer>patient_deposit', 'legacy_cutover>patient_deposit',
    'patient_deposit>patient_receivable',
    -- a refund is owed: of a bill, of a deposit, of unexpected money
    'patient_receivable>refund_payable', 'patient_deposit>refund_payable',
    'unapplied>refund_payable',
    -- a refund is done
    'refund_payable>clearing', 'refund_payable>bank', 'refund_payable>payout_float',
    'refund_payable>cash_drawer', 'refund_payable>credit_debt',
    'refund_payable>credit_receivable', 'refund_payable>patient_deposit',
    -- a refund came back to where it had left (into a deposit it is a deposit's row above)
    'clearing>refund_payable', 'bank>refund_payable', 'payout_float>refund_payable',
    'cash_drawer>refund_payable', 'credit_debt>refund_payable',
    'credit_receivable>refund_payable',
    -- unexpected money comes in; it pays a bill after all
    'clearing>unapplied', 'cash_drawer>unapplied', 'unapplied>patient_receivable',
    -- a patient repays the hospital's credit
    'clearing>credit_debt', 'cash_drawer>credit_debt',
    -- a channel remits, less its fee; a granting bank pays
    'bank>clearing', 'channel_fee>clearing', 'bank>credit_receivable',
    'channel_fee>credit_receivable',
    -- an insurer remits, differs, or pays for good nothing
    'bank>fund_receivable', 'revenue_reduction>fund_receivable', 'fund_loss>fund_receivable',
    -- recourse is claimed, collected
    'recourse_receivable>fund_loss', 'bank>recourse_receivable',
    -- a shift gets its float; it is banked, short or over
    'cash_drawer>bank', 'bank>cash_drawer', 'cash_over_short>cash_drawer',
    'bank>cash_over_short',
    -- the float of payouts is topped up
    'payout_float>bank',
    -- a debt is written off
    'bad_debt>credit_debt', 'bad_debt>patient_receivable'
  ]
$$;

-- Names below carry their schema, types too, so that no temporary table stands in for one of ours;
-- it costs nothing, where a search_path set on the function would at every call.
CREATE OR REPLACE FUNCTION public.ledger_refuse(rule text, detail text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_' || rule,
    MESSAGE = 'ledger rule ' || rule || ': ' || detail;
END $$;

-- A closed day gets no posting. The lock is held to the end of the transaction; each statement of
-- this function reads afresh, so a day closed while it waited is seen.
CREATE OR REPLACE FUNCTION public.ledger_entry_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  open_from pg_catalog.date;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM public.ledger_refuse('read_committed',
      'an older snapshot might not see a day that closed');
  END IF;
  PERFORM pg_advisory_xact_lock_shared(7201126001);
  SELECT max(day) + 1 INTO open_from FROM public.ledger_closed_day;
  IF open_from > NEW.business_day THEN
    NEW.business_day := open_from;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.ledger_entry_complete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  lonely pg_catalog.text;
BEGIN
  SELECT added.reference INTO lonely FROM added
    WHERE NOT EXISTS (SELECT FROM public.ledger_posting p WHERE p.entry_id = added.id) LIMIT 1;
  IF lonely IS NOT NULL THEN
    PERFORM public.ledger_refuse('complete', lonely || ' has no posting');
  END IF;
  RETURN NULL;
END $$;

-- Received is what paid the bill: a tender beside its receivable, and nothing else.
CREATE OR REPLACE FUNCTION public.ledger_refund_within_receipts(invoice bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  received numeric;
  owed numeric;
BEGIN
  PERFORM pg_advisory_xact_lock(72011, hashint8(invoice));
  SELECT coalesce(sum(tender) FILTER (WHERE pays), 0),
         coalesce(-sum(payable) FILTER (WHERE tender IS NULL), 0)
    INTO received, owed
    FROM (
      SELECT sum(p.amount_fen) FILTER (WHERE a.family IN ('clearing', 'cash_drawer',
               'credit_debt', 'credit_receivable', 'patient_deposit', 'unapplied')) AS tender,
             bool_or(a.family = 'patient_receivable' AND p.amount_fen < 0) AS pays,
             sum(p.amount_fen) FILTER (WHERE a.family = 'refund_payable') AS payable
        FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        JOIN public.ledger_account a ON a.id = p.account_id
       WHERE e.invoice_id = invoice
       GROUP BY e.id
    ) AS by_entry;
  IF owed > received THEN
    PERFORM public.ledger_refuse('refund_within_receipts', format(
      'invoice %s would owe %s fen, received %s', invoice, owed, received));
  END IF;
END $$;

-- As before; and what a tender paid out is a fact that is booked even when it left twice, but of a
-- debt that was: nothing leaves for a refund that was never owed so much.
CREATE OR REPLACE FUNCTION public.ledger_debts_hold(entry bigint, invoice bigint, paid_out boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  debt pg_catalog.record;
BEGIN
  IF invoice IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(72011, hashint8(invoice));
  END IF;
  FOR debt IN
    SELECT p.account_id, p.subject, a.code, a.family, max(p.amount_fen) AS shrinks
      FROM public.ledger_posting p JOIN public.ledger_account a ON a.id = p.account_id
     WHERE p.entry_id = entry AND a.family IN ('refund_payable', 'unapplied', 'patient_deposit')
     GROUP BY p.account_id, p.subject, a.code, a.family ORDER BY p.account_id, p.subject
  LOOP
    PERFORM pg_advisory_xact_lock(72012, hashint8(debt.account_id) # hashint8(debt.subject));
    IF debt.family <> 'patient_deposit' AND EXISTS (
      SELECT FROM public.ledger_posting p JOIN public.ledger_entry e ON e.id = p.entry_id
       WHERE p.account_id = debt.account_id AND p.subject = debt.subject AND p.subject > 0
         AND e.invoice_id IS DISTINCT FROM invoice
    ) THEN
      PERFORM public.ledger_refuse('one_invoice', format(
        'entry %s: %s %s is about another invoice', entry, debt.code, debt.subject));
    END IF;
    CONTINUE WHEN debt.shrinks < 0;
    IF debt.family = 'refund_payable' AND paid_out THEN
      IF debt.shrinks > (SELECT coalesce(-sum(p.amount_fen), 0) FROM public.ledger_posting p
           WHERE p.account_id = debt.account_id AND p.subject = debt.subject
             AND p.subject > 0 AND p.amount_fen < 0) THEN
        PERFORM public.ledger_refuse('refund_was_owed', format(
          'entry %s: %s %s was never owed so much', entry, debt.code, debt.subject));
      END IF;
    ELSIF (SELECT sum(p.amount_fen) FROM public.ledger_posting p
         WHERE p.account_id = debt.account_id AND p.subject = debt.subject) > 0 THEN
      PERFORM public.ledger_refuse('debt_covered', format(
        'entry %s: %s %s holds less', entry, debt.code, debt.subject));
    END IF;
  END LOOP;
END $$;

-- The legs of one statement, entry by entry. Index look-ups are forced: a plan made while the
-- tables were empty would otherwise scan them when they are not.
CREATE OR REPLACE FUNCTION public.ledger_postings_hold() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  entry pg_catalog.record;
BEGIN
  FOR entry IN
    SELECT * FROM (
      SELECT legs.entry_id, e.invoice_id, legs.paid_out,
        legs.payable OR legs.unapplied OR legs.deposit_used AS debts,
        e.invoice_id IS NOT NULL AND legs.owes AS binds,
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
          WHEN EXISTS (
            SELECT FROM unnest(legs.debits) AS debit, unnest(legs.credits) AS credit
             WHERE debit || '>' || credit <> ALL (public.ledger_routes())
          ) THEN 'route'
          -- What is owed and by which route it leaves are two entries.
          WHEN legs.payable AND (
            SELECT count(DISTINCT family) FROM unnest(legs.debits || legs.credits) AS family
          ) > 2 THEN 'refund_alone'
          WHEN legs.bill_from IS NOT NULL AND (e.invoice_id IS NULL
            OR legs.bill_from <> e.invoice_id OR legs.bill_to <> e.invoice_id)
            THEN 'names_its_invoice'
        END AS broken
      FROM (
        SELECT n.entry_id, count(*) AS count, sum(n.amount_fen) AS total,
          min(n.line_no) AS first, max(n.line_no) AS last, count(a.id) AS accounts,
          min(n.business_day) AS day_from, max(n.business_day) AS day_to,
          bool_or(a.needs_subject AND n.subject = 0) AS nameless,
          array_agg(a.family) FILTER (WHERE n.amount_fen > 0) AS debits,
          array_agg(a.family) FILTER (WHERE n.amount_fen < 0) AS credits,
          min(n.subject) FILTER (WHERE a.family = 'patient_receivable') AS bill_from,
          max(n.subject) FILTER (WHERE a.family = 'patient_receivable') AS bill_to,
          bool_or(a.family = 'fund_receivable') AS fund,
          bool_or(a.family NOT IN ('fund_receivable', 'patient_receivable', 'bank', 'fund_loss',
            'revenue_reduction')) AS fund_stranger,
          bool_or(a.family = 'refund_payable') AS payable,
          bool_or(a.family = 'refund_payable' AND n.amount_fen < 0) AS owes,
          bool_or(a.family = 'unapplied') AS unapplied,
          bool_or(a.family = 'patient_deposit' AND n.amount_fen > 0) AS deposit_used,
          bool_or(n.amount_fen < 0 AND a.family IN ('clearing', 'cash_drawer', 'bank',
            'payout_float', 'credit_debt', 'credit_receivable')) AS paid_out
        FROM added n LEFT JOIN public.ledger_account a ON a.id = n.account_id
        GROUP BY n.entry_id
      ) AS legs LEFT JOIN public.ledger_entry e ON e.id = legs.entry_id
    ) AS judged
    WHERE broken IS NOT NULL OR debts OR binds
    ORDER BY broken, invoice_id, entry_id
  LOOP
    IF entry.broken IS NOT NULL THEN
      PERFORM public.ledger_refuse(entry.broken, 'entry ' || entry.entry_id);
    END IF;
    IF entry.binds THEN
      PERFORM public.ledger_refund_within_receipts(entry.invoice_id);
    END IF;
    IF entry.debts THEN
      PERFORM public.ledger_debts_hold(entry.entry_id, entry.invoice_id, entry.paid_out);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
