"""What happens on the wire when it breaks, and that nothing broken is taken for an answer."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from billing.channels.base import Mode
from billing.channels.wechat_pay import transport
from core import clock
from core.models import OutboundCall
from core.outcomes import Outcome
from tests.billing.channels import wechat_vendor as wx
from tests.billing.channels.wechat_orders import call, deduction, transaction
from tests.billing.channels.wechat_vendor import Received, Vendor, raw_answer

pytestmark = pytest.mark.django_db

PAID = json.dumps(transaction()).encode()
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
REFUSAL = b'{"code":"PARAM_ERROR","message":"x"}'
NOT_FOUND = b'{"code":"ORDER_NOT_EXIST","message":"x"}'


def other_signed() -> bytes:
    return raw_answer(200, PAID, wx.v3_headers(b"{}"))


def said_nothing_signed() -> bytes:
    return raw_answer(200, wx.v2_xml({"return_code": "FAIL", "return_msg": "签名失败"}))


def cut() -> bytes:
    return wx.v3_answer(200, PAID)[:-20]


def twice() -> bytes:
    body = b'{"trade_state":"NOTPAY",' + PAID[1:]
    return wx.v3_answer(200, body)


def doubled_header() -> bytes:
    headers = {**wx.v3_headers(PAID), "wechatpay-serial": wx.KEY_ID}
    return raw_answer(200, PAID, headers)


BROKEN_V3: list[tuple[str, Callable[[], bytes], str]] = [
    ("cut in the body", cut, "NO_ANSWER"),
    ("closed without a word", lambda: b"", "NO_ANSWER"),
    ("no HTTP", lambda: b"220 smtp ready\r\n", "NO_ANSWER"),
    ("502 HTML", lambda: raw_answer(502, HTML), "HTTP_502"),
    ("503 signed", lambda: wx.v3_answer(503, {"code": "PARAM_ERROR"}), "HTTP_503"),
    ("200 unsigned", lambda: raw_answer(200, PAID), "UNVERIFIED"),
    ("200 HTML", lambda: raw_answer(200, HTML), "UNVERIFIED"),
    ("200 signed by a stranger", lambda: wx.v3_answer(200, PAID, by="stranger"), "UNVERIFIED"),
    ("200 signed long ago", lambda: wx.v3_answer(200, PAID, age_s=301), "UNVERIFIED"),
    ("200 unknown key", lambda: wx.v3_answer(200, PAID, serial="PUB_KEY_ID_9"), "UNVERIFIED"),
    ("200 other body signed", other_signed, "UNVERIFIED"),
    ("200 serial twice", doubled_header, "UNVERIFIED"),
    ("200 invalid JSON", lambda: wx.v3_answer(200, b'{"trade_state":"SUCC'), "UNREADABLE"),
    ("200 key twice", twice, "UNREADABLE"),
    ("200 NaN", lambda: wx.v3_answer(200, b'{"a":NaN}'), "UNREADABLE"),
    ("200 list", lambda: wx.v3_answer(200, b"[]"), "UNREADABLE"),
    ("400 unsigned refusal", lambda: raw_answer(400, REFUSAL), "UNVERIFIED"),
    ("404 unsigned", lambda: raw_answer(404, NOT_FOUND), "UNVERIFIED"),
    ("302", lambda: raw_answer(302, b"", {"Location": "/v3/elsewhere"}), "UNVERIFIED"),
    ("429 unsigned", lambda: raw_answer(429, HTML), "FREQUENCY_LIMITED"),
]
BROKEN_V2: list[tuple[str, Callable[[], bytes], str]] = [
    ("cut in the body", lambda: deduction()[:-9], "NO_ANSWER"),
    ("502 HTML", lambda: raw_answer(502, HTML), "HTTP_502"),
    ("404", lambda: raw_answer(404, b""), "HTTP_404"),
    ("200 HTML", lambda: raw_answer(200, b"<html><br></html>"), "UNREADABLE"),
    ("200 empty", lambda: raw_answer(200, b""), "UNREADABLE"),
    ("return_code FAIL", said_nothing_signed, "RETURN_FAIL"),
    ("no sign", lambda: raw_answer(200, wx.v2_xml({"return_code": "SUCCESS"})), "UNVERIFIED"),
    ("changed", lambda: deduction().replace(b"SUCCESS]]></trade", b"REFUND.]]></trade"),
     "UNVERIFIED"),
    ("no result_code", lambda: deduction(result_code="-"), "UNREADABLE"),
    ("DTD", lambda: raw_answer(200, b"<!DOCTYPE x><xml></xml>"), "UNREADABLE"),
    ("429", lambda: raw_answer(429, b""), "FREQUENCY_LIMITED"),
]  # fmt: skip


@pytest.mark.parametrize("name, answer, code", BROKEN_V3, ids=[row[0] for row in BROKEN_V3])
@pytest.mark.parametrize("verb", ["capture", "query", "reverse"])
def test_a_broken_v3_answer_is_unknown(
    name: str, answer: Callable[[], bytes], code: str, verb: str, vendor: Vendor
) -> None:
    vendor.script = [answer()]
    found = call(verb, Mode.SCAN, vendor.url)
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, code)
    assert (found.executed, found.closed) == (None, False)


@pytest.mark.parametrize("name, answer, code", BROKEN_V2, ids=[row[0] for row in BROKEN_V2])
@pytest.mark.parametrize("verb", ["capture", "query", "close"])
def test_a_broken_v2_answer_is_unknown(
    name: str, answer: Callable[[], bytes], code: str, verb: str, vendor: Vendor
) -> None:
    vendor.script = [answer()]
    found = call(verb, Mode.AGREEMENT, vendor.url)
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, code)
    assert (found.executed, found.closed) == (None, False)


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(
    "verb, mode, executed",
    [
        ("capture", Mode.SCAN, False),
        ("capture", Mode.AGREEMENT, False),
        ("refund", Mode.NATIVE, False),
        ("query", Mode.SCAN, None),
        ("query", Mode.AGREEMENT, None),
        ("close", Mode.NATIVE, None),
        ("reverse", Mode.SCAN, None),
        ("refund_query", Mode.AGREEMENT, None),
        ("unsign", Mode.AGREEMENT, None),
    ],
)
def test_a_refused_connection_says_something_only_about_a_first_send(
    verb: str, mode: Mode, executed: bool | None
) -> None:
    """A query that never left must not read as "no such order"."""
    found = call(verb, mode, closed_port())
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "NOT_SENT")
    assert found.executed is executed


@pytest.mark.parametrize("mode", [Mode.SCAN, Mode.AGREEMENT, Mode.NATIVE])
def test_an_answer_that_comes_too_late_is_unknown(
    mode: Mode, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.2)

    def slowly(_received: Received) -> bytes:
        time.sleep(0.6)
        return wx.v3_answer(200, PAID)

    vendor.script = [slowly]
    found = call("capture", mode, vendor.url)
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "NO_ANSWER")
    assert found.executed is None
    assert len(vendor.received) == 1  # it was executed there; nothing sends it twice


@pytest.mark.parametrize(
    "value, seconds", [("30", 30), ("0", 1), ("999999", 3600), ("soon", 5), ("-1", 5)]
)
def test_429_names_when_to_come_again(value: str, seconds: int, vendor: Vendor) -> None:
    vendor.script = [raw_answer(429, b"", {"Retry-After": value})]
    found = call("query", Mode.NATIVE, vendor.url)
    assert found.retry_at == clock.now() + timedelta(seconds=seconds)


def test_refunds_come_again_a_minute_later(vendor: Vendor) -> None:
    vendor.script = [wx.v3_error(400, "FREQUENCY_LIMITED")]
    found = call("refund", Mode.NATIVE, vendor.url)
    assert found.retry_at == clock.now() + timedelta(seconds=60)


def test_each_call_leaves_one_trace_without_the_payers_code(vendor: Vendor) -> None:
    vendor.script = [wx.v3_answer(200, PAID)]
    call("capture", Mode.SCAN, vendor.url)
    trace = OutboundCall.objects.get()
    assert (trace.counterparty, trace.operation) == ("wechat_pay", "capture")
    assert trace.reference == wx.NUMBER
    kept = f"{trace.request_body} {trace.request_headers} {trace.response_body}"
    assert "130012345678901234" not in kept
    assert json.loads(vendor.received[0].body)["payer"]["auth_code"] == "130012345678901234"
