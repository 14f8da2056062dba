"""The phone's pages and the fault panel, pressed as a person presses them."""

from __future__ import annotations

import base64
import re

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.wechat_client import Merchant

RICH, POOR = "oLinXiuLan0000000000000001", "oChenJianGuo00000000000002"
TABS = ("wallet", "scan", "messages", "agreements", "history")


@pytest.fixture
def phones(sandbox: Sandbox) -> Sandbox:
    sandbox.act("payer", "create_wallet", RICH, name="林秀兰", phone="13800000001",
                balance_fen=1_000_000)  # fmt: skip
    sandbox.act("payer", "create_wallet", POOR, name="陈建国", balance_fen=100)
    return sandbox


def press(sandbox: Sandbox, path: str, **fields: str) -> httpx.Response:
    return httpx.post(f"{sandbox.url}{path}", data=fields, timeout=10)


def native(phones: Sandbox, merchant: Merchant, number: str, fen: int) -> str:
    """The link of a new order, as the portal would show it."""
    path = "/v3/pay/transactions/native"
    order = merchant.order(number, fen, notify_url="http://127.0.0.1:9/none")
    answer = merchant.v3("POST", path, order)
    return str(answer.json()["code_url"])


def test_first_page_leads_to_the_others(sandbox: Sandbox) -> None:
    first = sandbox.call("GET", "/").text
    for address in ("/his/", "/phone/", "/_panel/"):
        assert f'class="cell go" href="{address}"' in first


def test_people_are_found_and_every_page_stands(phones: Sandbox) -> None:
    found = phones.call("GET", "/phone/?q=秀兰").text
    assert "林秀兰" in found
    assert "陈建国" not in found
    for name in TABS:
        page = phones.call("GET", f"/phone/of/{RICH}/{name}")
        assert page.status_code == 200
        assert 'lang="zh-Hans"' in page.text
        assert "<script" not in page.text
    assert phones.call("GET", "/phone/of/oNobody/wallet").status_code == 404
    assert phones.call("GET", "/phone/style.css").headers["content-type"] == "text/css"


def test_payment_code_stays_for_its_minute(phones: Sandbox) -> None:
    first = phones.call("GET", f"/phone/of/{RICH}/wallet").text
    again = phones.call("GET", f"/phone/of/{RICH}/wallet").text
    digits = re.compile(r"1[0-5]\d\d \d{4} \d{4} \d{6}")
    assert "<svg" in first
    assert digits.search(first).group() == digits.search(again).group()  # type: ignore[union-attr]


def test_scanned_link_waits_for_the_password_and_is_paid(
    phones: Sandbox, merchant: Merchant
) -> None:
    link = native(phones, merchant, "PHONE000001", 8_640)
    opened = press(phones, f"/phone/of/{RICH}/act/open", link=link)
    assert opened.status_code == 302
    token = link.rsplit("=", 1)[-1]
    assert token in phones.call("GET", f"/phone/of/{RICH}/wallet").text
    paid = press(phones, f"/phone/of/{RICH}/act/confirm", token=token)
    assert paid.status_code == 302
    assert phones.book()["captured"] == {"count": 1, "fen": 8_640}
    history = phones.call("GET", f"/phone/of/{RICH}/history").text
    assert "86.40" in history
    twice = press(phones, f"/phone/of/{RICH}/act/confirm", token=token)
    assert twice.status_code == 409
    assert phones.book()["captured"] == {"count": 1, "fen": 8_640}


def test_empty_wallet_is_told_that_nothing_was_taken(phones: Sandbox, merchant: Merchant) -> None:
    token = native(phones, merchant, "PHONE000002", 8_640).rsplit("=", 1)[-1]
    page = press(phones, f"/phone/wechat/pay/{token}", openid=POOR, answer="yes")
    assert page.status_code == 409
    assert "没有扣款" in page.text
    assert phones.book()["captured"]["count"] == 0
    nobody = press(phones, f"/phone/wechat/pay/{token}", openid="", answer="yes")
    assert "请选一部手机" in nobody.text


def test_paid_link_offers_no_second_payment(phones: Sandbox, merchant: Merchant) -> None:
    token = native(phones, merchant, "PHONE000003", 100).rsplit("=", 1)[-1]
    press(phones, f"/phone/wechat/pay/{token}", openid=RICH, answer="yes")
    back = "redirect_url=http://portal.example/r"
    page = phones.call("GET", f"/phone/wechat/pay/{token}?{back}").text
    assert "不用再付" in page
    assert "http://portal.example/r" in page
    assert 'value="yes"' not in page
    script = phones.call("GET", f"/phone/wechat/pay/{token}?redirect_url=javascript:alert(1)").text
    assert "javascript:" not in script


def test_agreement_is_signed_seen_and_ended(phones: Sandbox, merchant: Merchant) -> None:
    phones.act("payer", "sign", RICH, mchid=phones.credentials["mchid"], plan_id="100001",
               contract_code="AGR1", notify_url="http://127.0.0.1:9/none")  # fmt: skip
    [contract] = phones.act("payer", "show_wallet", RICH)["contracts"]
    page = phones.call("GET", f"/phone/of/{RICH}/agreements").text
    assert contract["contract_id"] in page
    ended = press(phones, f"/phone/of/{RICH}/act/unsign", no=contract["contract_id"])
    assert ended.status_code == 302
    [contract] = phones.act("payer", "show_wallet", RICH)["contracts"]
    assert contract["status"] == "TERMINATED"
    foreign = press(phones, f"/phone/of/{POOR}/act/unsign", no=contract["contract_id"])
    assert foreign.status_code == 409


def test_panel_adds_lists_and_removes_faults(phones: Sandbox) -> None:
    wanted = {"counterparty": "wechat_pay", "operation": "capture", "fault": "decline"}
    assert press(phones, "/_panel/faults", **wanted, times="2", percent="5").status_code == 302
    [fault] = phones.control("GET", "faults")
    assert (fault["times"], fault["probability"]) == (2, 0.05)
    page = phones.call("GET", "/_panel/").text
    assert fault["id"] in page
    assert "1900000001" in page
    assert press(phones, "/_panel/remove", id=fault["id"]).status_code == 302
    assert phones.control("GET", "faults") == []


@pytest.mark.parametrize(
    "wrong", [{"times": "many"}, {"percent": "200"}, {"fault": "nothing"}, {"times": "0"}]
)
def test_panel_says_what_is_wrong(phones: Sandbox, wrong: dict[str, str]) -> None:
    wanted = {"counterparty": "wechat_pay", "operation": "capture", "fault": "decline"} | wrong
    page = press(phones, "/_panel/faults", **wanted)
    assert page.status_code == 400
    assert "没有设置" in page.text
    assert phones.control("GET", "faults") == []


def asked_in_wechat(merchant: Merchant, prepay_id: str, **other: str) -> dict[str, str]:
    """What a page of the merchant asks the phone's WeChat with, signed by the public facts."""
    asked = {
        "appId": merchant.known["appid"],
        "timeStamp": str(int(merchant.now())),
        "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
        "package": f"prepay_id={prepay_id}",
    }
    text = "".join(f"{value}\n" for value in asked.values()).encode()
    signature = merchant.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return asked | {"signType": "RSA", "paySign": base64.b64encode(signature).decode()} | other


def jsapi(merchant: Merchant, number: str) -> str:
    order = merchant.order(number, 8_640, notify_url="http://127.0.0.1:9/none")
    answer = merchant.v3("POST", "/v3/pay/transactions/jsapi", order | {"payer": {"openid": RICH}})
    return str(answer.json()["prepay_id"])


def test_a_page_inside_wechat_asks_signed_and_its_payer_confirms(
    phones: Sandbox, merchant: Merchant
) -> None:
    asked = asked_in_wechat(merchant, jsapi(merchant, "PHONE000007"))
    asked["redirect_url"] = "http://portal.example/p/x/code"
    opened = httpx.get(f"{phones.url}/phone/wechat/bridge", params=asked, follow_redirects=True)
    assert f'value="{RICH}" selected' in opened.text
    stranger = httpx.post(opened.url, data={"openid": POOR, "answer": "yes"})
    assert stranger.status_code == 409
    assert "没有扣款" in stranger.text
    paid = httpx.post(opened.url, data={"openid": RICH, "answer": "yes"})
    assert "支付成功" in paid.text
    assert "http://portal.example/p/x/code" in paid.text
    assert phones.book()["captured"] == {"count": 1, "fen": 8_640}


@pytest.mark.parametrize(
    "other",
    [
        {"paySign": "AAAA"},
        {"paySign": ""},
        {"appId": "wx0000000000000000"},
        {"timeStamp": "1"},
        {"timeStamp": "now"},
        {"nonceStr": "another"},
        {"package": "prepay_id=wxnobody"},
        {"package": "x"},
        {"signType": "MD5"},
    ],
)
def test_what_its_merchant_did_not_sign_opens_no_payment(
    phones: Sandbox, merchant: Merchant, other: dict[str, str]
) -> None:
    asked = asked_in_wechat(merchant, jsapi(merchant, "PHONE000008"), **other)
    refused = httpx.get(f"{phones.url}/phone/wechat/bridge", params=asked)
    assert refused.status_code == 400
    assert "没有扣款" in refused.text


def test_a_code_of_another_way_is_not_opened_inside_wechat(
    phones: Sandbox, merchant: Merchant
) -> None:
    token = native(phones, merchant, "PHONE000009", 100).rsplit("=", 1)[-1]
    asked = asked_in_wechat(merchant, f"wx{token}")
    assert httpx.get(f"{phones.url}/phone/wechat/bridge", params=asked).status_code == 400
    script = phones.call("GET", "/phone/wechat/bridge.js")
    assert f'"{phones.url}/phone/wechat/bridge?"' in script.text
