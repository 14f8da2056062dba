-- What no program may talk the ledger out of. The names in "constraint" reach the application.

-- Lock number of "the open days": shared by every posting transaction, exclusive for day_close.
-- billing/ledger/locks.py writes the same number.

CREATE FUNCTION ledger_refuse(rule text, detail text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_' || rule,
    MESSAGE = 'ledger rule ' || rule || ': ' || detail;
END $$;

-- A closed day gets no posting. The lock is held to the end of the transaction; each statement of
-- this function reads afresh, so a day closed while it waited is seen.
CREATE FUNCTION ledger_entry_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  open_from date;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM ledger_refuse('read_committed', 'an older snapshot might not see a day that closed');
  END IF;
  PERFORM pg_advisory_xact_lock_shared(7201126001);
  SELECT max(day) + 1 INTO open_from FROM ledger_closed_day;
  IF open_from > NEW.business_day THEN
    NEW.business_day := open_from;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_entry_day BEFORE INSERT ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION ledger_entry_day();

-- An entry arrives with all its legs. The legs fill the lines 1 … posting_count, which are unique,
-- so that nothing can join it later.
CREATE FUNCTION ledger_entry_complete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  lonely text;
BEGIN
  SELECT added.reference INTO lonely FROM added
    WHERE NOT EXISTS (SELECT FROM ledger_posting p WHERE p.entry_id = added.id) LIMIT 1;
  IF lonely IS NOT NULL THEN
    PERFORM ledger_refuse('complete', lonely || ' has no posting');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_entry_complete AFTER INSERT ON ledger_entry
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_complete();

-- Of one invoice, what becomes refundable never exceeds what came in through tenders that are not
-- the fund. An entry with both is money changing hands (a refund leaving or coming back), neither
-- a receipt nor a debt. Two transactions of one invoice take turns, else each would miss the other.
CREATE FUNCTION ledger_refund_within_receipts(invoice bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  received numeric;
  owed numeric;
BEGIN
  PERFORM pg_advisory_xact_lock(72011, hashint8(invoice));
  SELECT coalesce(sum(tender) FILTER (WHERE payable IS NULL), 0),
         coalesce(-sum(payable) FILTER (WHERE tender IS NULL), 0)
    INTO received, owed
    FROM (
      SELECT sum(p.amount_fen) FILTER (WHERE a.family IN ('clearing', 'cash_drawer',
               'credit_debt', 'credit_receivable', 'patient_deposit', 'unapplied')) AS tender,
             sum(p.amount_fen) FILTER (WHERE a.family = 'refund_payable') AS payable
        FROM ledger_entry e
        JOIN ledger_posting p ON p.entry_id = e.id
        JOIN ledger_account a ON a.id = p.account_id
       WHERE e.invoice_id = invoice
       GROUP BY e.id
    ) AS by_entry;
  IF owed > received THEN
    PERFORM ledger_refuse('refund_within_receipts', format(
      'invoice %s would owe %s fen, received %s', invoice, owed, received));
  END IF;
END $$;

-- The legs of one statement, entry by entry. Index look-ups are forced: a plan made while the
-- tables were empty would otherwise scan them when they are not.
CREATE FUNCTION ledger_postings_hold() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  entry record;
BEGIN
  FOR entry IN
    SELECT * FROM (
      SELECT legs.entry_id, e.invoice_id, legs.owes,
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
          WHEN legs.payable AND legs.payable_stranger THEN 'refund_route'
          WHEN legs.payable AND legs.receivable AND e.invoice_id IS NULL
            THEN 'refund_names_invoice'
        END AS broken
      FROM (
        SELECT n.entry_id, count(*) AS count, sum(n.amount_fen) AS total,
          min(n.line_no) AS first, max(n.line_no) AS last, count(a.id) AS accounts,
          min(n.business_day) AS day_from, max(n.business_day) AS day_to,
          bool_or(a.needs_subject AND n.subject = 0) AS nameless,
          bool_or(a.family = 'patient_receivable') AS receivable,
          bool_or(a.family = 'fund_receivable') AS fund,
          bool_or(a.family NOT IN ('fund_receivable', 'patient_receivable', 'bank', 'fund_loss',
            'revenue_reduction')) AS fund_stranger,
          bool_or(a.family = 'refund_payable') AS payable,
          bool_or(a.family = 'refund_payable' AND n.amount_fen < 0) AS owes,
          bool_or(a.family NOT IN ('refund_payable', 'patient_receivable', 'patient_deposit',
            'unapplied', 'clearing', 'bank', 'payout_float', 'cash_drawer', 'credit_debt',
            'credit_receivable')) AS payable_stranger
        FROM added n LEFT JOIN ledger_account a ON a.id = n.account_id
        GROUP BY n.entry_id
      ) AS legs LEFT JOIN ledger_entry e ON e.id = legs.entry_id
    ) AS judged
    WHERE broken IS NOT NULL OR (owes AND invoice_id IS NOT NULL)
    ORDER BY broken, invoice_id
  LOOP
    IF entry.broken IS NOT NULL THEN
      PERFORM ledger_refuse(entry.broken, 'entry ' || entry.entry_id);
    END IF;
    PERFORM ledger_refund_within_receipts(entry.invoice_id);
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_postings_hold AFTER INSERT ON ledger_posting
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_postings_hold();

-- What an account is follows from its path; shared accounts name what each posting is about.
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_family
  CHECK (family = split_part(code, '/', 1));
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_subject CHECK (needs_subject OR family
  NOT IN ('patient_receivable', 'refund_payable', 'unapplied', 'fund_receivable'));
