"""Reading `POST /v3/med-ins/orders`: every field, both equations, and the centre's own figures."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.nhsa.models import MobileOrder, PayAuth, Person
from sandbox.wechat_pay import crypto
from sandbox.wechat_pay.models import Merchant, Order
from sandbox.wechat_pay.refusal import Refused
from sandbox.wechat_pay.v3_fields import bad, notify_url, part, text
from sandbox.wechat_pay.v3_wire import house_keys

PAY_TYPES = ("CASH_ONLY", "INSURANCE_ONLY", "CASH_AND_INSURANCE")
ORDER_TYPES = ("REG_PAY", "DIAG_PAY", "IN_HOSP_PAY", "PHARMACY_PAY", "INSURANCE_PAY", "MED_PAY")
CARDS = ("ID_CARD", "HOUSEHOLD_REGISTRATION", "FOREIGNER_PASSPORT")
FEES = (
    "total_fee",
    "med_ins_gov_fee",
    "med_ins_self_fee",
    "med_ins_other_fee",
    "med_ins_cash_fee",
    "wechat_pay_cash_fee",
)
SHOWN = (
    "mix_pay_type", "order_type", "appid", "openid", "out_trade_no", "serial_no", "pay_order_id",
    "pay_auth_no", "geo_location", "city_id", "med_inst_name", "med_inst_no",
    "med_ins_order_create_time", *FEES, "callback_url", "prepay_id", "attach",
    "pay_for_relatives",
)  # fmt: skip
Data = dict[str, Any]


def mixed_wanted(merchant: Merchant, data: Data) -> Data:
    """The order as it is kept and shown; what does not add up is refused by its own number."""
    if data.get("appid") != merchant.appid:
        raise Refused(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
    lengths = {
        "openid": 128, "out_trade_no": 64, "serial_no": 20, "pay_order_id": 64, "pay_auth_no": 40,
        "city_id": 8, "med_inst_name": 128, "med_inst_no": 32, "med_ins_order_create_time": 64,
    }  # fmt: skip
    for name, most in lengths.items():
        text(data, name, most)
    for name, most in {"geo_location": 40, "attach": 128, "prepay_id": 64}.items():
        text(data, name, most, must=False)
    for name, known in {"mix_pay_type": PAY_TYPES, "order_type": ORDER_TYPES}.items():
        if data.get(name) not in known:
            raise bad(name)
    if data.get("med_ins_test_env"):
        raise bad("med_ins_test_env")
    notify_url({"notify_url": data.get("callback_url", "")}, must=True)
    fees = {name: _fee(data, name) for name in FEES}
    _equations(data, fees)
    return {name: data[name] for name in SHOWN if name in data}


def _fee(data: Data, name: str) -> int:
    value = data.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad(name)
    return value


def _details(data: Data, name: str, fee: str) -> int:
    rows = data.get(name, [])
    if not isinstance(rows, list):
        raise bad(name)
    return sum(_fee(row if isinstance(row, dict) else {}, fee) for row in rows)


def _equations(data: Data, fees: dict[str, int]) -> None:
    """total = gov + self + other + wechat_cash + Σreduce = gov + self + other + med_cash + Σadd."""
    added = _details(data, "cash_add_detail", "cash_add_fee")
    reduced = _details(data, "cash_reduce_detail", "cash_reduce_fee")
    insured = fees["med_ins_gov_fee"] + fees["med_ins_self_fee"] + fees["med_ins_other_fee"]
    total, cash = fees["total_fee"], fees["wechat_pay_cash_fee"]
    if total != insured + cash + reduced:
        raise Refused(400, "INVALID_REQUEST", "268529476 订单总金额与各部分金额之和不一致")
    if total != insured + fees["med_ins_cash_fee"] + added:
        raise Refused(400, "INVALID_REQUEST", "268529477 订单总金额与医保结算金额不一致")
    kind = data["mix_pay_type"]
    if (kind == "INSURANCE_ONLY") != (cash == 0) or bool(data.get("prepay_id")) != (cash > 0):
        raise Refused(400, "PARAM_ERROR", "268529481 支付类型与自费金额不一致")


def centre_order(data: Data) -> MobileOrder:
    """The centre's order that the merchant names: its own figures, its own consent."""
    order = (
        MobileOrder.objects.select_related("person").filter(pay_ord_id=data["pay_order_id"]).first()
    )
    if order is None or order.med_org_ord != data["serial_no"]:
        raise Refused(400, "INVALID_REQUEST", "268510610 医保支付订单不存在")
    if order.credential != data["pay_auth_no"]:
        raise Refused(400, "INVALID_REQUEST", "268547120 支付授权码无效或已使用")
    told = order.trial
    said = {
        "total_fee": order.fee_fen - told.get("hosp_part_fen", 0),
        "med_ins_gov_fee": told.get("fund_fen"),
        "med_ins_self_fee": told.get("acct_fen"),
        "med_ins_cash_fee": told.get("cash_fen"),
    }
    if any(_fee(data, name) != value for name, value in said.items()):
        raise Refused(400, "RULE_LIMIT", "268510610 预结算金额不匹配")
    allowed = PayAuth.objects.select_related("payer").filter(pay_auth_no=order.credential).first()
    by = allowed.payer if allowed is not None else None
    for_relative = data.get("pay_for_relatives", False)
    if for_relative is not (by is not None) or ("relative" in data) is not for_relative:
        raise Refused(400, "PARAM_ERROR", "268545962 亲属支付标识与授权不一致")
    _named_check(data, "payer", by or order.person)
    if by is not None:
        _named_check(data, "relative", order.person)
    return order


def _named_check(data: Data, name: str, person: Person) -> None:
    """The name and the digest of the number, both under our key, of the very person."""
    given = part(data, name)
    digest = hashlib.md5(person.certno.upper().encode()).hexdigest()  # noqa: S324 - theirs
    named = {"name": person.name, "id_digest": digest}
    opened = {one: crypto.oaep_open(house_keys().private_key, given.get(one)) for one in named}
    if opened != named or given.get("card_type") not in CARDS:
        raise Refused(400, "INVALID_REQUEST", "268545961 姓名与身份证与医保电子凭证不一致")


def cash_order(merchant: Merchant, data: Data) -> Order | None:
    """The jsapi order of the same number, for the cash and the same payer."""
    cash = _fee(data, "wechat_pay_cash_fee")
    if not cash:
        return None
    rows = Order.objects.filter(merchant=merchant, out_trade_no=data["out_trade_no"])
    order = rows.filter(product="jsapi", state=Order.State.NOTPAY).first()
    same = order is not None and (order.total_fen, order.wanted_openid, f"wx{order.token}") == (
        cash, data["openid"], data["prepay_id"],
    )  # fmt: skip
    if not same:
        raise Refused(400, "PARAM_ERROR", "prepay_id与混合订单不一致")
    return order
