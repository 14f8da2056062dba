"""The v3 protocol from the merchant's side: refusals, repetitions, limits."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.sandbox.wechat_client import Inbox, Merchant

NATIVE, REFUND = "/v3/pay/transactions/native", "/v3/refund/domestic/refunds"
NOWHERE = "http://127.0.0.1:9/paid"


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def paid(merchant: Merchant, number: str, total: int, inbox: Inbox) -> str:
    """A paid native order; its wallet's openid."""
    openid = merchant.wallet(total)
    data = merchant.order(number, total, notify_url=f"{inbox.url}/paid")
    link = merchant.v3("POST", NATIVE, data).json()["code_url"]
    merchant.sandbox.act("payer", "confirm", openid, link=link)
    inbox.await_count(1)
    return openid


def refund_of(number: str, refund_no: str, refund: int, total: int) -> dict[str, Any]:
    amount = {"refund": refund, "total": total, "currency": "CNY"}
    return {"out_trade_no": number, "out_refund_no": refund_no, "amount": amount}


def test_requests_that_nobody_signed_are_refused(merchant: Merchant) -> None:
    path = "/v3/pay/transactions/out-trade-no/A00001?mchid=" + merchant.known["mchid"]
    other = Merchant(merchant.sandbox, 1).known
    forged = [
        {"signature": "AAAA"},
        {"timestamp": str(int(merchant.now()) - 301)},
        {"timestamp": str(int(merchant.now()) + 330)},
        {"timestamp": "now"},
        {"serial_no": "00"},
        {"serial_no": other["merchant_serial_no"]},
        {"mchid": other["mchid"]},
        {"mchid": "1", "nonce_str": ""},
    ]
    for change in forged:
        assert code_of(merchant.v3("GET", path, **change)) == (401, "SIGN_ERROR"), change
    bare = httpx.get(merchant.known["base_url"] + path)
    assert code_of(bare) == (401, "SIGN_ERROR")
    merchant.verify(bare.headers, bare.content)
    signed = merchant.authorization("GET", path, b"")
    moved = httpx.get(merchant.known["base_url"] + path + "1", headers={"Authorization": signed})
    assert code_of(moved) == (401, "SIGN_ERROR")
    assert code_of(merchant.v3("GET", path)) == (404, "ORDER_NOT_EXIST")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"total": 0}},
        {"amount": {"total": -1}},
        {"amount": {"total": 1.5}},
        {"amount": {"total": "1"}},
        {"amount": {"total": True}},
        {"amount": {"total": 1, "currency": "USD"}},
        {"amount": None},
        {"out_trade_no": "short"},
        {"out_trade_no": "x" * 33},
        {"out_trade_no": "中文中文中文"},
        {"description": ""},
        {"description": "x" * 128},
        {"mchid": "1900000002"},
        {"notify_url": "http://127.0.0.1/a?b=c"},
        {"notify_url": "ftp://127.0.0.1/"},
        {"time_expire": "2026-11-20T09:00:00+08:00"},
        {"time_expire": "tomorrow"},
    ],
)
def test_bad_parameters_create_nothing(merchant: Merchant, change: dict[str, Any]) -> None:
    data = merchant.order("BAD0001", 1, notify_url=NOWHERE) | change
    assert code_of(merchant.v3("POST", NATIVE, data)) == (400, "PARAM_ERROR")
    listed = merchant.sandbox.control("GET", "transactions?counterparty=wechat_pay")
    assert listed["transactions"] == []


def test_same_number_same_parameters_is_the_same_order(merchant: Merchant) -> None:
    data = merchant.order("SAME0001", 5, notify_url=NOWHERE)
    first, again = merchant.v3("POST", NATIVE, data), merchant.v3("POST", NATIVE, data)
    assert first.json() == again.json()
    other = merchant.order("SAME0001", 6, notify_url=NOWHERE)
    assert code_of(merchant.v3("POST", NATIVE, other)) == (400, "INVALID_REQUEST")
    wrong_appid = data | {"appid": "wx0000"}
    assert code_of(merchant.v3("POST", NATIVE, wrong_appid)) == (400, "APPID_MCHID_NOT_MATCH")


def test_h5_link_lives_five_minutes_and_one_payer_keeps_the_order(
    merchant: Merchant, inbox: Inbox
) -> None:
    scene = {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Wap"}}
    data = merchant.order("H5000001", 700, notify_url=f"{inbox.url}/paid", scene_info=scene)
    link = merchant.v3("POST", "/v3/pay/transactions/h5", data).json()["h5_url"]
    first, second = merchant.wallet(), merchant.wallet()
    merchant.sandbox.act("payer", "open_pay_link", first, link=link)
    call = {"actor": "payer", "action": "open_pay_link", "subject": second, "args": {"link": link}}
    assert merchant.sandbox.call("POST", "/_control/act", call).status_code == 400
    merchant.sandbox.control("POST", "clock", {"advance_s": 301})
    late = call | {"subject": first}
    assert merchant.sandbox.call("POST", "/_control/act", late).status_code == 400
    fresh = merchant.v3("POST", "/v3/pay/transactions/h5", data).json()["h5_url"]
    merchant.sandbox.act("payer", "confirm", first, link=fresh)
    told = merchant.open(inbox.await_count(1)[0].body)
    assert (told["trade_state"], told["payer"]["openid"]) == ("SUCCESS", first)


def test_payment_code_serves_once_and_for_a_minute(merchant: Merchant) -> None:
    openid = merchant.wallet(1_000)

    def scan(number: str, code: str, total: int = 1) -> httpx.Response:
        data = merchant.order(number, total, payer={"auth_code": code})
        return merchant.v3("POST", "/v3/pay/transactions/codepay", data)

    code = merchant.sandbox.act("payer", "show_code", openid)["auth_code"]
    assert (len(code), code[:2] in {"10", "11", "12", "13", "14", "15"}) == (18, True)
    assert scan("SCAN01", code).status_code == 200
    assert code_of(scan("SCAN02", code)) == (400, "AUTH_CODE_INVALID")
    assert code_of(scan("SCAN03", "134567")) == (400, "AUTH_CODE_INVALID")
    old = merchant.sandbox.act("payer", "show_code", openid)["auth_code"]
    merchant.sandbox.control("POST", "clock", {"advance_s": 61})
    assert code_of(scan("SCAN04", old)) == (400, "AUTH_CODE_EXPIRE")
    poor = merchant.sandbox.act("payer", "show_code", openid)["auth_code"]
    assert code_of(scan("SCAN05", poor, 1_000)) == (403, "NOT_ENOUGH")
    assert merchant.sandbox.book()["captured"] == {"count": 1, "fen": 1}


def test_password_confirmed_pays_and_refused_fails(merchant: Merchant) -> None:
    openid = merchant.wallet(1_000, free_fen=0)
    for number, action, state in (
        ("PASS01", "confirm", "SUCCESS"),
        ("PASS02", "refuse", "PAYERROR"),
    ):
        code = merchant.sandbox.act("payer", "show_code", openid)["auth_code"]
        data = merchant.order(number, 100, payer={"auth_code": code})
        answer = merchant.v3("POST", "/v3/pay/transactions/codepay", data)
        assert (answer.status_code, answer.json()["trade_state"]) == (202, "USERPAYING")
        merchant.sandbox.act("payer", action, openid)
        path = f"/v3/pay/transactions/out-trade-no/{number}?mchid={merchant.known['mchid']}"
        assert merchant.v3("GET", path).json()["trade_state"] == state


def test_refunds_keep_the_vendors_rules(merchant: Merchant, inbox: Inbox) -> None:
    paid(merchant, "REF0001", 5_000, inbox)
    unpaid = merchant.order("REF0002", 10, notify_url=NOWHERE)
    merchant.v3("POST", NATIVE, unpaid)
    refused = [
        (refund_of("REF0002", "U1", 1, 10), (400, "INVALID_REQUEST")),
        (refund_of("REF0009", "U2", 1, 10), (404, "ORDER_NOT_EXIST")),
        (refund_of("REF0001", "U3", 1, 4_999), (400, "PARAM_ERROR")),
        (refund_of("REF0001", "U4", 5_001, 5_000), (400, "PARAM_ERROR")),
        (refund_of("REF0001", "U5", 0, 5_000), (400, "PARAM_ERROR")),
        (refund_of("REF0001", "bad no", 1, 5_000), (400, "PARAM_ERROR")),
    ]
    for data, expected in refused:
        assert code_of(merchant.v3("POST", REFUND, data)) == expected, data
    first = merchant.v3("POST", REFUND, refund_of("REF0001", "R01", 1, 5_000))
    assert first.json()["status"] == "PROCESSING"
    soon = refund_of("REF0001", "R02", 1, 5_000)
    assert code_of(merchant.v3("POST", REFUND, soon)) == (429, "FREQUENCY_LIMITED")
    merchant.sandbox.act("wechat_pay", "set_rules", merchant.known["mchid"], refund_spacing_s=0)
    for n in range(2, 51):
        data = refund_of("REF0001", f"R{n:02d}", 1, 5_000)
        assert merchant.v3("POST", REFUND, data).status_code == 200, n
    more = refund_of("REF0001", "R51", 1, 5_000)
    assert code_of(merchant.v3("POST", REFUND, more)) == (400, "INVALID_REQUEST")
    merchant.sandbox.act("wechat_pay", "set_rules", merchant.known["mchid"], refund_spacing_s=60)
    assert merchant.sandbox.book()["refunded"] == {"count": 50, "fen": 50}
    assert code_of(merchant.v3("GET", f"{REFUND}/R51")) == (404, "RESOURCE_NOT_EXISTS")


def test_concurrent_refunds_never_exceed_the_total(merchant: Merchant, inbox: Inbox) -> None:
    openid = paid(merchant, "REF0003", 1_000, inbox)
    merchant.sandbox.act("wechat_pay", "set_rules", merchant.known["mchid"], refund_spacing_s=0)
    with ThreadPoolExecutor(8) as pool:
        tries = [
            pool.submit(merchant.v3, "POST", REFUND, refund_of("REF0003", f"C{n}", 300, 1_000))
            for n in range(8)
        ]
        answers = [one.result().status_code for one in tries]
    merchant.sandbox.act("wechat_pay", "set_rules", merchant.known["mchid"], refund_spacing_s=60)
    assert sorted(answers) == [200] * 3 + [400] * 5
    assert merchant.sandbox.act("payer", "show_wallet", openid)["balance_fen"] == 900


def test_transactions_list_the_rows_behind_the_sums(merchant: Merchant, inbox: Inbox) -> None:
    paid(merchant, "LIST0001", 800, inbox)
    merchant.v3("POST", REFUND, refund_of("LIST0001", "LIST0001R", 300, 800))
    rows = merchant.sandbox.control("GET", "transactions?counterparty=wechat_pay&page=1")
    shown = [(r["number"], r["kind"], r["status"], r["amount_fen"], r["parent"])
             for r in rows["transactions"]]  # fmt: skip
    assert shown == [
        ("LIST0001", "native", "REFUND", 800, ""),
        ("LIST0001R", "refund", "SUCCESS", 300, "LIST0001"),
    ]
    assert [row["moved_fen"] for row in rows["transactions"]] == [800, -300]
    assert (rows["transactions"][0]["notices_sent"], rows["next"]) == (1, None)
    assert merchant.sandbox.act("payer", "show_wallet", _payer(merchant))["balance_fen"] == 300


def _payer(merchant: Merchant) -> str:
    path = f"/v3/pay/transactions/out-trade-no/LIST0001?mchid={merchant.known['mchid']}"
    return json.loads(merchant.v3("GET", path).content)["payer"]["openid"]
