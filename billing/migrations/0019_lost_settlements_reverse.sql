DROP TRIGGER billing_loss_stands ON public.insurance_claim;
DROP FUNCTION public.billing_loss_stands();
