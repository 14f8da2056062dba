-- Which family may meet which, debit > credit: the rows of the posting table, those of what is not
-- built yet included. Nothing else is an entry. The rule of 0006 and `ledger_check` both read it.
CREATE OR REPLACE FUNCTION public.ledger_routes() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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
    -- an insurer remits, differs, or pays for good nothing; a loss is taken back
    'bank>fund_receivable', 'revenue_reduction>fund_receivable', 'fund_loss>fund_receivable',
    'fund_receivable>fund_loss',
    -- recourse is claimed, collected, given up
    'recourse_receivable>fund_loss', 'bank>recourse_receivable', 'bad_debt>recourse_receivable',
    -- a shift gets its float; it is banked, short or over
    'cash_drawer>bank', 'bank>cash_drawer', 'cash_over_short>cash_drawer',
    'bank>cash_over_short',
    -- the float of payouts is topped up
    'payout_float>bank',
    -- a debt is written off
    'bad_debt>credit_debt', 'bad_debt>patient_receivable'
  ]
$$;
