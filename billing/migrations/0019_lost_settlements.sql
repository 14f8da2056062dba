-- While the hospital bears a loss of a settlement, that settlement is not taken back. Whoever
-- changes a step holds its claim, so the two never miss each other.
CREATE FUNCTION public.billing_loss_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM public.billing_lossstep s JOIN public.billing_fundloss l ON l.id = s.loss_id
     WHERE l.claim_id = NEW.id AND s.status = 'APPROVED'
    HAVING coalesce(sum(s.amount_fen) FILTER (WHERE s.kind = 'fund_loss_borne'), 0)
      > coalesce(sum(s.amount_fen) FILTER (WHERE s.kind = 'fund_loss_taken_back'), 0)
  ) THEN
    PERFORM public.billing_loss_refuse('stands', 'claim ' || NEW.id || ' is borne as lost');
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER billing_loss_stands AFTER UPDATE OF status ON public.insurance_claim
  FOR EACH ROW
  WHEN (OLD.status = 'SETTLED' AND NEW.status IN ('REVERSING', 'REVERSED'))
  EXECUTE FUNCTION public.billing_loss_stands();
