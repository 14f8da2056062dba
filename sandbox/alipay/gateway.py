"""The one address of the gateway: a table of methods, and the pages that a person opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from sandbox.alipay import views
from sandbox.alipay.contracts import Proposal, contract_propose
from sandbox.alipay.refusal import Refused, parameter
from sandbox.alipay.wire import Asked, asked_verify, fields_of, refusal, reply
from sandbox.world.faults import Fault
from sandbox.world.registry import SIGNED
from sandbox.world.wire import call_struck


@dataclass(frozen=True)
class Method:
    """One method: under which operation its faults are drawn, and which can happen to it."""

    operation: str
    run: Callable[[Asked, Fault | None], dict[str, Any]]
    able: frozenset[str] | None = None


METHODS: dict[str, Method] = {
    "alipay.trade.precreate": Method("capture", views.precreate, SIGNED),
    "alipay.trade.pay": Method("capture", views.pay),
    "alipay.trade.query": Method("query", views.query),
    "alipay.trade.close": Method("close", views.close),
    "alipay.trade.cancel": Method("reverse", views.cancel),
    "alipay.trade.refund": Method("refund", views.refund),
    "alipay.trade.fastpay.refund.query": Method("refund_query", views.refund_query),
    "alipay.user.agreement.query": Method("query", views.agreement_query),
    "alipay.user.agreement.unsign": Method("unsign", views.agreement_unsign),
    "alipay.fund.trans.uni.transfer": Method("transfer", views.transfer),
    "alipay.fund.trans.common.query": Method("transfer_query", views.transfer_query),
    "alipay.fund.trans.order.query": Method("transfer_query", views.transfer_query),
}


def gateway(request: HttpRequest) -> HttpResponse:
    """`gateway.do`: a call of a server, or a page that a person was sent to."""
    try:
        fields = fields_of(request)
    except Refused as error:
        return refusal("", error, spoilt=False, certificates=False)
    name = fields.get("method", "")
    if name in PAGES:
        return _page(fields)
    method = METHODS.get(name)
    if method is None:
        unheard = Refused("isv.invalid-method", "不存在的方法名", code="40002", signed=False)
        return refusal(name, unheard, spoilt=False, certificates=False)

    def execute(fault: Fault | None) -> HttpResponse:
        spoilt = bool(fault and fault.name == "bad_signature")
        certificates = bool(fields.get("app_cert_sn"))
        try:
            out = method.run(asked_verify(fields), fault)
        except Refused as error:
            return refusal(name, error, spoilt=spoilt, certificates=certificates)
        return reply(name, out, spoilt=spoilt, certificates=certificates)

    return call_struck(request, "alipay", method.operation, execute, method.able)


def _page(fields: dict[str, str]) -> HttpResponse:
    try:
        asked = asked_verify(fields)
        return HttpResponseRedirect(PAGES[asked.method](asked))
    except Refused as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")


def _sign_page(asked: Asked) -> str:
    product = asked.need("product_code")
    if asked.need("personal_product_code") != f"{product}_P":
        raise parameter("personal_product_code")
    channel = asked.content.get("access_params")
    if not isinstance(channel, dict) or channel.get("channel") not in CHANNELS:
        raise parameter("access_params")
    contract = contract_propose(
        asked.merchant,
        Proposal(
            product_code=product,
            sign_scene=asked.need("sign_scene"),
            external_agreement_no=asked.number("external_agreement_no")[:32],
            external_logon_id=asked.text("external_logon_id", 100),
            notify_url=asked.notify_url,
            return_url=asked.return_url,
            period=_period(asked, product),
        ),
    )
    return reverse("alipay_sign", args=[contract.token])


def _period(asked: Asked, product: str) -> dict[str, Any]:
    """The rule of a periodic agreement, in fen; demanded there and only there."""
    rule = asked.content.get("period_rule_params")
    if product != "CYCLE_PAY_AUTH":
        if rule is not None:
            raise parameter("period_rule_params")
        return {}
    if not isinstance(rule, dict) or rule.get("period_type") not in ("DAY", "MONTH"):
        raise parameter("period_rule_params")
    day = str(rule.get("execute_time", ""))
    if rule["period_type"] == "MONTH" and day[-2:] > "28":
        raise parameter("execute_time")
    kept: dict[str, Any] = {
        "period_type": rule["period_type"],
        "period": str(rule.get("period", "")),
        "execute_time": day,
        "single_fen": asked.fen("single_amount", rule),
    }
    if rule.get("total_amount"):
        kept["total_fen"] = asked.fen("total_amount", rule)
    if rule.get("total_payments"):
        kept["total_payments"] = int(rule["total_payments"])
    return kept


def _pay_page(asked: Asked) -> str:
    return reverse("alipay_pay", args=[views.wap_trade(asked).token])


CHANNELS = ("ALIPAYAPP", "QRCODE", "QRCODEORSMS")
PAGES: dict[str, Callable[[Asked], str]] = {
    "alipay.user.agreement.page.sign": _sign_page,
    "alipay.trade.wap.pay": _pay_page,
}
