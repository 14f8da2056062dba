"""The wallet's pages: payment code, what waits for a password, agreements, and opened links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from sandbox.alipay import contracts, payer
from sandbox.alipay.models import Contract, Trade, Wallet
from sandbox.alipay.refusal import Refused
from sandbox.alipay.selectors import code_open, contracts_of, history_of, wallets_found
from sandbox.phone.codes import grouped, qr_svg
from sandbox.phone.selectors import seconds_left

PHONE_COOKIE = "sandbox_alipay"
YES, NO = "yes", "no"
WAIT_REFRESH_S = 10
STATE_WORDS = {
    "OFFERED": "等待付款",
    "WAIT_BUYER_PAY": "等待付款",
    "TRADE_SUCCESS": "支付成功",
    "TRADE_FINISHED": "交易完结",
    "TRADE_CLOSED": "交易已关闭",
}


def home(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    context = {"wallets": wallets_found(query), "query": query}
    return render(request, "alipay/home.html", context)


def phone(request: HttpRequest, user_id: str) -> HttpResponse:
    wallet = get_object_or_404(Wallet, user_id=user_id)
    return _phone(request, wallet, problem="", status=200)


def _phone(request: HttpRequest, wallet: Wallet, *, problem: str, status: int) -> HttpResponse:
    """The code stays for its minute; a page that is refreshed does not burn a new one."""
    code = code_open(wallet) or payer.code_show(wallet.user_id)
    left = seconds_left(code.expires_at)
    context = {
        "wallet": wallet,
        "problem": problem,
        "waiting": payer.waiting_of(wallet.user_id),
        "qr": qr_svg(code.code, "付款码"),
        "digits": grouped(code.code),
        "left": left,
        "refresh_s": max(min(left, WAIT_REFRESH_S), 2),
        "contracts": contracts_of(wallet),
        "history": history_of(wallet),
    }
    answer = render(request, "alipay/phone.html", context, status=status)
    answer.set_cookie(PHONE_COOKIE, wallet.user_id, httponly=True, samesite="Lax")
    return answer


def act(request: HttpRequest, user_id: str, verb: str) -> HttpResponse:
    """A press in the wallet; what it refuses is said in its words on the same page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    wallet = get_object_or_404(Wallet, user_id=user_id)
    try:
        problem = VERBS[verb](wallet, request.POST.dict())
    except Refused as error:
        problem = f"{error.message}。"
    if problem:
        wallet.refresh_from_db()
        return _phone(request, wallet, problem=problem, status=409)
    return HttpResponseRedirect(reverse("alipay_phone", args=[user_id]))


def _confirm(wallet: Wallet, posted: dict[str, Any]) -> str:
    return _pay(wallet.user_id, posted.get("token", ""))


def _refuse(wallet: Wallet, posted: dict[str, Any]) -> str:
    payer.trade_refuse(wallet.user_id, posted.get("token", ""))
    return ""


def _open(wallet: Wallet, posted: dict[str, Any]) -> str:
    payer.link_open(wallet.user_id, posted.get("link", "").strip())
    return ""


def _unsign(wallet: Wallet, posted: dict[str, Any]) -> str:
    payer.contract_unsign(wallet.user_id, posted.get("no", ""))
    return ""


VERBS: dict[str, Callable[[Wallet, dict[str, Any]], str]] = {
    "confirm": _confirm,
    "refuse": _refuse,
    "open": _open,
    "unsign": _unsign,
}


def pay_request(request: HttpRequest, token: str) -> HttpResponse:
    """A payment link opened in a browser: whose wallet, yes or no, back to the merchant."""
    found = Trade.objects.select_related("merchant", "wallet")
    trade = get_object_or_404(found, token=token)
    problem, answer = "", request.POST.get("answer", "")
    if request.method == "POST" and answer == YES:
        try:
            payer.link_open(request.POST.get("user_id", ""), token)
            problem = _pay(request.POST.get("user_id", ""), token)
        except Refused as error:
            problem = f"{error.message}。没有扣款。"
        trade.refresh_from_db()
    context = {
        "trade": trade,
        "trade_word": STATE_WORDS[trade.state],
        "open": answer != NO and trade.state in payer.OPEN,
        "back": _web(trade.return_url),
    }
    held = trade.wallet.user_id if trade.wallet else ""
    return _page(request, context, problem=problem, held=held)


def _pay(user_id: str, token: str) -> str:
    """The password is typed in; says why nothing was paid, empty when it was."""
    trade = payer.trade_confirm(user_id, token)
    if trade.state == Trade.State.TRADE_SUCCESS:
        return ""
    if trade.held:
        return "正在确认，请勿重复支付。"
    return "余额不够或付款被拒。没有扣款。"


def sign_request(request: HttpRequest, token: str) -> HttpResponse:
    """A signing link opened in a browser."""
    contract = get_object_or_404(Contract.objects.select_related("merchant", "plan"), token=token)
    problem = ""
    if request.method == "POST":
        try:
            if request.POST.get("answer") == NO:
                contracts.contract_refuse(contract.pk)
            elif request.POST.get("answer") == YES:
                contracts.contract_sign(contract.pk, request.POST.get("user_id", ""))
        except Refused as error:
            problem = f"{error.message}。没有开通。"
        contract.refresh_from_db()
    context = {
        "contract": contract,
        "open": contract.state == Contract.State.TEMP,
        "back": _web(contract.return_url),
    }
    return _page(request, context, problem=problem, held="")


def _page(
    request: HttpRequest, context: dict[str, Any], *, problem: str, held: str
) -> HttpResponse:
    chosen = request.POST.get("user_id") or held or request.COOKIES.get(PHONE_COOKIE, "")
    context |= {"problem": problem, "wallets": wallets_found(""), "chosen": chosen}
    return render(request, "alipay/request.html", context, status=409 if problem else 200)


def _web(url: str) -> str:
    """An address that a link may carry; nothing that would run in the page."""
    return url if urlsplit(url).scheme in ("http", "https") else ""
