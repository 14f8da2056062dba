"""Paying a bill: bill, way to pay, code, result. One flow behind two doors (`billing.pay_right`).

Nothing here is cached: "back" after paying asks the server, and the server never answers a paid or
running bill with a live pay button. A link's token is the right to see; it never leaves our origin.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing import pay_right
from billing.channels.base import Action
from billing.offers import offer_from, payer_device
from billing.page_values import InvoicePage, PayState
from billing.pay_right import Opened, PayRight, Press
from billing.selectors.phone_ways import ALLOW
from core import clock
from core.errors import NotFound, Refusal
from core.page_faults import faults_of
from core.web_addresses import peer_address
from patients.doors import patient_of, patient_required, the_patient, wallet_asked

Page = Callable[[HttpRequest, PayRight], HttpResponse]

CONFIRM = "confirm"
OTHER = "other"
AGREEMENT = re.compile(r"agreement-([1-9][0-9]{0,17})", re.ASCII)
SIGN_IN = re.compile(r"sign-in-([a-z]{1,20})", re.ASCII)
FORM_KEY = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
RESULTS = {
    PayState.PAID: "paid",
    PayState.NOT_PAID: "not_paid",
    PayState.PREPARING: "in_progress",
    PayState.WAITING: "in_progress",
    PayState.IN_PROGRESS: "in_progress",
}


def by_link(page: Page) -> Callable[..., HttpResponse]:
    """Answer a link that is unknown or over with its own page, and keep the token at home."""

    @wraps(page)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        try:
            answer = page(request, PayRight(token=token, visitor=patient_of(request)))
        except Refusal as refusal:
            answer = link_over(request, refusal)
        return origin_only(answer)

    return never_cache(guarded)


def by_owner(page: Page) -> Callable[..., HttpResponse]:
    """Open a bill by its number for who may see it; anybody else's is no page at all."""

    @wraps(page)
    def guarded(request: HttpRequest, invoice_id: int) -> HttpResponse:
        user = the_patient(request)
        try:
            answer = page(request, PayRight(invoice_id=invoice_id, user=user))
        except NotFound as unknown:
            raise Http404 from unknown
        return origin_only(answer)

    return patient_required(guarded)


def origin_only(answer: HttpResponse) -> HttpResponse:
    """A channel's payment page checks which site it is opened from: the origin, never more."""
    answer.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return answer


def link_over(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A link that leads nowhere still names the window. It never says whether money was taken."""
    unknown = isinstance(refusal, NotFound)
    context = {"hospital": pay_right.hospital(), "unknown": unknown}
    return render(request, "billing/link_over.html", context, status=404 if unknown else 410)


@require_safe
def invoice_show(request: HttpRequest, right: PayRight) -> HttpResponse:
    """The bill: own part, split, charges. Readable in every state, payable in one."""
    page = pay_right.opened(right).page
    return render(request, "billing/invoice_show.html", context_of(page, right))


@require_http_methods(["GET", "HEAD", "POST"])
def invoice_pay(request: HttpRequest, right: PayRight) -> HttpResponse:
    """Choose a way. A bill that cannot be paid now answers with its result instead.

    Whoever opened an order and did not pay it may ask for another way: that order ends first.
    """
    if request.method == "POST":
        return way_chosen(request, right)
    found = pay_right.opened(right)
    waits = found.page.code_open(clock.now())
    if found.page.nothing_due:
        return to(right.show)
    if found.page.payable or (waits and OTHER in request.GET):
        return way_form(request, right, found)
    return to(right.code if waits else right.result)


def way_form(
    request: HttpRequest, right: PayRight, found: Opened, refusal: Refusal | None = None
) -> HttpResponse:
    device = payer_device(request.headers.get("User-Agent", ""))
    ways = pay_right.ways_of(right, found, device)
    context = context_of(found.page, right) | {
        "ways": ways,
        "first": next((way for way in ways if not way.off), None),
        "form_key": secrets.token_hex(16),
        "faults": faults_of(refusal, linked=False),
    }
    return render(
        request, "billing/invoice_pay.html", context, status=refusal.status if refusal else 200
    )


def way_chosen(request: HttpRequest, right: PayRight) -> HttpResponse:
    """Start the payment once per rendered form; doubles and late presses end at the result.

    Whatever is pressed, a bill that is not theirs is no page: the right is used before any answer.
    """
    way = request.POST.get("way", "")
    if way == "window" or (way == ALLOW and right.own):
        page = pay_right.opened(right).page
        return to(right.window) if way == "window" else to_insurer(request, right, page)
    wallet = SIGN_IN.fullmatch(way)
    if wallet is not None:
        return sign_in_first(request, right, wallet[1])
    key = request.POST.get("form_key", "")
    known = way == CONFIRM or offer_from(way) or picked(way)
    if not known or not FORM_KEY.fullmatch(key):
        pay_right.opened(right)
        return to(right.pay)
    try:
        action = start(request, right, way, key)
    except NotFound:
        raise
    except Refusal as refusal:
        # Refused before an order existed: a bill still to pay says why, any other shows its result.
        found = pay_right.opened(right)
        if not found.page.payable:
            return to(right.result)
        return way_form(request, right, found, refusal)
    return after(right, action)


def to_insurer(request: HttpRequest, right: PayRight, page: InvoicePage) -> HttpResponse:
    """A page between: what follows a form may only end at the places of our policy, and where an
    insurer asks is known to its region alone."""
    answer = render(request, "billing/to_insurer.html", context_of(page, right))
    answer.headers["Refresh"] = f"0; url={right.insured}"
    return answer


def picked(way: str) -> int:
    """The agreement a way names; 0 when it names none."""
    found = AGREEMENT.fullmatch(way)
    return int(found[1]) if found else 0


def sign_in_first(request: HttpRequest, right: PayRight, wallet: str) -> HttpResponse:
    """Ask the wallet who holds it and come back to the ways; an unknown bill asks nobody."""
    pay_right.opened(right)
    return wallet_asked(request, wallet, right.pay)


def start(request: HttpRequest, right: PayRight, way: str, key: str) -> Action | None:
    address = peer_address(request)
    agreement = picked(way)
    if agreement:
        pay_right.deducted(right, agreement_id=agreement, payer_address=address, form_key=key)
        return None
    back = request.build_absolute_uri(right.result)
    return pay_right.chosen(right, press=Press(offer_from(way), address, key, back))


def after(right: PayRight, action: Action | None) -> HttpResponse:
    """Lead the payer to their next step: the channel's page, our code, or the result."""
    if action is None:
        return to(right.result)
    return HttpResponseRedirect(action.value) if action.type == "url" else to(right.code)


@require_safe
def invoice_code(request: HttpRequest, right: PayRight) -> HttpResponse:
    """The payer's next step while the order is open: a code to scan, or the way to the wallet."""
    page = pay_right.opened(right).page
    if not page.code_open(clock.now()):
        return moved_on(request, right)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    context = context_of(page, right) | {"open_url": open_url(page)}
    return render(request, "billing/invoice_code.html", context)


def open_url(page: InvoicePage) -> str:
    """The channel's page of the very order that is open; empty without one, or for a code."""
    action = page.action
    if action is None or action.type != "url" or not page.code_open(clock.now()):
        return ""
    return action.value


def moved_on(request: HttpRequest, right: PayRight) -> HttpResponse:
    answer = to(right.result)
    if not request.headers.get("HX-Request"):
        return answer
    return HttpResponse(status=200, headers={"HX-Redirect": answer.url})


@require_safe
def invoice_result(request: HttpRequest, right: PayRight) -> HttpResponse:
    """Exactly three results: paid, in progress, not paid. Anything else is the bill itself."""
    page = pay_right.opened(right).page
    result = RESULTS.get(page.state)
    if result is None:
        return to(right.show)
    context = context_of(page, right) | {
        "result": result,
        "open_url": open_url(page),
    }
    if not request.headers.get("HX-Request"):
        return render(request, "billing/invoice_result.html", context)
    if result != "in_progress":
        return HttpResponse(status=200, headers={"HX-Refresh": "true"})
    if request.GET.get("every") == str(context["refresh_s"]):
        return HttpResponse(status=204)
    return render(request, "billing/invoice_result_status.html", context)


@require_safe
def invoice_window(request: HttpRequest, right: PayRight) -> HttpResponse:
    """The same bill paid by people: where, when, what to bring, and its number as a code.

    An order on the phone that nobody paid is no reason not to go there: the window closes it.
    """
    page = pay_right.opened(right).page
    if not (page.payable or page.code_open(clock.now())):
        return to(right.result)
    return render(request, "billing/invoice_window.html", context_of(page, right))


def to(address: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(address, status=303)


def context_of(page: InvoicePage, right: PayRight) -> dict[str, object]:
    now = clock.now()
    return {
        "page": page,
        "right": right,
        "hospital": page.hospital,
        "refresh_s": page.refresh_s(now),
        "code_open": page.code_open(now),
    }
