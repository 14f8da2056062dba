"""The public package `wechatpayv3` as a client: an oracle that neither side of ours wrote."""

from __future__ import annotations

import json
import types

import pytest
import wechatpayv3.utils
from wechatpayv3 import WeChatPay, WeChatPayType

from tests.sandbox.wechat_client import Inbox, Merchant


@pytest.fixture
def oracle(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> WeChatPay:
    known = merchant.known
    # The package signs with the machine's clock; the world of the tests has its own.
    clock = types.SimpleNamespace(time=merchant.now)
    monkeypatch.setattr(wechatpayv3.utils, "time", clock)
    pay = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=known["mchid"],
        private_key=known["merchant_private_key"],
        cert_serial_no=known["merchant_serial_no"],
        appid=known["appid"],
        apiv3_key=known["api_v3_key"],
        public_key=known["platform_public_key"],
        public_key_id=known["platform_public_key_id"],
    )
    pay._core._gate_way = known["base_url"]
    return pay


def test_oracle_pays_by_native_queries_and_refunds(
    oracle: WeChatPay, merchant: Merchant, inbox: Inbox
) -> None:
    openid = merchant.wallet(50_000)
    url = f"{inbox.url}/paid"
    code, text = oracle.pay(
        description="门诊缴费",
        out_trade_no="NATIVE0001",
        amount={"total": 12_345, "currency": "CNY"},
        notify_url=url,
    )
    assert code == 200, text
    link = json.loads(text)["code_url"]
    assert link.startswith("weixin://wxpay/bizpayurl?pr=")
    code, text = oracle.query(out_trade_no="NATIVE0001")
    assert (code, json.loads(text)["trade_state"]) == (200, "NOTPAY")

    merchant.sandbox.act("payer", "confirm", openid, link=link)

    notice = inbox.await_count(1)[0]
    told = oracle.callback(notice.headers, notice.body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"]["amount"]["total"] == 12_345
    assert told["resource"]["payer"]["openid"] == openid
    code, text = oracle.query(out_trade_no="NATIVE0001")
    paid = json.loads(text)
    assert (code, paid["trade_state"]) == (200, "SUCCESS")
    code, text = oracle.query(transaction_id=paid["transaction_id"])
    assert json.loads(text) == paid

    code, text = oracle.refund(
        out_refund_no="NATIVE0001R",
        transaction_id=paid["transaction_id"],
        amount={"refund": 345, "total": 12_345, "currency": "CNY"},
        notify_url=f"{inbox.url}/refunded",
    )
    assert (code, json.loads(text)["status"]) == (200, "PROCESSING")
    notice = inbox.await_count(2)[1]
    told = oracle.callback(notice.headers, notice.body)
    assert (told["event_type"], told["resource"]["amount"]["refund"]) == ("REFUND.SUCCESS", 345)
    code, text = oracle.query_refund("NATIVE0001R")
    assert (code, json.loads(text)["status"]) == (200, "SUCCESS")
    book = merchant.sandbox.book()
    assert book["captured"] == {"count": 1, "fen": 12_345}
    assert book["refunded"] == {"count": 1, "fen": 345}
    assert book["open"] == {"count": 0, "fen": 0}


def test_oracle_pays_by_code(oracle: WeChatPay, merchant: Merchant) -> None:
    openid = merchant.wallet(50_000)
    code = merchant.sandbox.act("payer", "show_code", openid)["auth_code"]
    status, text = oracle.pay(
        description="门诊缴费",
        out_trade_no="SCAN0001",
        amount={"total": 8_640, "currency": "CNY"},
        payer={"auth_code": code},
        scene_info={"device_ip": "127.0.0.1", "store_info": {"out_id": "main"}},
        pay_type=WeChatPayType.CODEPAY,
    )
    assert (status, json.loads(text)["trade_state"]) == (200, "SUCCESS"), text
    assert merchant.sandbox.book()["captured"] == {"count": 1, "fen": 8_640}


def test_oracle_reverses_a_code_payment_that_waits_for_the_password(
    oracle: WeChatPay, merchant: Merchant
) -> None:
    openid = merchant.wallet(900_000, free_fen=100)
    code = merchant.sandbox.act("payer", "show_code", openid)["auth_code"]
    status, text = oracle.pay(
        description="门诊缴费",
        out_trade_no="SCAN0002",
        amount={"total": 200_000, "currency": "CNY"},
        payer={"auth_code": code},
        pay_type=WeChatPayType.CODEPAY,
    )
    assert (status, json.loads(text)["trade_state"]) == (202, "USERPAYING")
    status, text = oracle.codepay_reverse("SCAN0002")
    assert (status, json.loads(text)["code"]) == (429, "FREQUENCY_LIMITED")

    merchant.sandbox.control("POST", "clock", {"advance_s": 16})
    status, text = oracle.codepay_reverse("SCAN0002")

    assert status == 200, text
    status, text = oracle.query(out_trade_no="SCAN0002")
    assert json.loads(text)["trade_state"] == "REVOKED"
    assert merchant.sandbox.act("payer", "show_wallet", openid)["balance_fen"] == 900_000


def test_oracle_closes_an_unpaid_order(oracle: WeChatPay, merchant: Merchant) -> None:
    oracle.pay(
        description="门诊缴费",
        out_trade_no="NATIVE0002",
        amount={"total": 1, "currency": "CNY"},
        notify_url="http://127.0.0.1:9/paid",
    )
    assert merchant.sandbox.book()["open"] == {"count": 1, "fen": 1}
    code, _ = oracle.close("NATIVE0002")
    assert code == 204
    assert merchant.sandbox.book()["open"] == {"count": 0, "fen": 0}
