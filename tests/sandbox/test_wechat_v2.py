"""Deductions by agreement: the v2 protocol, its limits, its notices and its refund port."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import httpx
import pytest

from tests.sandbox.wechat_client import Inbox, Merchant, Received, sign_v2, unxml, xml

WIDE, NARROW = 0, 1


def notice_of(merchant: Merchant, received: Received, how: str = "MD5") -> dict[str, str]:
    fields = unxml(received.body)
    assert fields["sign"] == sign_v2(fields, merchant.known["api_v2_key"], how)
    return fields


def test_agreement_is_signed_on_the_phone_queried_and_ended(
    merchant: Merchant, inbox: Inbox
) -> None:
    openid = merchant.wallet()
    fields = merchant.signed(
        "MD5",
        plan_id=merchant.known["plans"][WIDE]["plan_id"],
        contract_code="C0001",
        request_serial="17",
        contract_display_account="张三",
        notify_url=f"{inbox.url}/signed",
        version="1.0",
        timestamp="1763600000",
    )
    link = f"{merchant.known['base_url']}/papay/entrustweb?{urlencode(fields)}"
    page = httpx.get(link)
    assert page.status_code == 302, page.text
    assert httpx.get(link.replace("C0001", "C0002")).status_code == 400

    made = merchant.sandbox.act("payer", "sign", openid, link=page.headers["Location"])

    told = notice_of(merchant, inbox.await_count(1)[0])
    assert (told["change_type"], told["openid"], told["contract_code"]) == ("ADD", openid, "C0001")
    assert told["contract_id"] == made["contract_id"]
    answer = merchant.v2("/papay/querycontract", contract_id=told["contract_id"], version="1.0")
    assert (answer["contract_state"], answer["openid"]) == ("0", openid)
    ended = merchant.v2(
        "/papay/deletecontract",
        contract_id=told["contract_id"],
        contract_termination_remark="patient asked",
        version="1.0",
    )
    assert ended["result_code"] == "SUCCESS"
    told = notice_of(merchant, inbox.await_count(2)[1])
    assert (told["change_type"], told["contract_termination_mode"]) == ("DELETE", "3")
    answer = merchant.v2(
        "/papay/querycontract",
        plan_id=merchant.known["plans"][WIDE]["plan_id"],
        contract_code="C0001",
        version="1.0",
    )
    assert (answer["contract_state"], answer["contract_termination_mode"]) == ("1", "3")


def test_h5_signing_gives_the_page_by_a_get_signed_with_hmac(
    merchant: Merchant, inbox: Inbox
) -> None:
    openid = merchant.wallet()
    fields = merchant.signed(
        "HMAC-SHA256",
        plan_id=merchant.known["plans"][WIDE]["plan_id"],
        contract_code="H0001",
        request_serial="1",
        contract_display_account="张三",
        notify_url=f"{inbox.url}/signed",
        version="1.0",
        timestamp="1763600000",
        clientip="127.0.0.1",
    )
    url = f"{merchant.known['base_url']}/papay/h5entrustweb?{urlencode(fields)}"
    answer = unxml(httpx.get(url).content)
    assert answer["result_code"] == "SUCCESS"
    merchant.sandbox.act("payer", "sign", openid, link=answer["redirect_url"])
    told = notice_of(merchant, inbox.await_count(1)[0], "HMAC-SHA256")
    assert told["openid"] == openid


@pytest.mark.parametrize("how", ["MD5", "HMAC-SHA256"])
def test_deduction_is_accepted_paid_and_told(merchant: Merchant, inbox: Inbox, how: str) -> None:
    openid = merchant.wallet(20_000)
    contract = merchant.contract(openid, WIDE, f"{inbox.url}/signed")
    inbox.await_count(1)  # signed; notices sent at the same time may cross
    inbox.await_count(1)
    terms = {
        "body": "门诊缴费",
        "out_trade_no": "PAP0001",
        "total_fee": "12345",
        "contract_id": contract,
        "notify_url": f"{inbox.url}/paid",
        "trade_type": "PAP",
    }
    answer = merchant.v2("/pay/pappayapply", how, **terms)
    assert answer["result_code"] == "SUCCESS"
    assert "trade_state" not in answer
    told = notice_of(merchant, inbox.await_count(2)[1], how)
    assert (told["result_code"], told["total_fee"], told["openid"]) == ("SUCCESS", "12345", openid)
    found = merchant.v2("/pay/paporderquery", how, out_trade_no="PAP0001")
    assert (found["trade_state"], found["transaction_id"]) == ("SUCCESS", told["transaction_id"])
    again = merchant.v2("/pay/pappayapply", how, **terms)
    assert (again["result_code"], again["err_code"]) == ("FAIL", "ORDERPAID")
    other = merchant.v2("/pay/pappayapply", how, **(terms | {"total_fee": "12346"}))
    assert (other["result_code"], other["err_code"]) == ("FAIL", "INVALID_REQUEST")
    assert merchant.sandbox.act("payer", "show_wallet", openid)["balance_fen"] == 7_655


def test_failed_deduction_closes_the_order_and_says_why(merchant: Merchant, inbox: Inbox) -> None:
    contract = merchant.contract(merchant.wallet(100), WIDE, f"{inbox.url}/signed")
    inbox.await_count(1)  # signed; notices sent at the same time may cross
    merchant.deduct("PAP0002", 101, contract, f"{inbox.url}/paid")
    told = notice_of(merchant, inbox.await_count(2)[1])
    assert (told["result_code"], told["err_code"]) == ("FAIL", "NOTENOUGH")
    found = merchant.v2("/pay/paporderquery", out_trade_no="PAP0002")
    assert found["trade_state"] == "CLOSED"
    again = merchant.deduct("PAP0002", 101, contract, f"{inbox.url}/paid")
    assert again["err_code"] == "ORDERCLOSED"
    assert merchant.sandbox.book()["captured"]["count"] == 0


def test_limits_of_the_plan_hold(merchant: Merchant, inbox: Inbox) -> None:
    def reason(number: str, total: int, contract: str) -> str:
        merchant.deduct(number, total, contract, "")  # refused: no address for the result
        merchant.deduct(number, total, contract, f"{inbox.url}/x")
        return merchant.v2("/pay/paporderquery", out_trade_no=number).get("err_code", "")

    first = merchant.contract(merchant.wallet(), NARROW, f"{inbox.url}/signed")
    assert reason("LIM001", 50_001, first) == "RULELIMIT"
    assert [reason(f"LIM01{n}", 50_000, first) for n in range(5)] == [""] * 5
    assert reason("LIM020", 1, first) == "RULELIMIT"  # the sixth of a day, and above the sum
    second = merchant.contract(merchant.wallet(), NARROW, f"{inbox.url}/signed")
    assert reason("LIM030", 50_000, second) == ""
    merchant.sandbox.control("POST", "clock", {"now": "2026-11-20T22:00:00+08:00"})
    assert reason("LIM040", 1, second) == "RULELIMIT"
    merchant.sandbox.control("POST", "clock", {"now": "2026-11-21T07:00:00+08:00"})
    assert reason("LIM050", 1, second) == ""
    assert reason("LIM060", 1, first) == ""


def test_unsigned_by_the_user_ends_deductions(merchant: Merchant, inbox: Inbox) -> None:
    openid = merchant.wallet()
    contract = merchant.contract(openid, WIDE, f"{inbox.url}/signed")
    inbox.await_count(1)  # signed; notices sent at the same time may cross
    merchant.sandbox.act("payer", "unsign", openid, contract_id=contract)
    told = [notice_of(merchant, one) for one in inbox.await_count(2)]
    assert told[1]["contract_termination_mode"] == "2"
    answer = merchant.deduct("PAP0003", 1, contract, f"{inbox.url}/paid")
    assert (answer["result_code"], answer["err_code"]) == ("FAIL", "CONTRACT_NOT_EXIST")
    missing = merchant.v2("/pay/paporderquery", out_trade_no="PAP0003")
    assert missing["err_code"] == "ORDERNOTEXIST"


def test_refund_needs_the_client_certificate(merchant: Merchant) -> None:
    url = f"{merchant.known['base_url_tls']}/secapi/pay/refund"
    bare = merchant.tls(with_certificate=False)
    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        httpx.post(url, content=b"<xml/>", verify=bare)
    plain = merchant.v2("/secapi/pay/refund", out_refund_no="R1", out_trade_no="X")
    assert plain["return_code"] == "FAIL"
    stranger = Merchant(merchant.sandbox, 1)
    body = xml(merchant.signed(out_refund_no="R1", out_trade_no="X", total_fee="1", refund_fee="1"))
    answer = unxml(httpx.post(url, content=body, verify=stranger.tls()).content)
    assert answer["return_code"] == "FAIL"


def test_refund_returns_the_money_and_is_told(merchant: Merchant, inbox: Inbox) -> None:
    openid = merchant.wallet(20_000)
    contract = merchant.contract(openid, WIDE, f"{inbox.url}/signed")
    inbox.await_count(1)  # signed; notices sent at the same time may cross
    merchant.deduct("PAP0004", 20_000, contract, f"{inbox.url}/paid")
    inbox.await_count(2)
    terms = {
        "out_trade_no": "PAP0004",
        "out_refund_no": "PAP0004R",
        "total_fee": "20000",
        "refund_fee": "5000",
        "notify_url": f"{inbox.url}/refunded",
    }
    first = merchant.v2("/secapi/pay/refund", tls=True, **terms)
    again = merchant.v2("/secapi/pay/refund", tls=True, **terms)
    assert first["result_code"] == "SUCCESS"
    assert first["refund_id"] == again["refund_id"]
    told = merchant.open_req_info(unxml(inbox.await_count(3)[2].body)["req_info"])
    assert (told["refund_status"], told["refund_fee"]) == ("SUCCESS", "5000")
    other = merchant.v2("/secapi/pay/refund", tls=True, **(terms | {"refund_fee": "5001"}))
    assert (other["result_code"], other["err_code"]) == ("FAIL", "INVALID_REQUEST")
    soon = terms | {"out_refund_no": "PAP0004S"}
    assert merchant.v2("/secapi/pay/refund", tls=True, **soon)["err_code"] == "FREQUENCY_LIMITED"
    merchant.sandbox.control("POST", "clock", {"advance_s": 61})
    much = soon | {"refund_fee": "15001"}
    assert merchant.v2("/secapi/pay/refund", tls=True, **much)["err_code"] == "INVALID_REQUEST"
    assert merchant.v2("/secapi/pay/refund", tls=True, **soon)["result_code"] == "SUCCESS"
    found = merchant.v2("/pay/refundquery", out_trade_no="PAP0004")
    assert (found["refund_count"], found["refund_status_1"]) == ("2", "SUCCESS")
    assert merchant.sandbox.act("payer", "show_wallet", openid)["balance_fen"] == 10_000


def test_refund_window_is_counted_in_days(merchant: Merchant, inbox: Inbox) -> None:
    contract = merchant.contract(merchant.wallet(), WIDE, f"{inbox.url}/signed")
    merchant.deduct("PAP0005", 1_000, contract, "http://127.0.0.1:9/paid")
    terms = {"out_trade_no": "PAP0005", "total_fee": "1000", "refund_fee": "1"}
    merchant.sandbox.control("POST", "clock", {"now": "2027-11-20T23:00:00+08:00"})
    last = merchant.v2("/secapi/pay/refund", tls=True, out_refund_no="W1", **terms)
    assert last["result_code"] == "SUCCESS"
    merchant.sandbox.control("POST", "clock", {"now": "2027-11-21T00:00:10+08:00"})
    late = merchant.v2("/secapi/pay/refund", tls=True, out_refund_no="W2", **terms)
    assert late["err_code"] == "TRADE_OVERDUE"


def test_two_at_once_take_the_money_once(merchant: Merchant, inbox: Inbox) -> None:
    openid = merchant.wallet(10_000)
    contract = merchant.contract(openid, WIDE, f"{inbox.url}/signed")
    with ThreadPoolExecutor(8) as pool:
        tries = [
            pool.submit(merchant.deduct, "PAP0006", 6_000, contract, f"{inbox.url}/p")
            for _ in range(8)
        ]
        accepted = sum(one.result()["result_code"] == "SUCCESS" for one in tries)
        others = [
            pool.submit(merchant.deduct, f"PAP01{n}", 3_000, contract, f"{inbox.url}/p")
            for n in range(4)
        ]
        assert all(one.result()["result_code"] == "SUCCESS" for one in others)
    assert accepted == 1
    assert merchant.sandbox.act("payer", "show_wallet", openid)["balance_fen"] == 1_000
    assert merchant.sandbox.book()["captured"] == {"count": 2, "fen": 9_000}


def test_malformed_requests_are_refused_in_words(merchant: Merchant) -> None:
    base = merchant.known["base_url"]
    bodies = [
        b"",
        b"not xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]><xml><mch_id>&b;</mch_id></xml>',
        xml({"mch_id": "1", "sign": "x"}),
        xml(merchant.signed(out_trade_no="X") | {"sign": "0" * 32}),
        xml(merchant.signed(out_trade_no="X") | {"out_trade_no": "Y"}),
    ]
    for body in bodies:
        answer = httpx.post(f"{base}/pay/orderquery", content=body)
        assert answer.status_code == 200
        assert unxml(answer.content)["return_code"] == "FAIL", body
    for fee in ("0", "-1", "1.5", "", "１"):
        out = merchant.v2(
            "/pay/pappayapply",
            body="x", out_trade_no="FEE001", total_fee=fee, contract_id="1", notify_url="http://a/",
        )  # fmt: skip
        assert (out["result_code"], out["err_code"]) == ("FAIL", "PARAM_ERROR"), fee
