"""Alipay in the sandbox: who is heard, the rules of trades, notices, faults, books, pages."""

from __future__ import annotations

import threading
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.alipay_client import Seller
from tests.sandbox.wechat_client import Inbox

PRECREATE, QUERY, PAY = "alipay.trade.precreate", "alipay.trade.query", "alipay.trade.pay"
BILL = {"out_trade_no": "T1", "subject": "门诊缴费", "total_amount": "86.40"}


@pytest.fixture
def seller(sandbox: Sandbox) -> Seller:
    return Seller(sandbox)


def scan(seller: Seller, number: str, total: str, user_id: str, **other: str) -> dict[str, str]:
    code = seller.act("show_code", user_id)["auth_code"]
    bill = BILL | {"out_trade_no": number, "total_amount": total}
    return seller.call(PAY, bill | {"scene": "bar_code", "auth_code": code}, **other)


def told(inbox: Inbox, nth: int) -> dict[str, str]:
    return dict(parse_qsl(inbox.await_count(nth)[nth - 1].body.decode()))


@pytest.mark.parametrize(
    "changes, sub_code",
    [
        ({"sign": "AAAA"}, "isv.invalid-signature"),
        ({"sign": ""}, "isv.missing-sign"),
        ({"app_id": "2021"}, "isv.invalid-app-id"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"charset": "gbk"}, "isv.invalid-signature-type"),
        ({"timestamp": "now"}, "isv.invalid-timestamp"),
        ({"version": ""}, "isv.missing-version"),
        ({"app_cert_sn": "0" * 32}, "isv.invalid-app-cert-sn"),
    ],
)
def test_who_is_not_known_is_answered_without_a_sign(
    seller: Seller, changes: dict[str, str], sub_code: str
) -> None:
    answer = seller.post(QUERY, {"out_trade_no": "T1"}, **changes).json()
    assert set(answer) == {"error_response"}
    assert answer["error_response"]["sub_code"] == sub_code


def test_an_unknown_method_and_a_content_that_is_none(seller: Seller) -> None:
    assert seller.call("alipay.trade.make", {})["sub_code"] == "isv.invalid-method"
    assert seller.call(QUERY, "[]")["sub_code"] == "isv.invalid-parameter"
    assert seller.call(QUERY, {})["sub_code"] == "ACQ.INVALID_PARAMETER"


@pytest.mark.parametrize(
    "changes",
    [
        {"total_amount": "86.405"},
        {"total_amount": "0.00"},
        {"total_amount": "-1"},
        {"subject": "a/b"},
        {"subject": ""},
        {"out_trade_no": "T-1"},
        {"out_trade_no": "T" * 65},
        {"qr_code_timeout_express": "soon"},
        {"time_expire": "tomorrow"},
    ],
)
def test_a_bill_out_of_shape_is_refused(seller: Seller, changes: dict[str, str]) -> None:
    assert seller.call(PRECREATE, BILL | changes)["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert seller.book()["open"]["count"] == 0


def test_another_seller_is_refused(seller: Seller) -> None:
    other = Seller(seller.sandbox, 1)
    found = seller.call(PRECREATE, BILL | {"seller_id": other.known["pid"]})
    assert found["sub_code"] == "ACQ.PARTNER_ERROR"
    assert other.call(QUERY, {"out_trade_no": "T1"})["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_replies_are_raw_text_with_escaped_slashes(seller: Seller) -> None:
    answer = seller.post(PRECREATE, BILL)
    assert r'"qr_code": "https:\/\/qr.alipay.com\/' in answer.text
    assert answer.text.startswith('{"alipay_trade_precreate_response":{"code"')


def test_the_same_bill_gives_the_same_code_and_other_terms_do_not(seller: Seller) -> None:
    first, again = (seller.call(PRECREATE, BILL) for _ in range(2))
    assert first["qr_code"] == again["qr_code"]
    other = seller.call(PRECREATE, BILL | {"total_amount": "86.41"})
    assert other["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    user_id = seller.wallet()
    seller.act("open_pay_link", user_id, link=first["qr_code"])
    stranger = seller.wallet()
    answer = seller.sandbox.call("POST", "/_control/act", {
        "actor": "alipay_payer", "action": "confirm", "subject": stranger,
        "args": {"link": first["qr_code"]},
    })  # fmt: skip
    assert "TRADE_BUYER_NOT_MATCH" in answer.text
    seller.act("confirm", user_id)
    assert seller.call(PRECREATE, BILL)["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"


def test_a_storm_of_the_same_number_takes_the_money_once(seller: Seller) -> None:
    user_id = seller.wallet(20_000)
    code = seller.act("show_code", user_id)["auth_code"]
    found: list[str] = []

    def pay() -> None:
        content = BILL | {"scene": "bar_code", "auth_code": code}
        found.append(seller.call(PAY, content).get("sub_code", "paid"))

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == ["ACQ.TRADE_HAS_SUCCESS"] * 7 + ["paid"]
    assert seller.book()["captured"] == {"count": 1, "fen": 8_640}


def test_notices_come_at_the_vendors_pace_until_they_are_taken(
    seller: Seller, inbox: Inbox
) -> None:
    inbox.answer = lambda _received: (200, b"ok, thank you")
    scan(seller, "T1", "1.00", seller.wallet(), notify_url=f"{inbox.url}/told")
    first = told(inbox, 1)
    for seconds, nth in ((239, 1), (2, 2), (599, 2), (2, 3)):
        seller.sandbox.control("POST", "clock", {"advance_s": seconds})
        inbox.await_count(nth)
    inbox.answer = lambda _received: (200, b"success")
    seller.sandbox.control("POST", "clock", {"advance_s": 601})
    assert told(inbox, 4)["notify_id"] == first["notify_id"]
    seller.sandbox.control("POST", "clock", {"advance_s": 3_700})
    assert len(inbox.got) == 4


@pytest.mark.parametrize("fault", ["lose_notice", "duplicate_notice", "wrong_amount_notice"])
def test_faults_of_notices(seller: Seller, inbox: Inbox, fault: str) -> None:
    inbox.answer = lambda _received: (200, b"success")
    seller.sandbox.fault("capture", fault, "alipay", times=1)
    oracle = seller.oracle()
    for number in ("T1", "T2"):
        scan(seller, number, "1.00", seller.wallet(), notify_url=f"{inbox.url}/told")
    expected = {"lose_notice": 1, "duplicate_notice": 3, "wrong_amount_notice": 2}[fault]
    seen = [told(inbox, nth) for nth in range(1, expected + 1)]
    for fields in seen:
        assert oracle.verify({k: v for k, v in fields.items() if k != "sign"}, fields["sign"])
    amounts = sorted(fields["total_amount"] for fields in seen)
    assert amounts[-1] == ("1.01" if fault == "wrong_amount_notice" else "1.00")
    numbers = {fields["out_trade_no"] for fields in seen}
    assert numbers == ({"T2"} if fault == "lose_notice" else {"T1", "T2"})


def test_a_spoilt_notice_and_a_spoilt_reply_are_not_the_vendors(
    seller: Seller, inbox: Inbox
) -> None:
    inbox.answer = lambda _received: (200, b"success")
    seller.sandbox.fault("notice", "bad_signature", "alipay", times=1)
    scan(seller, "T1", "1.00", seller.wallet(), notify_url=f"{inbox.url}/told")
    fields = told(inbox, 1)
    oracle = seller.oracle()
    assert not oracle.verify({k: v for k, v in fields.items() if k != "sign"}, fields["sign"])


def test_transport_faults_strike_and_are_counted(seller: Seller) -> None:
    seller.sandbox.fault("query", "http_500_after", "alipay", times=1)
    assert seller.post(QUERY, {"out_trade_no": "T1"}).status_code == 500
    seller.sandbox.fault("*", "drop_before", "alipay", times=1)
    with pytest.raises(httpx.HTTPError):
        seller.post(QUERY, {"out_trade_no": "T1"})
    listed = seller.sandbox.control("GET", "faults")
    assert [(one["fault"], one["struck"]) for one in listed] == [
        ("http_500_after", 1),
        ("drop_before", 1),
    ]


def test_rows_lie_behind_the_sums(seller: Seller) -> None:
    user_id = seller.wallet(name="张三")
    scan(seller, "T1", "86.40", user_id)
    refund = {"out_trade_no": "T1", "refund_amount": "6.40", "out_request_no": "R1"}
    assert seller.call("alipay.trade.refund", refund)["fund_change"] == "Y"
    part = seller.call("alipay.trade.refund", {"out_trade_no": "T1", "refund_amount": "1.00"})
    assert part["sub_code"] == "ACQ.INVALID_PARAMETER"
    answer = seller.sandbox.control("GET", "transactions?counterparty=alipay")
    rows = {row["number"]: row for row in answer["transactions"]}
    assert rows["T1"]["status"] == "TRADE_SUCCESS" and rows["T1"]["amount_fen"] == 8_640
    assert rows["R1"]["parent"] == "T1" and rows["R1"]["kind"] == "refund"
    assert (rows["T1"]["moved_fen"], rows["R1"]["moved_fen"]) == (8_640, -640)
    assert seller.book()["refunded"] == {"count": 1, "fen": 640}


def test_a_transfer_without_certificates_is_refused(seller: Seller) -> None:
    content = {"out_biz_no": "F1", "trans_amount": "1.00", "product_code": "TRANS_ACCOUNT_NO_PWD"}
    found = seller.call("alipay.fund.trans.uni.transfer", content)
    assert found["sub_code"] == "isv.missing-app-cert-sn"


def test_signing_page_is_read_refused_and_signed_in_a_browser(seller: Seller) -> None:
    user_id = seller.wallet(name="张三")
    terms = {
        "product_code": "GENERAL_WITHHOLDING",
        "personal_product_code": "GENERAL_WITHHOLDING_P",
        "sign_scene": "INDUSTRY|HOSPITAL",
        "external_agreement_no": "AG1",
        "access_params": {"channel": "ALIPAYAPP"},
    }
    method = "alipay.user.agreement.page.sign"
    assert seller.page(method, terms | {"sign_scene": "DEFAULT|DEFAULT"}).status_code == 400
    page = seller.page(method, terms)
    assert "500.00" in page.text and "07:00" not in page.text
    nobody = CLIENT.post(str(page.url), data={"answer": "yes", "user_id": "2088"})
    assert nobody.status_code == 409 and "没有开通" in nobody.text
    assert "已开通" in CLIENT.post(str(page.url), data={"answer": "yes", "user_id": user_id}).text
    phone = CLIENT.get(f"{seller.known['base_url']}/phone/alipay/of/{user_id}")
    assert "先诊疗后付费" in phone.text and "关闭免密支付" in phone.text
    assert user_id in CLIENT.get(f"{seller.known['base_url']}/phone/alipay/?q=张三").text


def test_the_wallets_page_confirms_opens_and_refuses(seller: Seller) -> None:
    user_id = seller.wallet(1_000_000, free_fen=1)
    base = f"{seller.known['base_url']}/phone/alipay/of/{user_id}"
    link = seller.call(PRECREATE, BILL)["qr_code"]
    assert CLIENT.post(f"{base}/act/open", data={"link": "bax0nothing"}).status_code == 409
    CLIENT.post(f"{base}/act/open", data={"link": link})
    shown = CLIENT.get(base)
    assert "等您确认" in shown.text and "门诊缴费" in shown.text
    CLIENT.post(f"{base}/act/confirm", data={"token": link.rsplit("/", 1)[-1]})
    assert seller.call(QUERY, {"out_trade_no": "T1"})["trade_status"] == "TRADE_SUCCESS"
    assert scan(seller, "T2", "2.00", user_id)["code"] == "10003"
    waiting = seller.act("show_wallet", user_id)["waiting"][0]
    CLIENT.post(f"{base}/act/refuse", data={"token": waiting["token"]})
    assert seller.call(QUERY, {"out_trade_no": "T2"})["trade_status"] == "TRADE_CLOSED"
