"""Orders of insurance and wallet together: made, asked for, confirmed once, told back."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from sandbox.nhsa import mobile_paying, states
from sandbox.nhsa.models import MobileOrder
from sandbox.nhsa.refusal import Refused as CentreRefused
from sandbox.wechat_pay import crypto, orders, payer, v3_fields
from sandbox.wechat_pay.letters import JSON
from sandbox.wechat_pay.med_ins_fields import cash_order, centre_order, mixed_wanted
from sandbox.wechat_pay.models import Merchant, MixedOrder, Order
from sandbox.wechat_pay.numbers import rfc3339, transaction_number
from sandbox.wechat_pay.payer import DECLINE, wallet_of
from sandbox.wechat_pay.refusal import Refused
from sandbox.wechat_pay.v3_wire import Answer, v3_call
from sandbox.world import clock, faults
from sandbox.world.faults import Fault
from sandbox.world.notices import Letter, notice_queue
from sandbox.world.registry import SIGNED

Data = dict[str, Any]
PAID = "MED_INS_PAY_SUCCESS"
_SETTLED = frozenset({
    states.INSURANCE_DONE, states.HOSPITAL_DONE, states.PAID, states.REFUNDED,
    states.INSURANCE_BACK, states.CASH_BACK, states.CASH_PART_BACK, states.INSURANCE_AND_PART_BACK,
})  # fmt: skip
_FAILED = frozenset({states.CASH_DONE, states.FAILED, states.REVOKED})


@v3_call("mixed", "POST", able=SIGNED | {"decline"})
def create(merchant: Merchant, data: Data, fault: Fault | None, _request: HttpRequest) -> Answer:
    if fault is not None and fault.name == "decline":
        raise Refused(400, "RULE_LIMIT", "268545963 用户未绑定医保电子凭证")
    wanted = mixed_wanted(merchant, data)
    mark = crypto.fingerprint([wanted])
    known = MixedOrder.objects.filter(merchant=merchant, out_trade_no=data["out_trade_no"]).first()
    if known is not None:
        raise Refused(400, "ALREADY_EXISTS", "268512536 订单已存在")
    centre_order(data)
    try:
        with transaction.atomic():
            row = MixedOrder.objects.create(
                merchant=merchant,
                out_trade_no=data["out_trade_no"],
                mix_trade_no=f"mx{transaction_number()[:28]}",
                order=cash_order(merchant, data),
                openid=data["openid"],
                pay_order_id=data["pay_order_id"],
                fingerprint=mark,
                wanted=wanted,
                created_at=clock.now(),
            )
    except IntegrityError as error:
        raise Refused(400, "ALREADY_EXISTS", "268512536 订单已存在") from error
    return 200, mixed_json(row)


@v3_call("mixed_query", "GET", able=SIGNED | {"settle_differs"})
def query(
    merchant: Merchant,
    _data: Data,
    fault: Fault | None,
    _request: HttpRequest,
    out_trade_no: str = "",
    mix_trade_no: str = "",
) -> Answer:
    rows = MixedOrder.objects.select_related("order").filter(merchant=merchant)
    by = {"mix_trade_no": mix_trade_no} if mix_trade_no else {"out_trade_no": out_trade_no}
    row = rows.filter(**by).first()
    if row is None:
        raise Refused(404, "NOT_FOUND", "订单不存在")
    out = mixed_json(row)
    if fault is not None and fault.name == "settle_differs":
        out["med_ins_gov_fee"] += 1
    return 200, out


@v3_call("mixed_refund", "POST")
def refund_told(
    merchant: Merchant, data: Data, _fault: Fault | None, request: HttpRequest
) -> Answer:
    """The hospital says that the insurance part went back at the bureau."""
    number = request.GET.get("mix_trade_no", "")
    with transaction.atomic():
        rows = MixedOrder.objects.select_for_update(of=("self",))
        row = rows.filter(merchant=merchant, mix_trade_no=number).first()
        if row is None:
            raise Refused(404, "NOT_FOUND", "订单不存在")
        names = ("med_refund_gov_fee", "med_refund_self_fee", "med_refund_other_fee")
        fees = {name: data.get(name) for name in ("med_refund_total_fee", *names)}
        if any(isinstance(one, bool) or not isinstance(one, int) for one in fees.values()):
            raise v3_fields.bad("med_refund_total_fee")
        v3_fields.text(data, "out_refund_no", 64)
        v3_fields.text(data, "refund_time", 64)
        paid = {name: row.wanted[name.replace("refund", "ins")] for name in names}
        whole = {**paid, "med_refund_total_fee": sum(paid.values())}
        if fees != whole or mixed_json(row)["med_ins_pay_status"] not in (
            PAID, "MED_INS_PAY_REFUND",
        ):  # fmt: skip
            raise Refused(400, "INVALID_REQUEST", "医保退款金额或状态不正确")
        row.refund = data
        row.save(update_fields=["refund"])
    return 204, None


def mixed_json(row: MixedOrder) -> Data:
    """The order with the three states of its parts."""
    med, own = _insurance_state(row), _own_state(row.order)
    parts = {med.rsplit("_", 1)[1], *({own.rsplit("_", 1)[1]} if row.order else set())}
    mix = next((one for one in ("FAIL", "CREATED") if one in parts), "")
    mix = mix or ("REFUND" if parts == {"REFUND"} else "SUCCESS")
    out: Data = row.wanted | {
        "mix_trade_no": row.mix_trade_no,
        "mix_pay_status": f"MIX_PAY_{mix}",
        "self_pay_status": own,
        "med_ins_pay_status": med,
    }
    if row.confirmed_at:
        out["paid_time"] = rfc3339(row.confirmed_at)
    if med == "MED_INS_PAY_FAIL":
        out["med_ins_fail_reason"] = "医保结算失败"
    return out


def _insurance_state(row: MixedOrder) -> str:
    code = MobileOrder.objects.values_list("ord_stas", flat=True).get(pay_ord_id=row.pay_order_id)
    if row.refund:
        return "MED_INS_PAY_REFUND"
    if code in _SETTLED:
        return PAID
    return "MED_INS_PAY_FAIL" if code in _FAILED else "MED_INS_PAY_CREATED"


def _own_state(order: Order | None) -> str:
    if order is None:
        return "NO_SELF_PAY"
    if order.state == Order.State.REFUND and order.refunded_fen < order.total_fen:
        return "SELF_PAY_SUCCESS"
    words = {"SUCCESS": "SUCCESS", "REFUND": "REFUND", "NOTPAY": "CREATED"}
    return f"SELF_PAY_{words.get(order.state, 'FAIL')}"


def order_confirm(openid: str, token: str) -> Order:
    """The password under an order: of both parts, where insurance rides in it, else of itself."""
    row = MixedOrder.objects.filter(order__token=token, openid=openid, confirmed_at=None).first()
    if row is None:
        return payer.order_confirm(openid, token)
    mixed_confirm(openid, row.mix_trade_no)
    return Order.objects.get(token=token)


def mixed_confirm(openid: str, number: str) -> Data:
    """One password for both parts: the bureau settles, then the wallet pays, if it can.

    The two are no one transaction in the vendor's world either: either may fail alone.
    """
    rows = MixedOrder.objects.filter(openid=openid, confirmed_at=None)
    row = rows.filter(mix_trade_no=number).first() if number else rows.order_by("-pk").first()
    if row is None:
        raise Refused(404, "ORDER_NOT_EXIST", f"nothing of both kinds waits for {openid!r}")
    if row.order is not None:
        with transaction.atomic():
            order = orders.order_by_token(row.order.token)
        if order.state != Order.State.NOTPAY:
            raise Refused(400, "ORDER_CLOSED", f"the order is {order.state}")
    try:
        settled = mobile_paying.order_confirm(row.pay_order_id, cash=False)
    except CentreRefused as error:
        raise Refused(400, "INVALID_REQUEST", error.message) from error
    if row.order is not None and _cash_paid(row) and settled.ord_stas == states.INSURANCE_DONE:
        mobile_paying.cash_arrived(row.pay_order_id)
    MixedOrder.objects.filter(pk=row.pk).update(confirmed_at=clock.now())
    row = MixedOrder.objects.select_related("order", "merchant").get(pk=row.pk)
    out = mixed_json(row)
    if out["mix_pay_status"] == "MIX_PAY_SUCCESS":
        _notify(row, out)
    return out


@transaction.atomic
def _cash_paid(row: MixedOrder) -> bool:
    assert row.order is not None
    order = orders.order_by_token(row.order.token)
    if faults.draw("wechat_pay", "capture", able=DECLINE) is not None:
        return False
    return orders.order_pay(order, wallet_of(row.openid))


def _notify(row: MixedOrder, out: Data) -> None:
    """Told for about thirty seconds and no longer."""
    event = secrets.token_hex(18)

    def body(resource: Data) -> bytes:
        return json.dumps(
            {
                "id": event,
                "create_time": rfc3339(clock.now()),
                "resource_type": "encrypt-resource",
                "event_type": "MEDICAL_INSURANCE.SUCCESS",
                "summary": "医保混合收款成功",
                "resource": crypto.resource_seal(row.merchant.api_v3_key, "medins", resource),
            },
            ensure_ascii=False,
        ).encode()

    plain = out | {"mchid": row.merchant.mchid}
    notice_queue(
        Letter(
            counterparty="wechat_pay",
            operation="mixed",
            sender=row.merchant.mchid,
            event="MEDICAL_INSURANCE.SUCCESS",
            number=row.out_trade_no[:64],
            url=row.wanted["callback_url"],
            content_type=JSON,
            body=body(plain),
            wrong_body=body(plain | {"total_fee": plain["total_fee"] + 1}),
        )
    )
