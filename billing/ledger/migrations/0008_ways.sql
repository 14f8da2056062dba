-- What comes back is no more than what left, by refund and account; and four rules of single events.

-- The families a refund leaves by and comes back to. A deposit is not among them: out of it a refund
-- is owed, for which the deposit must hold the money.
CREATE FUNCTION public.ledger_refund_ways() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY['clearing', 'bank', 'payout_float', 'cash_drawer', 'credit_debt',
    'credit_receivable']
$$;

-- What one bill received, owes and returned. Received is what paid it: a tender beside its
-- receivable, and nothing else. Of the revenue no more is taken back than was issued.
CREATE FUNCTION public.ledger_bill_holds(invoice bigint) RETURNS void LANGUAGE plpgsql AS $$
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
      SELECT sum(p.amount_fen) FILTER (WHERE a.family IN ('clearing', 'cash_drawer',
               'credit_debt', 'credit_receivable', 'patient_deposit', 'unapplied')) AS tender,
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

-- What an agency settled of a bill's claim is the most that is reversed of it. What it remitted,
-- and a loss, are no part of this: a claim that was paid is reversed all the same.
CREATE FUNCTION public.ledger_claims_hold(entry bigint, invoice bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  claim pg_catalog.record;
BEGIN
  PERFORM pg_advisory_xact_lock(72011, hashint8(invoice));
  FOR claim IN
    SELECT DISTINCT p.account_id, p.subject, a.code
      FROM public.ledger_posting p JOIN public.ledger_account a ON a.id = p.account_id
     WHERE p.entry_id = entry AND a.family = 'fund_receivable'
  LOOP
    IF (SELECT sum(p.amount_fen)
          FROM public.ledger_entry e JOIN public.ledger_posting p ON p.entry_id = e.id
         WHERE e.invoice_id = invoice AND p.account_id = claim.account_id
           AND p.subject = claim.subject AND EXISTS (
             SELECT FROM public.ledger_posting bill
               JOIN public.ledger_account a ON a.id = bill.account_id
              WHERE bill.entry_id = e.id AND a.family = 'patient_receivable')) < 0 THEN
      PERFORM public.ledger_refuse('reversed_within_claim', format(
        'entry %s: %s %s settled less of invoice %s', entry, claim.code, claim.subject, invoice));
    END IF;
  END LOOP;
END $$;

-- How a refund leaves and comes back: by one account an entry, which a merchant's is only where it
-- took money for the bill; of what left by it, at most all comes back. `fen` < 0 is what came back.
CREATE FUNCTION public.ledger_refund_way_holds(
  entry bigint, invoice bigint, payable bigint, refund bigint, fen numeric
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  way pg_catalog.record;
BEGIN
  SELECT count(DISTINCT a.id) AS count, min(a.id) AS id, min(a.code) AS code,
         min(a.family) AS family
    INTO way
    FROM public.ledger_posting p JOIN public.ledger_account a ON a.id = p.account_id
   WHERE p.entry_id = entry AND a.family = ANY (public.ledger_refund_ways());
  IF way.count > 1 THEN
    PERFORM public.ledger_refuse('refund_one_way', format(
      'entry %s: refund %s has more than one account', entry, refund));
  ELSIF way.count = 1 AND fen < 0 THEN
    IF (SELECT sum(p.amount_fen) FROM public.ledger_posting p
         WHERE p.account_id = payable AND p.subject = refund AND p.subject > 0 AND EXISTS (
           SELECT FROM public.ledger_posting w
            WHERE w.entry_id = p.entry_id AND w.account_id = way.id)) < 0 THEN
      PERFORM public.ledger_refuse('came_back_had_left', format(
        'entry %s: of refund %s less had left by %s', entry, refund, way.code));
    END IF;
  ELSIF way.family = 'clearing' AND invoice IS NOT NULL THEN
    IF NOT EXISTS (
      SELECT FROM public.ledger_entry e JOIN public.ledger_posting p ON p.entry_id = e.id
       WHERE e.invoice_id = invoice AND p.account_id = way.id AND p.amount_fen > 0
         AND NOT EXISTS (SELECT FROM public.ledger_posting r
           WHERE r.entry_id = e.id AND r.account_id = payable)
    ) THEN
      PERFORM public.ledger_refuse('refund_by_its_merchant', format(
        'entry %s: %s took nothing for invoice %s', entry, way.code, invoice));
    END IF;
  END IF;
END $$;

-- As before; and of a refund its way is asked, and what came back does not count as owed anew.
CREATE OR REPLACE FUNCTION public.ledger_debts_hold(entry bigint, invoice bigint, paid_out boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  debt pg_catalog.record;
BEGIN
  IF invoice IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(72011, hashint8(invoice));
  END IF;
  FOR debt IN
    SELECT p.account_id, p.subject, a.code, a.family, sum(p.amount_fen) AS shrinks
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
    IF debt.family = 'refund_payable' THEN
      PERFORM public.ledger_refund_way_holds(
        entry, invoice, debt.account_id, debt.subject, debt.shrinks);
    END IF;
    CONTINUE WHEN debt.shrinks < 0;
    IF debt.family = 'refund_payable' AND paid_out THEN
      IF debt.shrinks > (SELECT coalesce(-sum(p.amount_fen), 0) FROM public.ledger_posting p
           WHERE p.account_id = debt.account_id AND p.subject = debt.subject
             AND p.subject > 0 AND p.amount_fen < 0 AND NOT EXISTS (
               SELECT FROM public.ledger_posting w
                 JOIN public.ledger_account a ON a.id = w.account_id
                WHERE w.entry_id = p.entry_id
                  AND a.family = ANY (public.ledger_refund_ways()))) THEN
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

DROP FUNCTION public.ledger_refund_within_receipts(bigint);
