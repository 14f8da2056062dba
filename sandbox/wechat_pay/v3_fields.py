"""Reading the JSON of v3 requests: what is missing or malformed is a PARAM_ERROR naming it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from sandbox.wechat_pay.crypto import fingerprint
from sandbox.wechat_pay.models import Merchant, Wallet
from sandbox.wechat_pay.orders import Wanted
from sandbox.wechat_pay.refunds import Return
from sandbox.wechat_pay.refusal import Refused
from sandbox.world import clock

OUT_TRADE_NO = re.compile(r"[0-9A-Za-z_\-*]{6,32}")
OUT_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
FEN_LIMIT = 10**12


def bad(name: str) -> Refused:
    return Refused(400, "PARAM_ERROR", f"参数错误：{name}")


def text(data: dict[str, Any], name: str, most: int, *, must: bool = True) -> str:
    value = data.get(name, "")
    if not isinstance(value, str) or len(value) > most or (must and not value):
        raise bad(name)
    return value


def fen(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < FEN_LIMIT:
        raise bad(f"amount.{name}")
    return value


def part(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    if not isinstance(value, dict):
        raise bad(name)
    return value


def notify_url(data: dict[str, Any], *, must: bool) -> str:
    """An address for notices; the vendor takes none with a query string."""
    value = text(data, "notify_url", 256, must=must)
    if value and (not value.startswith(("https://", "http://")) or "?" in value):
        raise bad("notify_url")
    return value


def own(merchant: Merchant, data: dict[str, Any]) -> None:
    """The body's merchant is the signer, and the appid is bound to it."""
    if data.get("mchid") != merchant.mchid:
        raise Refused(400, "PARAM_ERROR", "商户号与签名的商户号不一致")
    if data.get("appid") != merchant.appid:
        raise Refused(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")


def order_wanted(merchant: Merchant, product: str, data: dict[str, Any]) -> Wanted:
    """The order of a v3 body, for any product."""
    own(merchant, data)
    out_trade_no = text(data, "out_trade_no", 32)
    if not OUT_TRADE_NO.fullmatch(out_trade_no):
        raise bad("out_trade_no")
    amount = part(data, "amount")
    if amount.get("currency", "CNY") != "CNY":
        raise bad("amount.currency")
    openid = ""
    if product == "jsapi":
        openid = text(part(data, "payer"), "openid", 128)
        if not Wallet.objects.filter(openid=openid).exists():
            raise Refused(400, "PARAM_ERROR", "无效的openid")
    if product == "h5":
        scene = part(data, "scene_info")
        text(scene, "payer_client_ip", 45)
        text(part(scene, "h5_info"), "type", 32)
    return Wanted(
        out_trade_no=out_trade_no,
        product=product,
        description=text(data, "description", 127),
        total_fen=fen(amount, "total"),
        fingerprint=fingerprint([product, data]),
        attach=text(data, "attach", 128, must=False),
        notify_url="" if product == "codepay" else notify_url(data, must=True),
        expires_at=_expiry(data),
        openid=openid,
    )


def _expiry(data: dict[str, Any]) -> datetime | None:
    value = text(data, "time_expire", 64, must=False)
    if not value:
        return None
    try:
        at = parse_datetime(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at <= clock.now():
        raise bad("time_expire")
    return at


def refund_wanted(data: dict[str, Any]) -> Return:
    """The refund of a v3 body; one of the two order numbers, or both if they agree."""
    number = text(data, "out_refund_no", 64)
    if not OUT_REFUND_NO.fullmatch(number):
        raise bad("out_refund_no")
    amount = part(data, "amount")
    if amount.get("currency") != "CNY":
        raise bad("amount.currency")
    out_trade_no = text(data, "out_trade_no", 32, must=False)
    transaction_id = text(data, "transaction_id", 32, must=False)
    if not (out_trade_no or transaction_id):
        raise bad("transaction_id")
    if fen(amount, "refund") > fen(amount, "total"):
        raise Refused(400, "PARAM_ERROR", "退款金额不能大于订单金额")
    return Return(
        out_refund_no=number,
        amount_fen=amount["refund"],
        total_fen=amount["total"],
        protocol="v3",
        # The reason and the address may differ on a repetition; the money may not.
        fingerprint=fingerprint([out_trade_no or "", transaction_id or "", amount]),
        out_trade_no=out_trade_no,
        transaction_id=transaction_id,
        reason=text(data, "reason", 80, must=False),
        notify_url=notify_url(data, must=False),
    )
