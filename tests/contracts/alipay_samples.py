"""Alipay as the tests play it: its keys, genuine notices, and scripted raw answers.

Written from the protocol, not from the adapter: nothing of the adapter's signing is used here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from billing.channels.alipay import Alipay
from billing.channels.base import (
    AgreementReference,
    CaptureOrder,
    ChannelAnswer,
    MerchantAccount,
    Mode,
    Notice,
    NoticeKind,
    OrderReference,
    PayeeKind,
    RefundOrder,
    TransferOrder,
)
from core import clock
from sandbox.alipay.keys import certificate_make
from tests.billing.channels.wechat_vendor import key, private_pem, public_pem, raw_answer

CAPTURE, REFUND, AGREEMENT = NoticeKind.CAPTURE, NoticeKind.REFUND, NoticeKind.AGREEMENT
PID, APP_ID = "2088101110000009", "2021000110000009"
OTHER_PID, OTHER_APP_ID = "2088000000000000", "2021000000000000"
NUMBER, REFUND_NUMBER, TRANSFER_NUMBER = "TX20261120A0001", "RF20261120A0001", "TF20261120A0001"
TRADE_NO, USER_ID, AGREEMENT_NO = "2026112022001409871000001", "2088102169481075", "20261120000001"
CONTRACT_CODE, PLAN_ID = "AG20261120A0001", "INDUSTRY|HOSPITAL"
AMOUNT, REFUND_FEN = 8640, 1250


def certificate(name: str) -> str:
    return certificate_make(name, key(name), "Sandbox Issuer", key("issuer"))


def account(base_url: str = "http://127.0.0.1:9", **secrets: str) -> MerchantAccount:
    named = {
        "app_private_key": private_pem("merchant"),
        "alipay_public_key": public_pem("platform"),
        "previous_alipay_public_key": public_pem("previous"),
        **secrets,
    }
    return MerchantAccount(
        channel="alipay",
        merchant_no=PID,
        app_id=APP_ID,
        base_url=base_url,
        notify_base_url="https://pay.hospital.example",
        secrets=MappingProxyType(named),
    )


def certified(base_url: str) -> MerchantAccount:
    return account(
        base_url,
        app_cert=certificate("merchant"),
        alipay_cert=certificate("platform"),
        alipay_root_cert=certificate("issuer"),
    )


def signature(text: bytes, by: str = "platform") -> str:
    return base64.b64encode(key(by).sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()


def joined(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()


def form(fields: Mapping[str, str], *, by: str = "platform", **beside: str) -> bytes:
    """A signed notice; `beside` overrides sign or sign_type after signing."""
    plain = {name: value for name, value in fields.items() if value != "-"}
    whole = {**plain, "sign_type": "RSA2", "sign": signature(joined(plain), by), **beside}
    return urlencode({name: value for name, value in whole.items() if value != "-"}).encode()


def stamp(hours_ago: float = 0) -> str:
    return f"{clock.now() - timedelta(hours=hours_ago):%Y-%m-%d %H:%M:%S}"


def common(**changes: str) -> dict[str, str]:
    return {
        "notify_id": "2026112000222100000000000000000001",
        "notify_time": "2026-11-20 10:00:00",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": APP_ID,
        "auth_app_id": APP_ID,
        **changes,
    }


def paid(**changes: str) -> dict[str, str]:
    return (
        common(
            notify_type="trade_status_sync",
            seller_id=PID,
            trade_no=TRADE_NO,
            out_trade_no=NUMBER,
            trade_status="TRADE_SUCCESS",
            subject="市第一医院 账单 {0001} 50%+",
            total_amount="86.40",
            receipt_amount="86.40",
            buyer_id=USER_ID,
            gmt_create="2026-11-20 09:59:50",
            gmt_payment="2026-11-20 09:59:58",
            fund_bill_list='[{"amount":"86.40","fundChannel":"ALIPAYACCOUNT"}]',
        )
        | changes
    )


def refunded(**changes: str) -> dict[str, str]:
    return (
        paid(
            out_biz_no=REFUND_NUMBER,
            refund_fee="12.50",
            gmt_refund="2026-11-20 09:59:59",
        )
        | changes
    )


def signed(**changes: str) -> dict[str, str]:
    return (
        common(
            notify_type="dut_user_sign",
            status="NORMAL",
            agreement_no=AGREEMENT_NO,
            external_agreement_no=CONTRACT_CODE,
            personal_product_code="GENERAL_WITHHOLDING_P",
            sign_scene=PLAN_ID,
            alipay_user_id=USER_ID,
            alipay_logon_id="156******06",
            sign_time="2026-11-20 09:59:58",
        )
        | changes
    )


def unsigned(**changes: str) -> dict[str, str]:
    return signed(
        notify_type="dut_user_unsign", status="UNSIGN", unsign_time="2026-11-20 09:59:58"
    ) | {"sign_time": "-", **changes}


def deposit_back(content: object | None = None, **changes: str) -> dict[str, str]:
    plain = {
        "out_trade_no": NUMBER,
        "out_request_no": REFUND_NUMBER,
        "dback_status": "F",
        "dback_amount": "12.50",
    }
    return (
        common(
            notify_time="-",
            msg_method="alipay.trade.refund.depositback.completed",
            utc_timestamp=str(int(clock.now().timestamp() * 1000)),
            biz_content=json.dumps(plain if content is None else content),
        )
        | changes
    )


def read(kind: NoticeKind, body: bytes) -> Notice:
    return Alipay().parse_notice(kind, {}, body, account())


def answer(method: str, raw: str, *, by: str = "platform", beside: str = "") -> bytes:
    """A reply whose sign covers exactly `raw`."""
    name = method.replace(".", "_") + "_response"
    body = f'{{"{name}":{raw},{beside}"sign":"{signature(raw.encode(), by)}"}}'
    return raw_answer(200, body.encode(), {"Content-Type": "text/html;charset=utf-8"})


def said(method: str, **fields: object) -> bytes:
    """A reply with the fields; code 10000 unless told otherwise, `-` leaves a field out."""
    whole = {"code": "10000", "msg": "Success", **fields}
    whole = {name: value for name, value in whole.items() if value != "-"}
    return answer(method, json.dumps(whole, ensure_ascii=False).replace("/", "\\/"))


def refused(method: str, sub_code: str, code: str = "40004") -> bytes:
    return said(method, code=code, msg="Business Failed", sub_code=sub_code, sub_msg="见错误码")


def trade(status: str = "TRADE_SUCCESS", **changes: object) -> dict[str, object]:
    return {
        "out_trade_no": NUMBER,
        "trade_no": TRADE_NO,
        "trade_status": status,
        "total_amount": "86.40",
        "buyer_user_id": USER_ID,
        "send_pay_date": "2026-11-20 09:59:58",
        **changes,
    }


def refund_state(status: str = "REFUND_SUCCESS", **changes: object) -> dict[str, object]:
    return {
        "out_trade_no": NUMBER,
        "trade_no": TRADE_NO,
        "out_request_no": REFUND_NUMBER,
        "total_amount": "86.40",
        "refund_amount": "12.50",
        "refund_status": status,
        "gmt_refund_pay": "2026-11-20 09:59:59",
        **changes,
    }


def capture_order(merchant: MerchantAccount, mode: Mode, **changes: object) -> CaptureOrder:
    now = clock.now()
    fields: dict[str, object] = {
        "merchant": merchant,
        "number": NUMBER,
        "amount_fen": AMOUNT,
        "description": "市第一医院 账单 0001",
        "mode": mode,
        "created_at": now,
        "expires_at": now + timedelta(minutes=15),
        "contract_id": AGREEMENT_NO if mode is Mode.AGREEMENT else "",
        "auth_code": "281234567890123456" if mode is Mode.SCAN else "",
        **changes,
    }
    return CaptureOrder(**fields)  # type: ignore[arg-type]


def reference(merchant: MerchantAccount, mode: Mode, **more: object) -> OrderReference:
    return OrderReference(merchant, NUMBER, mode, AMOUNT, **more)  # type: ignore[arg-type]


def refund_order(merchant: MerchantAccount) -> RefundOrder:
    original = reference(merchant, Mode.SCAN, channel_no=TRADE_NO)
    return RefundOrder(merchant, REFUND_NUMBER, REFUND_FEN, original, "退一项检查")


def transfer_order(merchant: MerchantAccount, **changes: object) -> TransferOrder:
    fields: dict[str, object] = {
        "merchant": merchant,
        "number": TRANSFER_NUMBER,
        "amount_fen": REFUND_FEN,
        "payee": USER_ID,
        "payee_kind": PayeeKind.USER_ID,
        "payee_name": "张三",
        "title": "退押金",
        **changes,
    }
    return TransferOrder(**fields)  # type: ignore[arg-type]


def call(verb: str, mode: Mode, url: str, **more: object) -> ChannelAnswer:
    """One verb against the vendor at `url`."""
    channel, merchant = Alipay(), account(url)
    if verb == "capture":
        return channel.capture(capture_order(merchant, mode))
    if verb in ("refund", "refund_query"):
        order = refund_order(merchant)
        return channel.refund(order) if verb == "refund" else channel.refund_query(order)
    if verb in ("transfer", "transfer_query"):
        payout = transfer_order(certified(url))
        return channel.transfer(payout) if verb == "transfer" else channel.transfer_query(payout)
    if verb in ("agreement_query", "unsign"):
        mandate = AgreementReference(merchant, CONTRACT_CODE, PLAN_ID, AGREEMENT_NO)
        if verb == "unsign":
            return channel.unsign(mandate, reason="患者要求")
        return channel.agreement_query(mandate)
    method = {"query": channel.query, "close": channel.close, "reverse": channel.reverse}[verb]
    return method(reference(merchant, mode, **more))
