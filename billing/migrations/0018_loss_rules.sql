-- What a step of a fund loss may be; the services refuse the same before.
CREATE FUNCTION public.billing_loss_refuse(rule text, detail text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'loss_' || rule,
    MESSAGE = 'loss rule ' || rule || ': ' || detail;
END $$;

-- Whoever changes a step holds its claim, so two of them never miss each other.
CREATE FUNCTION public.billing_loss_step_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  claim pg_catalog.record;
  debit pg_catalog.text;
  credit pg_catalog.text;
  recourse pg_catalog.text;
  fund pg_catalog.text;
BEGIN
  IF TG_OP = 'INSERT' AND NEW.status <> 'OPEN' THEN
    PERFORM public.billing_loss_refuse('asked_first', NEW.number || ' was never asked for');
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF OLD.status <> 'OPEN' THEN
      PERFORM public.billing_loss_refuse('decided_stays', OLD.number || ' is ' || OLD.status);
    END IF;
    IF (OLD.loss_id, OLD.number, OLD.kind, OLD.institution_id, OLD.amount_fen, OLD.evidence,
        OLD.occurred_at, OLD.opened_by, OLD.opened_at, OLD.summary)
      IS DISTINCT FROM (NEW.loss_id, NEW.number, NEW.kind, NEW.institution_id, NEW.amount_fen,
        NEW.evidence, NEW.occurred_at, NEW.opened_by, NEW.opened_at, NEW.summary) THEN
      PERFORM public.billing_loss_refuse('asked_stays', OLD.number || ' was asked for as it is');
    END IF;
  END IF;
  IF NEW.status NOT IN ('OPEN', 'APPROVED') THEN
    RETURN NULL;
  END IF;
  SELECT c.id, c.status, l.agency, coalesce(c.settled_fund_fen, 0)
      + coalesce(c.settled_own_account_fen, 0) + coalesce(c.settled_mutual_aid_fen, 0) AS fen
    INTO claim
    FROM public.billing_fundloss l JOIN public.insurance_claim c ON c.id = l.claim_id
   WHERE l.id = NEW.loss_id FOR NO KEY UPDATE OF c;
  IF NEW.kind = 'fund_loss_borne' AND claim.status <> 'SETTLED' THEN
    PERFORM public.billing_loss_refuse('claim_settled', NEW.number || ': no settlement stands');
  END IF;
  IF claim.fen < (
    SELECT coalesce(sum(s.amount_fen) FILTER (WHERE s.kind = 'fund_loss_borne'), 0)
        - coalesce(sum(s.amount_fen) FILTER (
            WHERE s.kind = 'fund_loss_taken_back' AND s.status = 'APPROVED'), 0)
      FROM public.billing_lossstep s JOIN public.billing_fundloss l ON l.id = s.loss_id
     WHERE l.claim_id = claim.id AND s.status IN ('OPEN', 'APPROVED')
  ) THEN
    PERFORM public.billing_loss_refuse('within_settlement', NEW.number || ' exceeds the settlement');
  END IF;
  IF EXISTS (
    SELECT FROM public.billing_lossstep s
     WHERE s.loss_id = NEW.loss_id AND s.status IN ('OPEN', 'APPROVED')
    HAVING coalesce(sum(s.amount_fen) FILTER (
        WHERE s.kind IN ('recourse_claimed', 'fund_loss_taken_back')), 0)
      > coalesce(sum(s.amount_fen) FILTER (
        WHERE s.kind = 'fund_loss_borne' AND s.status = 'APPROVED'), 0)
  ) THEN
    PERFORM public.billing_loss_refuse('within_borne', NEW.number || ' exceeds what was borne');
  END IF;
  IF EXISTS (
    SELECT FROM public.billing_lossstep s
     WHERE s.loss_id = NEW.loss_id AND s.status IN ('OPEN', 'APPROVED')
       AND s.institution_id IS NOT NULL
     GROUP BY s.institution_id
    HAVING coalesce(sum(s.amount_fen) FILTER (
        WHERE s.kind IN ('recourse_collected', 'recourse_written_off')), 0)
      > coalesce(sum(s.amount_fen) FILTER (
        WHERE s.kind = 'recourse_claimed' AND s.status = 'APPROVED'), 0)
  ) THEN
    PERFORM public.billing_loss_refuse('within_claimed', NEW.number || ' exceeds what was claimed');
  END IF;
  IF NEW.status = 'APPROVED' THEN
    fund := 'fund_receivable/' || claim.agency;
    recourse := 'recourse_receivable/' || (
      SELECT i.code FROM public.billing_paymentinstitution i WHERE i.id = NEW.institution_id);
    debit := CASE NEW.kind WHEN 'fund_loss_borne' THEN 'fund_loss'
      WHEN 'fund_loss_taken_back' THEN fund WHEN 'recourse_claimed' THEN recourse
      WHEN 'recourse_collected' THEN 'bank' WHEN 'recourse_written_off' THEN 'bad_debt' END;
    credit := CASE NEW.kind WHEN 'fund_loss_borne' THEN fund
      WHEN 'fund_loss_taken_back' THEN 'fund_loss' WHEN 'recourse_claimed' THEN 'fund_loss'
      ELSE recourse END;
    IF NOT EXISTS (
      SELECT FROM public.ledger_entry e
        JOIN public.ledger_posting p ON p.entry_id = e.id
        JOIN public.ledger_account a ON a.id = p.account_id
       WHERE e.id = NEW.entry_id AND e.reference = NEW.kind || ':' || NEW.number
         AND (a.code <> fund OR p.subject = claim.id)
      HAVING count(*) = 2 AND bool_and((a.code, p.amount_fen)
        IN ((debit, NEW.amount_fen), (credit, -NEW.amount_fen)))
    ) THEN
      PERFORM public.billing_loss_refuse('is_posted', NEW.number || ' has no entry of its own');
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.billing_loss_step_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.billing_loss_refuse('kept', 'a step is never deleted');
  RETURN NULL;
END $$;

CREATE TRIGGER billing_loss_step_holds AFTER INSERT OR UPDATE ON public.billing_lossstep
  FOR EACH ROW EXECUTE FUNCTION public.billing_loss_step_holds();
CREATE TRIGGER billing_loss_step_kept BEFORE DELETE OR TRUNCATE ON public.billing_lossstep
  FOR EACH STATEMENT EXECUTE FUNCTION public.billing_loss_step_kept();
