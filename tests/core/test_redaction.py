from __future__ import annotations

import json
import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.log_lines import LineFormatter
from core.redaction import BODY_SHOWN_MAX, body_shown, headers_shown, url_shown

ID, PHONE, NAME, OPENID = (
    "11010119900307001X",
    "13812345678",
    "王小明",
    "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
)
SECRETS = (ID, PHONE, NAME, OPENID, "134567890123456789", "s3cr3t")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"payer": {"auth_code": "134567890123456789"}, "out_trade_no": "CA1"}),
        json.dumps({"authCode": "134567890123456789", "Phone_No": PHONE, "a": [{"name": NAME}]}),
        json.dumps({"payer": {"openid": OPENID, "sub_openid": OPENID}}),
        json.dumps({"psn_name": NAME, "certno": ID, "mdtrt_cert_no": ID, "tel": PHONE}),
        json.dumps({"message": f"no account for {ID}, call {PHONE} or +86 {PHONE}"}),
        json.dumps({"biz_content": json.dumps({"auth_code": "134567890123456789", "tel": PHONE})}),
        json.dumps({"name": {"first": NAME}, "key": ["s3cr3t"]}, ensure_ascii=False),
        f"<xml><openid><![CDATA[{OPENID}]]></openid><sign>AB</sign><key>s3cr3t</key></xml>",
        f"<xml><auth_code>134567890123456789</auth_code><attach>{PHONE}</attach></xml>",
        f"<soap:Body><ns:psn_name a='1'>{NAME}</ns:psn_name></soap:Body>",
        f"<a><name><first>{NAME}</first><last/></name><p phone='{PHONE}' name=\"{NAME}\"/></a>",
        f"<xml><detail><![CDATA[{json.dumps({'name': NAME}, ensure_ascii=False)}]]></detail></xml>",
        f"auth_code=134567890123456789&mobile={PHONE}&openid={OPENID}",
        "app_id=1&biz_content=%7B%22auth_code%22%3A%22134567890123456789%22%7D",
        f"refused: {ID} / {PHONE}",
        f'{{"id_card": "{ID}", "broken": ',
        '\ufeff{"token": "s3cr3t"}',
    ],
)  # fmt: skip
def test_nothing_personal_is_shown(body):
    shown = body_shown(body.encode())
    assert shown
    for secret in SECRETS:
        assert secret not in shown


PAYER, CARD, CODE = "2088102169481075", "6222021234567890123", "011Xy2Ga1Kq0h"


@pytest.mark.parametrize(
    "name",
    [
        "user_id", "alipay_user_id", "buyer_id", "buyer_user_id", "principal_id", "payer_user_id",
        "logon_id", "buyer_logon_id", "alipay_logon_id", "external_logon_id", "buyer_open_id",
        "open_id", "openid", "principal_open_id", "psn_no", "memb_psn_no", "certno", "psn_name",
        "ecToken", "mdtrt_cert_no", "card_no", "cardNo", "psn_cert_no", "bank_card_no", "payAuthNo",
        "userName", "idNo", "verify_code", "sms_code", "ecIndexNo", "sign", "signData",
    ],
)  # fmt: skip
def test_who_it_is_about_is_not_shown_by_any_counterpartys_name(name):
    for value in (PAYER, "AbCdEf0123456789", int(PAYER)):
        text = str(value)
        bodies = [
            json.dumps({"data": [{name: value}]}),
            json.dumps({name: [value, {"a": 1}]}),
            json.dumps({"biz_content": json.dumps({name: value})}),
            f"<xml><{name}><![CDATA[{text}]]></{name}></xml>",
            f"app_id=1&{name}={text}",
        ]
        for body in bodies:
            assert text not in body_shown(body.encode()), body
        assert text not in url_shown(f"https://x.test/a?b=1&{name}={text}")


def test_a_sign_in_code_is_not_shown_and_a_code_of_an_answer_is():
    assert url_shown(f"https://x.test/token?appid=wx1&code={CODE}&grant_type=a") == (
        "https://x.test/token?appid=wx1&code=***&grant_type=a"
    )
    assert CODE not in body_shown(f"grant_type=authorization_code&code={CODE}".encode())
    assert json.loads(body_shown(b'{"code": "40004"}')) == {"code": "40004"}


def test_a_signature_that_would_prove_a_guess_is_not_shown_whole():
    shown = headers_shown({"Wechatpay-Signature": "A" * 4 + "B" * 336 + "C" * 4})
    assert shown == {"Wechatpay-Signature": "AAAA...CCCC"}


@pytest.mark.parametrize("card", [CARD, "6222020000000000", "4111111111111111", "378282246310005"])
def test_card_numbers_are_not_shown(card):
    for body in (f"refused: {card}", f'{{"note": "to {card}."}}', f'{{"n": {card}}}'):
        assert card not in body_shown(body.encode())


def test_numbers_that_are_neither_card_nor_phone_stay():
    body = {"trade": "2026112022001409871000001", "ms": 1795140000000, "fen": 8640, "ok": True}
    assert json.loads(body_shown(json.dumps(body).encode())) == body
    assert "1795140000000123" in body_shown(b"at 1795140000000123")
    assert json.loads(body_shown(f'{{"tel_": {PHONE}}}'.encode())) == {"tel_": "***"}


LINK_TOKEN = "s3JhcQ_-7dKyT0aXb5Lw9Zq1RfVnEgUo"


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"data": {"action": {"value": f"https://pay.example/p/{LINK_TOKEN}"}}}),
        json.dumps({"url": f"https://pay.example/p/{LINK_TOKEN}/result"}).replace("/", "\\/"),
        f"url=https%3A%2F%2Fpay.example%2Fp%2F{LINK_TOKEN}&template=bill",
        f"open https://wx.example/?redirect_url=https%3A%2F%2Fpay.example%2Fp%2F{LINK_TOKEN} now",
        f"<xml><url><![CDATA[https://pay.example/p/{LINK_TOKEN}]]></url></xml>",
        f"<xml contract_display_account='{NAME}'><display_name>{NAME}</display_name></xml>",
        f"<xml><contract_display_account><![CDATA[{NAME}]]></contract_display_account></xml>",
    ],
)
def test_a_pay_link_and_the_name_of_a_contract_are_not_shown(body):
    shown = body_shown(body.encode())
    assert "***" in shown
    assert LINK_TOKEN not in shown and NAME not in shown


def test_a_pay_link_is_not_shown_in_an_address():
    assert url_shown(f"https://pay.example/p/{LINK_TOKEN}/result") == (
        "https://pay.example/p/***/result"
    )


def test_what_a_case_needs_stays():
    body = {
        "out_trade_no": "CA20261120100000123ABCDEFGHJKM",
        "transaction_id": "4200001234202611200123456789",
        "amount": {"total": 8640},
        "payer": {"openid": OPENID},
        "trade_state": "SUCCESS",
        "success_time": "2026-11-20T10:00:00+08:00",
        "auth_code": "",
    }
    shown = json.loads(body_shown(json.dumps(body).encode()))
    assert shown.pop("payer") == {"openid": "oUpF...eS6o"}
    body.pop("payer")
    assert shown == body


def test_xml_keeps_numbers():
    shown = body_shown(b"<xml><out_trade_no>CA2026</out_trade_no><total_fee>1</total_fee></xml>")
    assert shown == "<xml><out_trade_no>CA2026</out_trade_no><total_fee>1</total_fee></xml>"


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"a\x00b", b"x" * 300_000])
def test_body_that_cannot_be_read_is_only_measured(body):
    assert re.fullmatch(r"<\d+ bytes, [a-z ]+>", body_shown(body))


def test_long_body_is_cut_after_redaction():
    body = json.dumps({"list": [{"phone": PHONE, "no": i} for i in range(1000)]}).encode()
    shown = body_shown(body)
    assert len(shown) == BODY_SHOWN_MAX
    assert PHONE not in shown


def test_deep_nesting_is_survived():
    assert body_shown(b"[" * 100_000) != ""
    assert PHONE not in body_shown(b'{"a":' * 60 + f'"{PHONE}"'.encode() + b"}" * 60)


def test_urls_and_headers():
    shown = url_shown(
        f"https://u:pw@pay.test/v3/a/{PHONE}/x?appid=wx1&secret=s3cr3t&openid={OPENID}"
    )
    assert shown == "https://pay.test/v3/a/***/x?appid=wx1&secret=***&openid=oUpF...eS6o"
    assert headers_shown({"Authorization": "s3cr3t", "X-Api-Key": "s3cr3t", "Set-Cookie": "s=1",
                          "Request-ID": "r1", "X-Access-Token": "s3cr3t"}) == {
        "Authorization": "***", "X-Api-Key": "***", "Set-Cookie": "***", "Request-ID": "r1",
        "X-Access-Token": "***"}  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(body):
    assert "\x00" not in body_shown(body)


json_values = st.recursive(
    st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@given(json_values)
def test_any_json_is_survived(data):
    body_shown(json.dumps(data).encode())


def test_a_line_of_our_own_log_holds_nothing_of_anybody() -> None:
    # given a library that logs an address, and the fault under it
    line = LineFormatter("{levelname} {message}", style="{")
    try:
        raise ValueError("no such phone 13812345671")
    except ValueError:
        fault = sys.exc_info()
    path = "/p/iBbJi5PGeaM5sBCG2gPj6YM__Kyvqwyx/pay"
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "Not Found: %s", (path,), fault)
    # then neither the link's token nor the phone is in it
    text = line.format(record)
    assert "WARNING Not Found: /p/***" in text
    assert "iBbJi5PG" not in text and "13812345671" not in text


def test_the_settings_write_lines_that_way() -> None:
    assert any(isinstance(one.formatter, LineFormatter) for one in logging.getLogger().handlers)
