"""The pay link of a bill: bill, way to pay, code, result. Thin doors over `billing.pay_door`.

Nothing here is cached: "back" after paying asks the server, and the server never answers a paid or
running bill with a live pay button. The token is the right to see; it never leaves our origin.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing import pay_door
from billing.channels.base import Action, Mode
from billing.pages import DEVICE_MODES, InvoicePage, PayState, payer_device
from core import clock
from core.errors import NotFound, Refusal

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

MODES = {"h5": Mode.H5, "native": Mode.NATIVE, "confirm": None}
KEY_LENGTH_MAX = 64
RESULTS = {
    PayState.PAID: "paid",
    PayState.NOT_PAID: "not_paid",
    PayState.PREPARING: "in_progress",
    PayState.WAITING: "in_progress",
    PayState.IN_PROGRESS: "in_progress",
}


def pay_page(view: View[P]) -> View[P]:
    """Answer a link that is unknown or over with its own page, and keep the token at home.

    A channel's payment page checks which site it is opened from, so the origin is sent, never more.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            answer = view(request, *args, **kwargs)
        except Refusal as refusal:
            answer = link_over(request, refusal)
        answer.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        return answer

    return never_cache(guarded)


def link_over(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A link that leads nowhere still names the window. It never says whether money was taken."""
    unknown = isinstance(refusal, NotFound)
    context = {"hospital": pay_door.hospital(), "unknown": unknown}
    return render(request, "billing/link_over.html", context, status=404 if unknown else 410)


@pay_page
@require_safe
def invoice_show(request: HttpRequest, token: str) -> HttpResponse:
    """The bill: own part, split, charges. Readable in every state, payable in one."""
    page = pay_door.page_of(token=token)
    return render(request, "billing/invoice_show.html", context_of(page, token))


@pay_page
@require_http_methods(["GET", "HEAD", "POST"])
def invoice_pay(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a way. A bill that cannot be paid now answers with its result instead."""
    if request.method == "POST":
        return way_chosen(request, token)
    page = pay_door.page_of(token=token)
    if page.payable:
        return way_form(request, token, page)
    return to("invoice_code" if page.code_open(clock.now()) else "invoice_result", token)


def way_form(
    request: HttpRequest, token: str, page: InvoicePage, refusal: Refusal | None = None
) -> HttpResponse:
    device = payer_device(request.headers.get("User-Agent", ""))
    faults = [{"text": refusal.message, "field": ""}] if refusal else []
    context = context_of(page, token) | {
        "device": device.value,
        "mode_value": DEVICE_MODES[device].value,
        "form_key": secrets.token_hex(16),
        "faults": faults,
    }
    return render(
        request, "billing/invoice_pay.html", context, status=refusal.status if refusal else 200
    )


def way_chosen(request: HttpRequest, token: str) -> HttpResponse:
    """Start the payment once per rendered form; doubles and late presses end at the result."""
    way = request.POST.get("way", "")
    if way == "window":
        return to("invoice_window", token)
    key = request.POST.get("form_key", "")
    if way not in MODES or not 0 < len(key) <= KEY_LENGTH_MAX:
        return to("invoice_pay", token)
    try:
        action = pay_door.way_choose(
            token=token,
            mode=MODES[way],
            payer_address=request.META.get("REMOTE_ADDR", ""),
            idempotency_key=key,
        )
    except NotFound:
        raise
    except Refusal as refusal:
        # Refused before an order existed: a bill still to pay says why, any other shows its result.
        page = pay_door.page_of(token=token)
        return way_form(request, token, page, refusal) if page.payable else after(request, token)
    return after(request, token, action)


def after(request: HttpRequest, token: str, action: Action | None = None) -> HttpResponse:
    """Lead the payer to their next step: WeChat's page, our code, or the result."""
    if action is None:
        return to("invoice_result", token)
    if action.type == "url":
        return HttpResponseRedirect(with_return(request, action.value, token))
    return to("invoice_code", token)


def with_return(request: HttpRequest, url: str, token: str) -> str:
    """Tell the channel's page where to bring the payer back to."""
    back = request.build_absolute_uri(reverse("invoice_result", args=[token]))
    return f"{url}{'&' if '?' in url else '?'}redirect_url={quote(back, safe='')}"


@pay_page
@require_safe
def invoice_code(request: HttpRequest, token: str) -> HttpResponse:
    """The payer's next step while the order is open: a code to scan, or the way back to WeChat."""
    page = pay_door.page_of(token=token)
    if not page.code_open(clock.now()) or page.action is None:
        return moved_on(request, token)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    context = context_of(page, token)
    if page.action.type == "url":
        context["open_url"] = with_return(request, page.action.value, token)
    return render(request, "billing/invoice_code.html", context)


def moved_on(request: HttpRequest, token: str) -> HttpResponse:
    answer = to("invoice_result", token)
    if not request.headers.get("HX-Request"):
        return answer
    return HttpResponse(status=200, headers={"HX-Redirect": answer.url})


@pay_page
@require_safe
def invoice_result(request: HttpRequest, token: str) -> HttpResponse:
    """Exactly three results: paid, in progress, not paid. Anything else is the bill itself."""
    page = pay_door.page_of(token=token)
    result = RESULTS.get(page.state)
    if result is None:
        return to("invoice_show", token)
    context = context_of(page, token) | {"result": result}
    if not request.headers.get("HX-Request"):
        return render(request, "billing/invoice_result.html", context)
    if result != "in_progress":
        return HttpResponse(status=200, headers={"HX-Refresh": "true"})
    if request.GET.get("every") == str(context["refresh_s"]):
        return HttpResponse(status=204)
    return render(request, "billing/invoice_result_status.html", context)


@pay_page
@require_safe
def invoice_window(request: HttpRequest, token: str) -> HttpResponse:
    """The same bill paid by people: where, when, what to bring, and its number as a code."""
    page = pay_door.page_of(token=token)
    if not page.payable:
        return to("invoice_result", token)
    return render(request, "billing/invoice_window.html", context_of(page, token))


def to(name: str, token: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(name, args=[token]), status=303)


def context_of(page: InvoicePage, token: str) -> dict[str, object]:
    now = clock.now()
    return {
        "page": page,
        "token": token,
        "hospital": page.hospital,
        "refresh_s": page.refresh_s(now),
        "code_open": page.code_open(now),
    }
