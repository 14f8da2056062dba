"""The insured, or a child's guardian, allow insurance for one bill on the insurer's own page, and
come back to pay it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from billing import pay_right
from billing.pay_right import PayRight
from billing.services.insuring.phone import phone_begin
from billing.tasks import going_on
from billing.views.pay import to, way_form
from core import clock
from core.errors import NotFound, Refusal
from insurance.gateway.credential import BUSINESS_PAY
from insurance.services.wallet import permission_ask
from patients.actors import patient_actor

ASKED = "bill_insurance_asked"
ASKED_LIFETIME = timedelta(minutes=10)


@require_safe
def bill_insured(request: HttpRequest, right: PayRight) -> HttpResponse:
    """To the insurer's page; nothing is allowed by opening it."""
    place = pay_right.phone_place_of(right)
    if place is None:
        return to(right.pay)
    back = request.build_absolute_uri(reverse("bill_insured_back", args=[right.invoice_id]))
    number, address = permission_ask(
        institution=place.institution, back=back, business=BUSINESS_PAY
    )
    request.session[ASKED] = {
        "number": number,
        "invoice": right.invoice_id,
        "at": clock.now().isoformat(),
    }
    return HttpResponseRedirect(address)


@require_safe
def bill_insured_back(request: HttpRequest, right: PayRight) -> HttpResponse:
    """From the insurer's page: a permission is taken once, and only by the browser that asked."""
    place = pay_right.phone_place_of(right)
    asked: Any = request.session.pop(ASKED, None) if request.method == "GET" else None
    given = request.GET.get("payAuthNo", "")
    if place is None or not given or not _fits(asked, right, request.GET.get("outBizNo", "")):
        return to(right.pay)
    found = pay_right.opened(right)
    assert found.invoice is not None and right.user is not None  # opened by its owner
    try:
        with going_on(found.invoice.pk):
            phone_begin(
                invoice=found.invoice,
                pay_auth_no=given,
                payer=place.payer,
                by=patient_actor(right.user),
            )
    except NotFound:
        raise
    except Refusal as refusal:
        found = pay_right.opened(right)
        if not found.page.payable:
            return to(right.result)
        return way_form(request, right, found, refusal)
    return to(right.show)


def _fits(asked: Any, right: PayRight, number: str) -> bool:
    """Whether this is the answer to the question this browser asked a moment ago."""
    if not isinstance(asked, dict) or asked.get("invoice") != right.invoice_id:
        return False
    if not number or asked.get("number") != number:
        return False
    return clock.now() - datetime.fromisoformat(asked["at"]) <= ASKED_LIFETIME
