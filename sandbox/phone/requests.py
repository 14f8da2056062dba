"""A payment or signing link opened in a browser: whose phone, yes or no, back to the merchant."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from sandbox.messages.oauth import PHONE_COOKIE
from sandbox.phone.selectors import wallets_found
from sandbox.phone.views import pay
from sandbox.wechat_pay import bridge, contracts, payer
from sandbox.wechat_pay.models import Contract, Order, Wallet
from sandbox.wechat_pay.refusal import Refused
from sandbox.wechat_pay.shown import state_text

YES, NO = "yes", "no"
BRIDGE_FILE = Path(__file__).parent / "static" / "phone" / "bridge.js"


def pay_request(request: HttpRequest, token: str) -> HttpResponse:
    order = get_object_or_404(Order.objects.select_related("merchant", "wallet"), token=token)
    problem = ""
    if request.method == "POST" and request.POST.get("answer") == YES:
        problem = _pay(order, request.POST.get("openid", ""))
        order.refresh_from_db()
    refused = request.method == "POST" and request.POST.get("answer") == NO
    held = order.wanted_openid or (order.wallet.openid if order.wallet else "")
    context = {
        "order": order,
        "order_word": state_text(order),
        "open": not refused and order.state in (Order.State.NOTPAY, Order.State.USERPAYING),
        "back": _web(request.GET.get("redirect_url", "")),
    }
    return _page(request, context, problem=problem, held=held)


def _pay(order: Order, openid: str) -> str:
    wallet = Wallet.objects.filter(openid=openid).first()
    if wallet is None:
        return "请选一部手机。没有扣款。"
    try:
        payer.link_open(openid, order.token)
        return pay(wallet, order.token)
    except Refused as error:
        return f"{error.message}。没有扣款。"


def bridge_script(_request: HttpRequest) -> HttpResponse:
    """What this house's WeChat puts into a page; see the file."""
    text = BRIDGE_FILE.read_text(encoding="utf8").replace("{{sandbox}}", settings.SANDBOX_URL)
    return HttpResponse(text, content_type="text/javascript")


def bridge_request(request: HttpRequest) -> HttpResponse:
    """A page inside WeChat asked for a payment: signed by its merchant, it opens, else it fails."""
    asked = {name: request.GET.get(name, "") for name in bridge.FIELDS}
    back = _web(request.GET.get("redirect_url", ""))
    try:
        order = bridge.order_asked(asked)
    except Refused as error:
        context = {"problem": error.message, "back": back}
        return render(request, "phone/bridge_refused.html", context, status=error.status)
    page = reverse("phone_pay", args=[order.token])
    return HttpResponseRedirect(f"{page}?{urlencode({'redirect_url': back})}")


def sign_request(request: HttpRequest, token: str) -> HttpResponse:
    found = Contract.objects.select_related("merchant", "plan")
    contract = get_object_or_404(found, token=token)
    problem = ""
    if request.method == "POST":
        problem = _sign(contract, request.POST.get("answer", ""), request.POST.get("openid", ""))
        contract.refresh_from_db()
    context = {
        "contract": contract,
        "open": contract.state == Contract.State.WAITING,
        "back": _web(contract.return_url),
    }
    return _page(request, context, problem=problem, held="")


def _sign(contract: Contract, answer: str, openid: str) -> str:
    try:
        if answer == NO:
            contracts.contract_refuse(contract.pk)
        elif answer == YES:
            contracts.contract_sign(contract.pk, openid)
    except Refused as error:
        return f"{error.message}。没有开通。"
    return ""


def _page(
    request: HttpRequest, context: dict[str, Any], *, problem: str, held: str
) -> HttpResponse:
    chosen = request.POST.get("openid") or held or request.COOKIES.get(PHONE_COOKIE, "")
    context |= {"problem": problem, "wallets": wallets_found(""), "chosen": chosen}
    return render(request, "phone/request.html", context, status=409 if problem else 200)


def _web(url: str) -> str:
    """An address that a link may carry; nothing that would run in the page."""
    return url if urlsplit(url).scheme in ("http", "https") else ""
