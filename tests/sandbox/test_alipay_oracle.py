"""The public package `python-alipay-sdk` as a client: an oracle that neither side of ours wrote."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from alipay import AliPay
from alipay.exceptions import AliPayException

from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.alipay_client import Seller
from tests.sandbox.wechat_client import Inbox


@pytest.fixture
def seller(sandbox: Sandbox) -> Seller:
    return Seller(sandbox)


@pytest.fixture
def oracle(seller: Seller, inbox: Inbox) -> AliPay:
    inbox.answer = lambda _received: (200, b"success")
    return seller.oracle(f"{inbox.url}/told")


def told(oracle: AliPay, inbox: Inbox, nth: int) -> dict[str, str]:
    """The nth notice, believed by the oracle."""
    fields = dict(parse_qsl(inbox.await_count(nth)[nth - 1].body.decode()))
    sign = fields.pop("sign")
    assert oracle.verify(dict(fields), sign)
    return fields


def test_oracle_precreates_is_told_queries_and_refunds(
    oracle: AliPay, seller: Seller, inbox: Inbox
) -> None:
    user_id = seller.wallet(50_000)
    made = oracle.api_alipay_trade_precreate("门诊缴费", "NATIVE0001", "123.45")
    assert made["qr_code"].startswith("https://qr.alipay.com/")
    missing = oracle.api_alipay_trade_query(out_trade_no="NATIVE0001")
    assert (missing["code"], missing["sub_code"]) == ("40004", "ACQ.TRADE_NOT_EXIST")

    seller.act("confirm", user_id, link=made["qr_code"])

    notice = told(oracle, inbox, 1)
    assert notice["trade_status"] == "TRADE_SUCCESS"
    assert (notice["total_amount"], notice["buyer_id"]) == ("123.45", user_id)
    assert notice["seller_id"] == seller.known["pid"]
    paid = oracle.api_alipay_trade_query(out_trade_no="NATIVE0001")
    assert (paid["trade_status"], paid["buyer_user_id"]) == ("TRADE_SUCCESS", user_id)
    assert oracle.api_alipay_trade_query(trade_no=paid["trade_no"]) == paid

    part = {"out_request_no": "NATIVE0001R", "refund_reason": "退一项检查"}
    for fund_change in ("Y", "N"):
        back = oracle.api_alipay_trade_refund("3.45", out_trade_no="NATIVE0001", **part)
        assert (back["fund_change"], back["refund_fee"]) == (fund_change, "3.45")
    found = oracle.api_alipay_trade_fastpay_refund_query("NATIVE0001R", out_trade_no="NATIVE0001")
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "3.45")
    notice = told(oracle, inbox, 2)
    assert (notice["out_biz_no"], notice["refund_fee"]) == ("NATIVE0001R", "3.45")
    assert notice["trade_status"] == "TRADE_SUCCESS"
    book = seller.book()
    assert book["captured"] == {"count": 1, "fen": 12_345}
    assert book["refunded"] == {"count": 1, "fen": 345}
    assert book["open"] == {"count": 0, "fen": 0}


def test_oracle_pays_by_code(oracle: AliPay, seller: Seller) -> None:
    user_id = seller.wallet(50_000)
    code = seller.act("show_code", user_id)["auth_code"]
    paid = oracle.api_alipay_trade_pay(
        "SCAN0001", "bar_code", code, "门诊缴费", total_amount="86.40"
    )
    assert (paid["code"], paid["total_amount"]) == ("10000", "86.40")
    assert "trade_status" not in paid
    assert seller.book()["captured"] == {"count": 1, "fen": 8_640}
    again = oracle.api_alipay_trade_pay(
        "SCAN0001", "bar_code", code, "门诊缴费", total_amount="86.40"
    )
    assert again["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    other = oracle.api_alipay_trade_pay("SCAN0002", "bar_code", code, "x", total_amount="1")
    assert other["sub_code"] == "ACQ.PAYMENT_AUTH_CODE_INVALID"


def test_oracle_cancels_a_payment_that_waits_for_the_password(
    oracle: AliPay, seller: Seller
) -> None:
    user_id = seller.wallet(900_000, free_fen=100)
    code = seller.act("show_code", user_id)["auth_code"]
    paid = oracle.api_alipay_trade_pay("SCAN0003", "bar_code", code, "x", total_amount="2000.00")
    assert paid["code"] == "10003"
    assert seller.book()["open"] == {"count": 1, "fen": 200_000}
    done = oracle.api_alipay_trade_cancel(out_trade_no="SCAN0003")
    assert (done["retry_flag"], done["action"]) == ("N", "close")
    assert oracle.api_alipay_trade_query(out_trade_no="SCAN0003")["trade_status"] == "TRADE_CLOSED"
    nothing = oracle.api_alipay_trade_cancel(out_trade_no="NEVER")
    assert (nothing["code"], nothing.get("action")) == ("10000", None)
    assert seller.act("show_wallet", user_id)["balance_fen"] == 900_000


def test_oracle_signs_a_link_that_a_browser_pays(oracle: AliPay, seller: Seller) -> None:
    user_id = seller.wallet(50_000)
    query = oracle.api_alipay_trade_wap_pay(
        "门诊缴费", "WAP0001", "86.40", return_url="https://pay.hospital.example/back"
    )
    page = CLIENT.get(f"{oracle._gateway}?{query}", follow_redirects=True)
    assert "86.40" in page.text
    done = CLIENT.post(str(page.url), data={"answer": "yes", "user_id": user_id})
    assert "https://pay.hospital.example/back" in done.text
    assert oracle.api_alipay_trade_query(out_trade_no="WAP0001")["trade_status"] == "TRADE_SUCCESS"


def test_oracle_is_refused_without_a_signature_that_counts(oracle: AliPay, seller: Seller) -> None:
    oracle._appid = Seller(seller.sandbox, 1).known["app_id"]
    with pytest.raises(AliPayException, match=r"isv\.invalid-signature"):
        oracle.api_alipay_trade_query(out_trade_no="X1")
