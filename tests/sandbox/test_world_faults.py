"""Faults: what goes wrong on the wire, in the business and with the notices."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from cryptography.exceptions import InvalidSignature

from tests.sandbox.wechat_client import Inbox, Merchant, Received, sign_v2, unxml

NATIVE = "/v3/pay/transactions/native"
BEFORE = ["refuse_connection", "drop_before", "http_500_before"]
AFTER = ["drop_after", "http_500_after"]


def lost(merchant: Merchant, number: str, contract: str, url: str) -> None:
    """A deduction whose answer does not come: a broken connection or no XML."""
    try:
        merchant.deduct(number, 100, contract, url)
    except (httpx.TransportError, AssertionError):
        return
    raise AssertionError("an answer came")


@pytest.mark.parametrize("fault", BEFORE + AFTER)
def test_transport_faults_execute_or_not(merchant: Merchant, inbox: Inbox, fault: str) -> None:
    openid = merchant.wallet(1_000)
    contract = merchant.contract(openid, 0, f"{inbox.url}/signed")
    merchant.sandbox.fault("capture", fault, times=1)
    lost(merchant, "FAULT01", contract, f"{inbox.url}/paid")
    found = merchant.v2("/pay/paporderquery", out_trade_no="FAULT01")
    executed = found.get("trade_state") == "SUCCESS"
    assert executed == (fault in AFTER)
    assert found.get("err_code") == (None if executed else "ORDERNOTEXIST")
    left = 900 if executed else 1_000
    assert merchant.sandbox.act("payer", "show_wallet", openid)["balance_fen"] == left
    listed = merchant.sandbox.control("DELETE", "faults")
    assert [(one["fault"], one["struck"]) for one in listed] == [(fault, 1)]
    assert merchant.sandbox.control("GET", "faults") == []


def test_cut_answer_is_cut_in_its_body(merchant: Merchant) -> None:
    merchant.sandbox.fault("capture", "drop_after", times=1)
    data = merchant.order("CUT0001", 1, notify_url="http://127.0.0.1:9/")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        merchant.v3("POST", NATIVE, data)
    merchant.sandbox.fault("capture", "refuse_connection", times=1)
    with pytest.raises(httpx.TransportError):
        merchant.v3("POST", NATIVE, data)
    assert merchant.v3("POST", NATIVE, data).status_code == 200


def test_delay_holds_only_its_own_call(merchant: Merchant) -> None:
    merchant.sandbox.fault("query", "delay", times=20, seconds=1)
    path = f"/v3/pay/transactions/out-trade-no/NONE0001?mchid={merchant.known['mchid']}"
    with ThreadPoolExecutor(21) as pool:
        slow = [pool.submit(merchant.v3, "GET", path) for _ in range(20)]
        time.sleep(0.2)
        started = time.monotonic()
        merchant.v3("POST", NATIVE, merchant.order("QUICK01", 1, notify_url="http://127.0.0.1:9/"))
        assert time.monotonic() - started < 1
        assert all(one.result().status_code == 404 for one in slow)


def test_bad_signature_under_an_answer_and_a_notice(merchant: Merchant, inbox: Inbox) -> None:
    data = merchant.order("BADSIG01", 1, notify_url=f"{inbox.url}/paid")
    merchant.sandbox.fault("capture", "bad_signature", times=1)
    with pytest.raises(InvalidSignature):
        merchant.v3("POST", NATIVE, data)
    link = merchant.v3("POST", NATIVE, data).json()["code_url"]
    merchant.sandbox.fault("notice", "bad_signature", times=1)
    merchant.sandbox.act("payer", "confirm", merchant.wallet(), link=link)
    notice = inbox.await_count(1)[0]
    with pytest.raises(InvalidSignature):
        merchant.verify(notice.headers, notice.body)


def test_notice_faults(merchant: Merchant, inbox: Inbox) -> None:
    contract = merchant.contract(merchant.wallet(), 0, f"{inbox.url}/signed")
    inbox.await_count(1)
    inbox.got.clear()

    merchant.sandbox.fault("*", "lose_notice", times=1)
    merchant.deduct("NOTE01", 100, contract, f"{inbox.url}/lost")
    merchant.sandbox.fault("capture", "duplicate_notice", times=1)
    merchant.deduct("NOTE02", 100, contract, f"{inbox.url}/twice")
    two = inbox.await_count(2)
    assert [one.path for one in two] == ["/twice", "/twice"]
    assert two[0].body == two[1].body

    merchant.sandbox.fault("notice", "wrong_amount_notice", times=1)
    merchant.deduct("NOTE03", 100, contract, f"{inbox.url}/wrong")
    wrong = unxml(inbox.await_count(3)[2].body)
    assert wrong["total_fee"] == "101"
    assert wrong["sign"] == sign_v2(wrong, merchant.known["api_v2_key"])

    merchant.sandbox.fault("*", "reordered_notices", times=1)
    merchant.deduct("NOTE04", 100, contract, f"{inbox.url}/late")
    merchant.deduct("NOTE05", 100, contract, f"{inbox.url}/overtakes")
    assert inbox.await_count(4)[3].path == "/overtakes"
    assert inbox.await_count(5, 8)[4].path == "/late"
    assert merchant.sandbox.book()["captured"] == {"count": 5, "fen": 500}


def test_early_notice_comes_before_the_answer(merchant: Merchant, inbox: Inbox) -> None:
    contract = merchant.contract(merchant.wallet(), 0, f"{inbox.url}/signed")
    inbox.await_count(1)
    merchant.sandbox.fault("*", "early_notice", times=1)
    merchant.deduct("EARLY01", 100, contract, f"{inbox.url}/early")
    answered = time.monotonic()
    assert inbox.await_count(2)[1].at < answered
    merchant.deduct("EARLY02", 100, contract, f"{inbox.url}/usual")
    answered = time.monotonic()
    assert 0 < inbox.await_count(3)[2].at - answered < 1


def test_notice_is_repeated_by_the_vendors_cadence(merchant: Merchant, inbox: Inbox) -> None:
    def refuse(_: Received) -> tuple[int, bytes]:
        return 500, b"no"

    contract = merchant.contract(merchant.wallet(), 0, f"{inbox.url}/signed")
    inbox.await_count(1)
    inbox.answer = refuse
    merchant.deduct("AGAIN01", 100, contract, f"{inbox.url}/paid")
    for count in (3, 4):
        inbox.await_count(count - 1)
        time.sleep(0.2)
        merchant.sandbox.control("POST", "clock", {"advance_s": 16})
        inbox.await_count(count)
    inbox.answer = None
    merchant.sandbox.control("POST", "clock", {"advance_s": 31})
    inbox.await_count(5)
    time.sleep(0.2)
    merchant.sandbox.control("POST", "clock", {"advance_s": 86_400})
    time.sleep(0.8)
    assert len(inbox.got) == 5


def test_never_final_ends_when_it_is_removed(merchant: Merchant, inbox: Inbox) -> None:
    contract = merchant.contract(merchant.wallet(), 0, f"{inbox.url}/signed")
    merchant.sandbox.fault("capture", "never_final")
    merchant.deduct("HOLD01", 100, contract, f"{inbox.url}/paid")
    merchant.deduct("HOLD02", 100, contract, f"{inbox.url}/paid")
    assert merchant.v2("/pay/paporderquery", out_trade_no="HOLD01")["trade_state"] == "ACCEPT"
    assert merchant.sandbox.book()["open"] == {"count": 2, "fen": 200}
    assert merchant.v2("/pay/closeorder", out_trade_no="HOLD02")["result_code"] == "SUCCESS"
    merchant.sandbox.control("DELETE", "faults")
    assert merchant.v2("/pay/paporderquery", out_trade_no="HOLD01")["trade_state"] == "SUCCESS"
    assert merchant.v2("/pay/orderquery", out_trade_no="HOLD02")["trade_state"] == "CLOSED"
    book = merchant.sandbox.book()
    assert (book["captured"], book["open"]["count"]) == ({"count": 1, "fen": 100}, 0)


def test_user_paying_and_decline(merchant: Merchant) -> None:
    openid = merchant.wallet(1_000)

    def scan(number: str) -> httpx.Response:
        code = merchant.sandbox.act("payer", "show_code", openid)["auth_code"]
        data = merchant.order(number, 100, payer={"auth_code": code})
        return merchant.v3("POST", "/v3/pay/transactions/codepay", data)

    fault = merchant.sandbox.fault("capture", "user_paying")
    assert scan("UP0001").status_code == 202
    merchant.sandbox.control("DELETE", f"faults/{fault}")
    path = f"/v3/pay/transactions/out-trade-no/UP0001?mchid={merchant.known['mchid']}"
    assert merchant.v3("GET", path).json()["trade_state"] == "SUCCESS"
    merchant.sandbox.fault("capture", "decline", times=1)
    refused = scan("UP0002")
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_ENOUGH")
    assert scan("UP0003").json()["trade_state"] == "SUCCESS"


def test_success_after_close_and_refund_fates(merchant: Merchant, inbox: Inbox) -> None:
    openid = merchant.wallet(10_000)
    contract = merchant.contract(openid, 0, f"{inbox.url}/signed")
    merchant.sandbox.fault("capture", "never_final")
    merchant.deduct("LATE01", 900, contract, f"{inbox.url}/paid")
    merchant.sandbox.fault("close", "success_after_close", times=1)
    assert merchant.v2("/pay/closeorder", out_trade_no="LATE01")["result_code"] == "SUCCESS"
    assert merchant.v2("/pay/orderquery", out_trade_no="LATE01")["trade_state"] == "SUCCESS"
    merchant.sandbox.control("DELETE", "faults")
    merchant.sandbox.act("wechat_pay", "set_rules", merchant.known["mchid"], refund_spacing_s=0)

    def refund(number: str) -> str:
        terms = {"out_trade_no": "LATE01", "total_fee": "900", "refund_fee": "300"}
        answer = merchant.v2("/secapi/pay/refund", tls=True, out_refund_no=number, **terms)
        assert answer["result_code"] == "SUCCESS"
        return merchant.v2("/pay/refundquery", out_refund_no=number)["refund_status_0"]

    merchant.sandbox.fault("refund", "decline", times=1)
    assert refund("FATE1") == "REFUNDCLOSE"
    merchant.sandbox.fault("refund", "returned_after_success", times=1)
    assert refund("FATE2") == "CHANGE"
    merchant.sandbox.fault("refund", "never_final", times=1)
    assert refund("FATE3") == "PROCESSING"
    merchant.sandbox.act("wechat_pay", "finish_refund", "FATE3", mchid=merchant.known["mchid"])
    merchant.sandbox.act("wechat_pay", "set_rules", merchant.known["mchid"], refund_spacing_s=60)
    book = merchant.sandbox.book()
    assert (book["refunded"]["fen"], book["returned"]["fen"], book["open"]["count"]) == (
        600,
        300,
        0,
    )
    assert merchant.sandbox.act("payer", "show_wallet", openid)["balance_fen"] == 9_400


def test_drawing_is_repeatable_and_one_fault_strikes_a_call(merchant: Merchant) -> None:
    def struck() -> list[int]:
        merchant.sandbox.control("DELETE", "faults")
        for fault in ("http_500_before", "http_500_after"):
            merchant.sandbox.fault("*", fault, probability=0.5, seed=7)
        path = f"/v3/pay/transactions/out-trade-no/NONE0001?mchid={merchant.known['mchid']}"
        seen = [merchant.v3("GET", path).status_code for _ in range(40)]
        listed = merchant.sandbox.control("DELETE", "faults")
        assert sum(one["struck"] for one in listed) == seen.count(500)
        return seen

    first = struck()
    assert first == struck()
    assert 20 < first.count(500) < 40


def test_fifty_connections_at_once(merchant: Merchant, inbox: Inbox) -> None:
    contract = merchant.contract(merchant.wallet(10_000_000), 0, f"{inbox.url}/signed")
    with ThreadPoolExecutor(50) as pool:
        tries = [
            pool.submit(merchant.deduct, f"LOAD{n:04d}", 100, contract, f"{inbox.url}/paid")
            for n in range(100)
        ]
        assert all(one.result()["result_code"] == "SUCCESS" for one in tries)
    inbox.await_count(101, 10)
    assert merchant.sandbox.book()["captured"] == {"count": 100, "fen": 10_000}
    assert len({json.dumps(unxml(one.body), sort_keys=True) for one in inbox.got}) == 101


def test_fault_that_cannot_happen_at_a_call_does_not_strike_it(
    merchant: Merchant, inbox: Inbox
) -> None:
    contract = merchant.contract(merchant.wallet(), 0, f"{inbox.url}/signed")
    merchant.sandbox.fault("*", "user_paying", times=1)
    merchant.deduct("NOUP01", 100, contract, f"{inbox.url}/paid")
    listed = merchant.sandbox.control("DELETE", "faults")
    assert [one["struck"] for one in listed] == [0]
    assert merchant.v2("/pay/paporderquery", out_trade_no="NOUP01")["trade_state"] == "SUCCESS"
