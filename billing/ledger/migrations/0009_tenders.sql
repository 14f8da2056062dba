-- Each list of families is written once: a rule that asks with a list of its own is blind to the
-- family the list forgot, as that of receipts was to a refund that left by the bank.

-- What a payer's money comes in by, lies in and leaves by: the ways of a refund, and what it may be
-- owed out of.
CREATE FUNCTION public.ledger_tenders() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT public.ledger_refund_ways() || ARRAY['patient_deposit', 'unapplied']
$$;

-- What may stand in an entry with the fund's money, itself included.
CREATE FUNCTION public.ledger_fund_company() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY['fund_receivable', 'patient_receivable', 'bank', 'fund_loss', 'revenue_reduction']
$$;

-- As before, by the one list: what left or came back by any way is no part of what was owed, and
-- what went on to the bank beside a receipt is no part of it.
CREATE OR REPLACE FUNCTION public.ledger_bill_holds(invoice bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  received numeric;
  owed numeric;
  earned numeric;
BEGIN
  PERFORM pg_advisory_xact_lock(72011, hashint8(invoice));
  SELECT coalesce(sum(tender) FILTER (WHERE pays), 0),
         coalesce(-sum(payable) FILTER (WHERE tender IS NULL), 0),
         coalesce(-sum(revenue), 0)
    INTO received, owed, earned
    FROM (
      SELECT sum(p.amount_fen) FILTER (
               WHERE a.family = ANY (public.ledger_tenders())) AS tender,
             bool_or(a.family = 'patient_receivable' AND p.amount_fen < 0) AS pays,
             sum(p.amount_fen) FILTER (WHERE a.family = 'refund_payable') AS payable,
             sum(p.amount_fen) FILTER (WHERE a.family = 'medical_revenue') AS revenue
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
  IF earned < 0 THEN
    PERFORM public.ledger_refuse('returned_within_issued', format(
      'invoice %s would have %s fen more returned than issued', invoice, -earned));
  END IF;
END $$;

-- As before, by the lists above.
CREATE OR REPLACE FUNCTION public.ledger_postings_hold() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  entry pg_catalog.record;
  held bigint;
BEGIN
  FOR entry IN
    SELECT * FROM (
      SELECT legs.entry_id, e.invoice_id, legs.paid_out,
        legs.payable OR legs.unapplied OR legs.deposit_used AS debts,
        e.invoice_id IS NOT NULL
          AND (legs.owes OR 'medical_revenue' = ANY (legs.debits)) AS binds,
        legs.fund AND legs.bill_from IS NOT NULL
          AND 'fund_receivable' = ANY (legs.credits) AS reverses,
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
          -- A channel keeps its fee of what it remits.
          WHEN 'channel_fee' = ANY (legs.debits) AND 'bank' <> ALL (legs.debits)
            THEN 'fee_with_remittance'
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
          bool_or(a.family <> ALL (public.ledger_fund_company())) AS fund_stranger,
          bool_or(a.family = 'refund_payable') AS payable,
          bool_or(a.family = 'refund_payable' AND n.amount_fen < 0) AS owes,
          bool_or(a.family = 'unapplied') AS unapplied,
          bool_or(a.family = 'patient_deposit' AND n.amount_fen > 0) AS deposit_used,
          bool_or(n.amount_fen < 0
            AND a.family = ANY (public.ledger_refund_ways())) AS paid_out
        FROM added n LEFT JOIN public.ledger_account a ON a.id = n.account_id
        GROUP BY n.entry_id
      ) AS legs LEFT JOIN public.ledger_entry e ON e.id = legs.entry_id
    ) AS judged
    WHERE broken IS NOT NULL OR debts OR binds OR reverses
    ORDER BY broken, invoice_id, entry_id
  LOOP
    IF entry.broken IS NOT NULL THEN
      PERFORM public.ledger_refuse(entry.broken, 'entry ' || entry.entry_id);
    END IF;
    -- All the statement's legs are there already: a bill is asked once.
    IF entry.binds AND entry.invoice_id IS DISTINCT FROM held THEN
      held := entry.invoice_id;
      PERFORM public.ledger_bill_holds(held);
    END IF;
    IF entry.reverses THEN
      PERFORM public.ledger_claims_hold(entry.entry_id, entry.invoice_id);
    END IF;
    IF entry.debts THEN
      PERFORM public.ledger_debts_hold(entry.entry_id, entry.invoice_id, entry.paid_out);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
