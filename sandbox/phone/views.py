"""The pages of a payer's phone; every press goes through the wallet's own functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from sandbox.messages.oauth import PHONE_COOKIE
from sandbox.messages.selectors import numbers_without_wallet
from sandbox.phone.codes import grouped, qr_svg
from sandbox.phone.selectors import (
    code_open,
    contracts_of,
    history_of,
    messages_of,
    seconds_left,
    wallets_found,
)
from sandbox.wechat_pay import med_ins, payer
from sandbox.wechat_pay.models import Order, Wallet
from sandbox.wechat_pay.refusal import Refused

STYLE_FILE = Path(__file__).parent / "static" / "phone" / "sandbox.css"
TABS = (
    ("wallet", "钱包"),
    ("scan", "扫一扫"),
    ("messages", "消息"),
    ("agreements", "协议"),
    ("history", "收支"),
)
WAIT_REFRESH_S = 10


def style(_request: HttpRequest) -> HttpResponse:
    """Served by a view: the sandbox is one process without a static files step."""
    return HttpResponse(
        STYLE_FILE.read_bytes(), content_type="text/css", headers={"Cache-Control": "max-age=60"}
    )


def home(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    context = {
        "wallets": wallets_found(query),
        "query": query,
        "numbers": numbers_without_wallet(),
    }
    return render(request, "phone/home.html", context)


def tab(request: HttpRequest, openid: str, name: str) -> HttpResponse:
    wallet = get_object_or_404(Wallet, openid=openid)
    return _tab(request, wallet, name, problem="", status=200)


def _tab(
    request: HttpRequest, wallet: Wallet, name: str, *, problem: str, status: int
) -> HttpResponse:
    context = {"wallet": wallet, "tabs": TABS, "tab": name, "problem": problem}
    context |= CONTENTS[name](wallet)
    answer = render(request, f"phone/{name}.html", context, status=status)
    answer.set_cookie(PHONE_COOKIE, wallet.openid, httponly=True, samesite="Lax")
    return answer


def _wallet(wallet: Wallet) -> dict[str, Any]:
    """The code stays for its minute; a page that is refreshed does not burn a new one."""
    code = code_open(wallet) or payer.code_show(wallet.openid)
    left = seconds_left(code.expires_at)
    return {
        "waiting": payer.waiting_of(wallet.openid),
        "qr": qr_svg(code.code, "付款码"),
        "digits": grouped(code.code),
        "left": left,
        "refresh_s": max(min(left, WAIT_REFRESH_S), 2),
    }


def _messages(wallet: Wallet) -> dict[str, Any]:
    return {"messages": messages_of(wallet)}


def _agreements(wallet: Wallet) -> dict[str, Any]:
    return {"contracts": contracts_of(wallet)}


def _history(wallet: Wallet) -> dict[str, Any]:
    return {"history": history_of(wallet)}


CONTENTS: dict[str, Callable[[Wallet], dict[str, Any]]] = {
    "wallet": _wallet,
    "scan": lambda _wallet: {},
    "messages": _messages,
    "agreements": _agreements,
    "history": _history,
}


def act(request: HttpRequest, openid: str, verb: str) -> HttpResponse:
    """A press on the phone; what the wallet refuses is said in its words on the same page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    wallet = get_object_or_404(Wallet, openid=openid)
    name, run = VERBS[verb]
    try:
        problem = run(wallet, request.POST.dict())
    except Refused as error:
        problem = error.message
    if problem:
        wallet.refresh_from_db()
        return _tab(request, wallet, name, problem=problem, status=409)
    return HttpResponseRedirect(reverse("phone_tab", args=[openid, name]))


def pay(wallet: Wallet, token: str) -> str:
    """The password is typed in; says why nothing was paid, empty when it was."""
    order = med_ins.order_confirm(wallet.openid, token)
    if order.state == Order.State.SUCCESS:
        return ""
    if order.held:
        return "正在确认，请勿重复支付。"
    return "零钱不够或付款被拒。没有扣款。"


def _confirm(wallet: Wallet, posted: dict[str, Any]) -> str:
    return pay(wallet, posted.get("token", ""))


def _refuse(wallet: Wallet, posted: dict[str, Any]) -> str:
    payer.order_refuse(wallet.openid, posted.get("token", ""))
    return ""


def _open(wallet: Wallet, posted: dict[str, Any]) -> str:
    payer.link_open(wallet.openid, posted.get("link", "").strip())
    return ""


def _unsign(wallet: Wallet, posted: dict[str, Any]) -> str:
    payer.contract_unsign(wallet.openid, posted.get("no", ""))
    return ""


VERBS: dict[str, tuple[str, Callable[[Wallet, dict[str, Any]], str]]] = {
    "confirm": ("wallet", _confirm),
    "refuse": ("wallet", _refuse),
    "open": ("wallet", _open),
    "unsign": ("agreements", _unsign),
}
