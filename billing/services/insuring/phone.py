"""The insured, or a child's guardian, allow on their own phone that this bill goes through the
mobile-pay centre; where insurance pays all of it, that settles it.

A claim goes one route. Whoever changes to the phone leaves the hall's claim first, and the other
way round; what lies at the insurer of the one left is taken away before anybody settles.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import collect_lock, invoice_lock
from billing.models import Invoice, InvoiceStatus
from billing.selectors.payments import open_capture
from billing.services.collecting.form_keys import in_progress
from billing.services.insuring.opening import REUSED, claim_begin, course_of
from core import clock
from core.actors import Actor
from core.errors import NotOffered
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.models import Claim, ClaimRoute, ClaimStatus
from insurance.selectors import institution_of
from insurance.services.claims import claim_release, mobile_begin
from patients.models import Patient

WAITING = (InvoiceStatus.ISSUED, InvoiceStatus.PRICING)


def phone_begin(
    *, invoice: Invoice, pay_auth_no: str, by: Actor, payer: Patient | None = None
) -> None:
    """Price the bill anew by the centre, with the insured's consent or that of the guardian
    (`payer`) in the child's stead; the caller drives it.

    Raises NotOffered (no claim, no centre), Conflict (something is under way). Not inside a
    transaction: the insurer hears that the hall's claim is left.
    """
    if not institution_of(invoice.encounter.campus_id).region.mobile_url:
        raise NotOffered("no_mobile_centre", _("Insurance cannot be used on the phone here."))
    left = _hall_left(invoice.pk, by)
    failpoint("phone.hall_left")
    with transaction.atomic():
        locked = invoice_lock(invoice.pk)
        _free_check(locked)
        if locked.claim_id != left:
            raise in_progress()
        claim = claim_begin(invoice=locked, by=by, route=ClaimRoute.MOBILE)
        failpoint("phone.claim_begun")
        mobile_begin(claim=claim, pay_auth_no=pay_auth_no, payer=payer)
        now = clock.now()
        if locked.status == InvoiceStatus.ISSUED:
            transition(locked, InvoiceStatus.PRICING, by=by, reason="by phone", due_at=now)
        else:
            Invoice.objects.filter(pk=locked.pk).update(due_at=now)
        failpoint("phone.written")
    failpoint("phone.begun")


def _hall_left(invoice_id: int, by: Actor) -> int:
    """The claim of the bill, which is at its end now."""
    with transaction.atomic():
        invoice = invoice_lock(invoice_id)
        _free_check(invoice)
        if invoice.claim_id is None:
            raise NotOffered("not_insured", _("This bill has no insurance."))
        claim = Claim.objects.get(pk=invoice.claim_id)
    if claim.status in REUSED:
        if claim_release(claim_id=claim.pk, by=by).outcome is not Outcome.SUCCEEDED:
            raise in_progress()
    elif claim.status not in (ClaimStatus.RELEASED, ClaimStatus.REVERSED):
        raise in_progress()
    return claim.pk


def _free_check(invoice: Invoice) -> None:
    """Nobody collects, nothing is in flight, and no process asks the insurer just now."""
    busy_until = course_of(invoice).busy_until if invoice.claim_id is not None else None
    busy = busy_until is not None and busy_until > clock.now()
    if busy or invoice.status not in WAITING or collect_lock(invoice) or open_capture(invoice):
        raise in_progress()
