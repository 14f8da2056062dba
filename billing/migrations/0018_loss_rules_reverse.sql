DROP TRIGGER billing_loss_step_kept ON public.billing_lossstep;
DROP TRIGGER billing_loss_step_holds ON public.billing_lossstep;
DROP FUNCTION public.billing_loss_step_kept();
DROP FUNCTION public.billing_loss_step_holds();
DROP FUNCTION public.billing_loss_refuse(text, text);
