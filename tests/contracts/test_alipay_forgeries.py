"""T12: forged Alipay notices of every kind are refused, before any row could be read.

These tests hold no database: an adapter that looked at one while judging a notice would fail here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qsl, quote_plus, urlencode

import pytest

from billing.channels.base import NoticeKind, NoticeRefused
from tests.contracts.alipay_samples import (
    AGREEMENT,
    CAPTURE,
    NUMBER,
    OTHER_APP_ID,
    OTHER_PID,
    PLAN_ID,
    REFUND,
    deposit_back,
    form,
    joined,
    paid,
    read,
    refunded,
    signature,
    signed,
    stamp,
    unsigned,
)

Forged = tuple[NoticeKind, bytes]


def told(kind: NoticeKind = CAPTURE, **changes: str) -> Callable[[], Forged]:
    """A payment notice with other content, truly signed by the channel."""
    return lambda: (kind, form(paid(**changes)))


def agreed(**changes: str) -> Callable[[], Forged]:
    return lambda: (AGREEMENT, form(signed(**changes)))


def beside(**changes: str) -> Callable[[], Forged]:
    """The genuine notice with its sign or sign_type changed afterwards."""
    return lambda: (CAPTURE, form(paid(), **changes))


def by(name: str) -> Callable[[], Forged]:
    return lambda: (CAPTURE, form(paid(), by=name))


def changed(name: str, value: str | None) -> Callable[[], Forged]:
    """One field changed, or taken away, under the genuine sign."""

    def made() -> Forged:
        fields = dict(parse_qsl(form(paid()).decode()))
        del fields[name]
        return CAPTURE, urlencode(fields if value is None else {**fields, name: value}).encode()

    return made


def added(text: str) -> Callable[[], Forged]:
    return lambda: (CAPTURE, form(paid()) + b"&" + text.encode())


def swallowed() -> Forged:
    """A refund cut at other borders: its number sinks into the field before it, the text stays."""
    fields = refunded()
    order = sorted(fields)
    before = order[order.index("out_biz_no") - 1]
    cut = {k: v for k, v in fields.items() if k != "out_biz_no"}
    cut[before] = f"{fields[before]}&out_biz_no={fields['out_biz_no']}"
    assert joined(cut) == joined(fields)
    return CAPTURE, urlencode(
        {**cut, "sign_type": "RSA2", "sign": signature(joined(fields))}
    ).encode()


def split() -> Forged:
    """A value cut into a field of its own, in the order of the names."""
    fields = paid(subject="bill&total_amount=0.01")
    whole = {**fields, "sign_type": "RSA2", "sign": signature(joined(fields))}
    return CAPTURE, urlencode(whole).encode()


def over_request_text() -> Forged:
    """Signed as a request is signed: sign_type inside."""
    fields = {**paid(), "sign_type": "RSA2"}
    return CAPTURE, urlencode({**fields, "sign": signature(joined(fields))}).encode()


def raw(body: bytes, kind: NoticeKind = CAPTURE) -> Callable[[], Forged]:
    return lambda: (kind, body)


def in_gbk() -> Forged:
    fields = {**paid(), "sign_type": "RSA2"}
    text = "&".join(f"{k}={quote_plus(v.encode('gbk'))}" for k, v in fields.items())
    return CAPTURE, f"{text}&sign={quote_plus(signature(joined(paid())))}".encode()


def message(**changes: str) -> Callable[[], Forged]:
    return lambda: (CAPTURE, form(deposit_back(**changes)))


FORGERIES: dict[str, Callable[[], Forged]] = {
    "empty body": raw(b""),
    "JSON": raw(b'{"notify_type":"trade_status_sync"}'),
    "XML": raw(b"<xml><return_code>SUCCESS</return_code></xml>"),
    "no form": raw(b"success"),
    "bytes that are no text": raw(b"\xff\xfe=1"),
    "escaped bytes that are no UTF-8": added("x=%FF"),
    "65 KiB": raw(b"a=" + b"b" * 66_000),
    "two hundred fields": raw("&".join(f"f{i}=1" for i in range(200)).encode()),
    "no sign": beside(sign="-"),
    "empty sign": beside(sign=""),
    "sign not base64": beside(sign="?!"),
    "sign of zeros": beside(sign=base64.b64encode(bytes(256)).decode()),
    "short sign": beside(sign=base64.b64encode(b"1").decode()),
    "no sign_type": beside(sign_type="-"),
    "the older RSA": beside(sign_type="RSA"),
    "sign_type in small letters": beside(sign_type="rsa2"),
    "stranger's key": by("stranger"),
    "our own key": by("merchant"),
    "sign of another notice": lambda: (
        CAPTURE, form(paid(), sign=signature(joined(paid(out_trade_no="TXOTHER")))),
    ),
    "signed like a request": over_request_text,
    "amount changed": changed("total_amount", "0.01"),
    "number changed": changed("out_trade_no", "TXOTHER"),
    "status changed": changed("trade_status", "TRADE_FINISHED"),
    "buyer changed": changed("buyer_id", "2088000000000001"),
    "a field taken away": changed("gmt_payment", None),
    "a field added": added("refund_fee=86.40"),
    "an empty field added": added("out_biz_no="),
    "a field twice": added("total_amount=86.40"),
    "the sign twice": added("sign=x"),
    "a name with a separator": added("a%26b=1"),
    "a name in capitals": added("Total_amount=1"),
    "a refund that swallowed its number": swallowed,
    "a subject that holds a field": split,
    "another app": told(app_id=OTHER_APP_ID),
    "no app": told(app_id="-"),
    "another seller": told(seller_id=OTHER_PID),
    "no seller": told(seller_id="-"),
    "no notify_id": told(notify_id="-"),
    "notify_id with a blank": told(notify_id="a b"),
    "notify_id without end": told(notify_id="1" * 101),
    "no time": told(notify_time="-"),
    "a time in words": told(notify_time="yesterday"),
    "a month of thirteen": told(notify_time="2026-13-20 10:00:00"),
    "older than the last repetition": lambda: (CAPTURE, form(paid(notify_time=stamp(26.1)))),
    "a year old": lambda: (CAPTURE, form(paid(notify_time=stamp(24 * 365)))),
    "no notify_type": told(notify_type="-"),
    "another notify_type": told(notify_type="servicemarket_order_notify"),
    "no status": told(trade_status="-"),
    "an unheard status": told(trade_status="TRADE_MAYBE"),
    "no number": told(out_trade_no="-"),
    "a number with a slash": told(out_trade_no="TX/1"),
    "no trade_no": told(trade_no="-"),
    "no amount": told(total_amount="-"),
    "amount zero": told(total_amount="0.00"),
    "negative amount": told(total_amount="-86.40"),
    "a third decimal": told(total_amount="86.400"),
    "a third decimal that counts": told(total_amount="86.405"),
    "an exponent": told(total_amount="8.64e1"),
    "a grouped amount": told(total_amount="1,086.40"),
    "full-width digits": told(total_amount="８６.４０"),
    "not a number": told(total_amount="NaN"),
    "a refund above the total": lambda: (CAPTURE, form(refunded(refund_fee="86.41"))),
    "a refund's third decimal": lambda: (CAPTURE, form(refunded(refund_fee="12.501"))),
    "a refund's number with a blank": lambda: (CAPTURE, form(refunded(out_biz_no="RF 1"))),
    "another charset": told(charset="gbk"),
    "GBK inside": in_gbk,
    "another certificate": told(alipay_cert_sn="0" * 32),
    "payment at the agreement address": told(AGREEMENT),
    "payment at the refund address": told(REFUND),
    "refund at the refund address": lambda: (REFUND, form(refunded())),
    "agreement at the payment address": lambda: (CAPTURE, form(signed())),
    "agreement at the refund address": lambda: (REFUND, form(signed())),
    "agreement of another app": agreed(app_id=OTHER_APP_ID),
    "agreement by a stranger": lambda: (AGREEMENT, form(signed(), by="stranger")),
    "agreement without user": agreed(alipay_user_id="-"),
    "agreement, user changed": lambda: (
        AGREEMENT, form(signed(), sign=signature(joined(signed(alipay_user_id=OTHER_PID)))),
    ),
    "agreement without its number": agreed(agreement_no="-"),
    "agreement without ours": agreed(external_agreement_no="-"),
    "agreement without scene": agreed(sign_scene="-"),
    "agreement of another product": agreed(personal_product_code="FUND_TRADE_FAST_PAY_P"),
    "agreement, unheard change": agreed(notify_type="dut_user_move"),
    "agreement signed but TEMP": agreed(status="TEMP"),
    "agreement signed but UNSIGN": agreed(status="UNSIGN"),
    "unsigned but NORMAL": lambda: (AGREEMENT, form(unsigned(status="NORMAL"))),
    "unsigned by our own key": lambda: (AGREEMENT, form(unsigned(), by="merchant")),
    "an old agreement": lambda: (AGREEMENT, form(signed(notify_time=stamp(30)))),
    "message of another kind": message(msg_method="alipay.merchant.tradecomplain.changed"),
    "message without time": message(utc_timestamp="-"),
    "message with a time in words": message(utc_timestamp="now"),
    "message of last week": message(utc_timestamp="1763000000000"),
    "message without content": message(biz_content="-"),
    "message whose content is a list": message(biz_content="[]"),
    "message with a key twice": message(biz_content='{"out_request_no":"A","out_request_no":"B"}'),
    "message without a refund": message(biz_content=f'{{"out_trade_no":"{NUMBER}"}}'),
    "message of another app": message(app_id=OTHER_APP_ID),
    "message at the agreement address": lambda: (AGREEMENT, form(deposit_back())),
}  # fmt: skip


@pytest.mark.proof("T12")
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_notice_is_refused(name: str) -> None:
    kind, body = FORGERIES[name]()
    with pytest.raises(NoticeRefused):
        read(kind, body)


@pytest.mark.proof("T12")
def test_there_are_enough_forgeries() -> None:
    assert len(FORGERIES) >= 80
    assert sum("agreement" in name or "unsigned" in name for name in FORGERIES) >= 15


@pytest.mark.proof("T12")
def test_every_changed_bit_of_a_genuine_notice_is_refused() -> None:
    """Or it says the same: an escape written in another case is the same field."""
    body, plan = form(paid()), read(AGREEMENT, form(signed())).plan_id
    genuine = read(CAPTURE, body)
    assert (genuine.number, plan) == (NUMBER, PLAN_ID)
    for at in range(0, len(body), 7):
        forged = bytearray(body)
        forged[at] ^= 1 << at % 7
        try:
            notice = read(CAPTURE, bytes(forged))
        except NoticeRefused:
            continue
        assert (notice.number, notice.answer) == (genuine.number, genuine.answer)
