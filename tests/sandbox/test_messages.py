"""The message receivers over real HTTP: the vendors' shapes, their refusals, their faults."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.fixtures.sandbox_process import Sandbox

OPENID = "oLinXiuLan0000000000000001"
PHONE = "13800000001"
APPID, APP_SECRET = "wx5a0db0c0ffee0001", "sandbox-wechat-app-secret"
SMS_KEY, SMS_SECRET = "sandbox-sms-key", "sandbox-sms-secret"


def now_of(sandbox: Sandbox) -> int:
    at = datetime.fromisoformat(sandbox.call("GET", "/healthz").json()["now"])
    return int(at.timestamp())


def token_of(sandbox: Sandbox) -> str:
    query = f"grant_type=client_credential&appid={APPID}&secret={APP_SECRET}"
    answer = sandbox.call("GET", f"/wechat/cgi-bin/token?{query}").json()
    assert answer["expires_in"] == 7200
    return str(answer["access_token"])


def template(**changed: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "touser": OPENID,
        "template_id": "TM_PAID",
        "url": "http://portal.example/b/1",
        "data": {"hospital": {"value": "云溪市第一医院"}, "amount": {"value": "¥86.40"}},
    }
    return body | changed


def template_send(sandbox: Sandbox, token: str, body: Any) -> dict[str, Any]:
    path = f"/wechat/cgi-bin/message/template/send?access_token={token}"
    return sandbox.call("POST", path, body).json()


def sms(**changed: Any) -> dict[str, Any]:
    params = {"name": "林*兰", "amount": "86.40"}
    body = {"phone": PHONE, "sign_name": "云溪市第一医院", "template": "SMS_PAID", "params": params}
    return body | changed


def sms_send(
    sandbox: Sandbox, body: Any, *, secret: str = SMS_SECRET, key: str = SMS_KEY, age_s: int = 0
) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = str(now_of(sandbox) - age_s)
    signature = hmac.new(secret.encode(), timestamp.encode() + b"\n" + raw, hashlib.sha256)
    headers = {
        "X-Sms-Key": key,
        "X-Sms-Timestamp": timestamp,
        "X-Sms-Signature": signature.hexdigest(),
    }
    return httpx.post(f"{sandbox.url}/sms/send", content=raw, headers=headers, timeout=10)


def received(sandbox: Sandbox, counterparty: str) -> list[dict[str, Any]]:
    return sandbox.control("GET", f"transactions?counterparty={counterparty}")["transactions"]


@pytest.fixture
def phone(sandbox: Sandbox) -> Sandbox:
    sandbox.act("payer", "create_wallet", OPENID, name="林秀兰", phone=PHONE, balance_fen=100_000)
    return sandbox


def test_template_message_reaches_the_phone_in_the_senders_order(phone: Sandbox) -> None:
    answer = template_send(phone, token_of(phone), template())
    assert answer["errcode"] == 0
    assert isinstance(answer["msgid"], int)
    [row] = received(phone, "wechat_message")
    assert row["receiver"] == OPENID
    assert row["params"] == {"hospital": "云溪市第一医院", "amount": "¥86.40"}
    assert row["own_number"] == str(answer["msgid"])
    page = phone.call("GET", f"/phone/of/{OPENID}/messages").text
    assert page.index("云溪市第一医院") < page.index("¥86.40")
    assert "http://portal.example/b/1" in page


@pytest.mark.parametrize(
    ("query", "errcode"),
    [
        (f"grant_type=client_credential&appid=wx0&secret={APP_SECRET}", 40013),
        (f"grant_type=client_credential&appid={APPID}&secret=x", 40125),
        (f"appid={APPID}&secret={APP_SECRET}", 40002),
    ],
)
def test_no_token_without_the_right_credentials(sandbox: Sandbox, query: str, errcode: int) -> None:
    answer = sandbox.call("GET", f"/wechat/cgi-bin/token?{query}").json()
    assert answer["errcode"] == errcode
    assert "access_token" not in answer


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        (template(touser="oNobody"), 40003),
        (template(template_id=""), 40037),
        (template(data={"amount": "86.40"}), 47001),
        (template(data=None), 47001),
        (template(client_msg_id=7), 47001),
        (template(data={"amount": {"value": "nul \u0000"}}), 47001),
        ([], 47001),
    ],
)
def test_template_message_that_does_not_fit_is_refused(
    phone: Sandbox, body: Any, errcode: int
) -> None:
    assert template_send(phone, token_of(phone), body)["errcode"] == errcode
    assert received(phone, "wechat_message") == []


def test_unknown_and_missing_tokens_are_refused(phone: Sandbox) -> None:
    assert template_send(phone, "made-up", template())["errcode"] == 40001
    assert template_send(phone, "", template())["errcode"] == 41001


def test_message_sent_again_under_its_number_is_one_message(phone: Sandbox) -> None:
    token = token_of(phone)
    first = template_send(phone, token, template(client_msg_id="bill/1/paid"))
    again = template_send(phone, token, template(client_msg_id="bill/1/paid"))
    assert first["msgid"] == again["msgid"]
    sent = sms_send(phone, sms(out_id="bill/1/paid")).json()
    assert sms_send(phone, sms(out_id="bill/1/paid")).json() == sent
    assert len(received(phone, "wechat_message")) == len(received(phone, "sms")) == 1


def test_sms_reaches_the_phone(phone: Sandbox) -> None:
    answer = sms_send(phone, sms())
    assert answer.json()["code"] == "OK"
    [row] = received(phone, "sms")
    assert (row["receiver"], row["own_number"]) == (PHONE, answer.json()["message_id"])
    assert (
        "【云溪市第一医院】林*兰，86.40" in phone.call("GET", f"/phone/of/{OPENID}/messages").text
    )


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"secret": "other"}, "SIGNATURE_DOES_NOT_MATCH"),
        ({"key": "other"}, "INVALID_KEY"),
        ({"age_s": 301}, "TIMESTAMP_EXPIRED"),
        ({"age_s": -310}, "TIMESTAMP_EXPIRED"),
    ],
)
def test_sms_that_is_not_the_hospitals_is_refused(
    phone: Sandbox, how: dict[str, Any], code: str
) -> None:
    answer = sms_send(phone, sms(), **how)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert received(phone, "sms") == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (sms(phone="12345"), 200, "MOBILE_NUMBER_ILLEGAL"),
        (sms(phone="１３８00000001"), 200, "MOBILE_NUMBER_ILLEGAL"),
        (sms(params={"amount": 8640}), 400, "INVALID_PARAMETER"),
        (sms(sign_name=""), 400, "INVALID_PARAMETER"),
        (sms(colour="red"), 400, "INVALID_PARAMETER"),
        (b"{", 400, "INVALID_PARAMETER"),
        (b"[" * 5000, 400, "INVALID_PARAMETER"),
    ],
)
def test_sms_that_does_not_fit_is_refused(
    phone: Sandbox, body: Any, status: int, code: str
) -> None:
    answer = sms_send(phone, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert received(phone, "sms") == []


def test_faults_strike_messages_too(phone: Sandbox) -> None:
    phone.fault("send", "decline", "sms", times=1)
    phone.fault("send", "http_500_after", "wechat_message", times=1)
    assert sms_send(phone, sms()).json()["code"] == "BUSINESS_LIMIT_CONTROL"
    path = f"/wechat/cgi-bin/message/template/send?access_token={token_of(phone)}"
    assert phone.call("POST", path, template()).status_code == 500
    # The answer was lost, the message was not: sending it again under its number is safe.
    assert len(received(phone, "wechat_message")) == 1
    assert received(phone, "sms") == []


def test_wechat_login_gives_the_openid_once(phone: Sandbox) -> None:
    page = (
        f"/wechat/connect/oauth2/authorize?appid={APPID}&response_type=code&scope=snsapi_userinfo"
    )
    page += "&redirect_uri=http%3A%2F%2Fportal.example%2Fcb%3Fnext%3D1&state=s1"
    assert "林秀兰" in phone.call("GET", page).text
    location = phone.call("GET", f"{page}&as={OPENID}").headers["location"]
    query = httpx.URL(location).params
    assert location.startswith("http://portal.example/cb?next=1&")
    assert query["state"] == "s1"
    exchange = f"/wechat/sns/oauth2/access_token?appid={APPID}&secret={APP_SECRET}"
    exchange += f"&grant_type=authorization_code&code={query['code']}"
    assert phone.call("GET", exchange).json()["openid"] == OPENID
    assert phone.call("GET", exchange).json()["errcode"] == 40029


def test_wechat_login_asks_until_a_phone_is_known(phone: Sandbox) -> None:
    page = f"/wechat/connect/oauth2/authorize?appid={APPID}&response_type=code&scope=snsapi_base"
    page += "&redirect_uri=http%3A%2F%2Fportal.example%2Fcb&state=s1"
    asked = phone.call("GET", page)
    assert (asked.status_code, "林秀兰" in asked.text) == (200, True)
    phone.call("GET", f"/phone/of/{OPENID}/wallet")
    known = phone.call("GET", page)
    assert (known.status_code, known.headers["location"][:24]) == (302, "http://portal.example/cb")
