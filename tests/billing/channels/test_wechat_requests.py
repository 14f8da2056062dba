"""What we send: signed as the channel demands, with the fields it names and no others' data."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.core.exceptions import ImproperlyConfigured

from billing.channels.base import AgreementOrder, MerchantAccount, Mode
from billing.channels.wechat_pay import WechatPay
from billing.channels.wechat_pay.texts import text_cut
from billing.channels.wechat_pay.v2_xml import XmlRefused, fields_read, fields_write
from core import clock
from core.outcomes import Outcome
from tests.billing.channels import wechat_vendor as wx
from tests.billing.channels.wechat_orders import (
    call,
    capture_order,
    deduction,
    reference,
    refund_object,
    transaction,
)
from tests.billing.channels.wechat_vendor import Received, Vendor, v2_error, v3_answer

NOTICES = f"https://pay.hospital.example/notices/wechat_pay/{wx.MCHID}"


def v3_verified(seen: Received) -> dict[str, str]:
    """The Authorization items of a request whose signature is good."""
    scheme, _, rest = seen.headers["Authorization"].partition(" ")
    items = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    text = f"{seen.method}\n{seen.path}\n{items['timestamp']}\n{items['nonce_str']}\n".encode()
    wx.key("merchant").public_key().verify(
        base64.b64decode(items["signature"]),
        text + seen.body + b"\n",
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
    assert scheme == wx.SCHEME
    assert int(items["timestamp"]) == int(clock.now().timestamp())
    return items


@pytest.mark.django_db
def test_native_order(vendor: Vendor) -> None:
    vendor.script = [v3_answer(200, {"code_url": "weixin://wxpay/bizpayurl?pr=a"})]
    found = call("capture", Mode.NATIVE, vendor.url)
    seen = vendor.received[0]
    items = v3_verified(seen)
    assert (items["mchid"], items["serial_no"]) == (wx.MCHID, "5F3A7B")
    assert seen.headers["Wechatpay-Serial"] == wx.KEY_ID
    assert seen.path == "/v3/pay/transactions/native"
    assert json.loads(seen.body) == {
        "appid": wx.APPID,
        "mchid": wx.MCHID,
        "description": "市第一医院 账单 0001",
        "out_trade_no": wx.NUMBER,
        "time_expire": "2026-11-20T10:30:00+08:00",
        "notify_url": f"{NOTICES}/capture",
        "amount": {"total": 8640, "currency": "CNY"},
    }
    assert found.action is not None
    assert (found.action.type, found.action.value) == ("qr", "weixin://wxpay/bizpayurl?pr=a")
    assert found.action.expires_at == clock.now() + timedelta(minutes=30)


@pytest.mark.django_db
def test_h5_link_lives_five_minutes(vendor: Vendor) -> None:
    vendor.script = [v3_answer(200, {"h5_url": "https://wx.tenpay.example/h5?p=1"})]
    found = call("capture", Mode.H5, vendor.url)
    sent = json.loads(vendor.received[0].body)
    assert sent["scene_info"] == {"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}}
    assert found.action is not None
    assert found.action.type == "url"
    assert found.action.expires_at == clock.now() + timedelta(minutes=5)


@pytest.mark.django_db
@pytest.mark.parametrize("link", ["https://wx.tenpay.example/h?p=1", "https://wx.tenpay.example/h"])
def test_h5_link_says_where_the_payer_comes_back_to(vendor: Vendor, link: str) -> None:
    vendor.script = [v3_answer(200, {"h5_url": link})]
    back = "https://pay.hospital.example/p/x/result?a=1&b=2"
    order = capture_order(vendor.url, Mode.H5, return_url=back)
    found = WechatPay().capture(order)
    assert found.action is not None
    assert found.action.value.startswith(f"{link}{'&' if '?' in link else '?'}redirect_url=")
    assert parse_qs(urlsplit(found.action.value).query)["redirect_url"] == [back]


@pytest.mark.django_db
def test_jsapi_order_names_its_payer_and_signs_what_the_page_asks(vendor: Vendor) -> None:
    vendor.script = [v3_answer(200, {"prepay_id": "wx20a"})]
    order = capture_order(vendor.url, Mode.JSAPI, payer_subject=wx.OPENID)
    found = WechatPay().capture(order)

    seen = vendor.received[0]
    sent = json.loads(seen.body)
    assert seen.path == "/v3/pay/transactions/jsapi"
    assert (sent["payer"], "scene_info" in sent) == ({"openid": wx.OPENID}, False)
    assert found.action is not None and found.action.type == "wallet"
    assert found.action.expires_at == clock.now() + timedelta(minutes=30)
    asked = json.loads(found.action.value)
    assert list(asked) == ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"]
    assert (asked["appId"], asked["package"], asked["signType"]) == (
        *(wx.APPID, "prepay_id=wx20a", "RSA"),
    )
    assert asked["timeStamp"] == str(int(clock.now().timestamp()))
    lines = "".join(f"{asked[name]}\n" for name in list(asked)[:4]).encode()
    signature = base64.b64decode(asked["paySign"])
    public = wx.key("merchant").public_key()
    public.verify(signature, lines, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.django_db
def test_jsapi_answer_without_its_number_is_no_payment_page(vendor: Vendor) -> None:
    vendor.script = [v3_answer(200, {})]
    found = WechatPay().capture(capture_order(vendor.url, Mode.JSAPI, payer_subject=wx.OPENID))
    assert (found.outcome, found.code, found.action) == (Outcome.UNKNOWN, "UNREADABLE", None)
    with pytest.raises(ValueError):
        WechatPay().capture(capture_order(vendor.url, Mode.JSAPI))


@pytest.mark.django_db
def test_payment_code_order_names_no_notify_url(vendor: Vendor) -> None:
    vendor.script = [v3_answer(200, transaction())]
    order = capture_order(vendor.url, Mode.SCAN, device="window3")
    found = WechatPay().capture(order)
    sent = json.loads(vendor.received[0].body)
    assert "notify_url" not in sent
    assert sent["scene_info"] == {"store_info": {"out_id": wx.MCHID}, "device_id": "window3"}
    assert found.payer_id == wx.OPENID


@pytest.mark.parametrize(
    "code", ["", "1300123456789012", "280012345678901234", "13001234567890123x"]
)
def test_a_scanned_code_that_is_no_payment_code_is_not_sent(code: str) -> None:
    """No database, no server: nothing leaves."""
    found = WechatPay().capture(capture_order("http://127.0.0.1:9", Mode.SCAN, auth_code=code))
    assert (found.outcome, found.code) == (Outcome.DECLINED, "AUTH_CODE_INVALID")
    assert found.executed is False


@pytest.mark.django_db
def test_refund_keeps_its_number_and_names_the_whole(vendor: Vendor) -> None:
    vendor.script = [v3_answer(200, refund_object("PROCESSING"))]
    call("refund", Mode.NATIVE, vendor.url)
    call("refund", Mode.NATIVE, vendor.url)
    first, second = (json.loads(seen.body) for seen in vendor.received)
    assert first == second
    assert first["out_refund_no"] == wx.REFUND_NUMBER
    assert first["amount"] == {"refund": 1250, "total": 8640, "currency": "CNY"}
    assert first["notify_url"] == f"{NOTICES}/refund"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["MD5", "HMAC-SHA256"])
def test_deduction_is_signed_as_agreed(kind: str, vendor: Vendor) -> None:
    vendor.script = [wx.raw_answer(200, wx.v2_body(kind))]
    account = wx.account(vendor.url, sign_type=kind)
    order = capture_order(vendor.url, Mode.AGREEMENT, merchant=account)
    assert WechatPay().capture(order).code == "ACCEPTED"
    sent = fields_read(vendor.received[0].body)
    assert sent["sign"] == wx.v2_sign(sent, kind=kind)
    assert sent.get("sign_type", "MD5") == kind
    assert (sent["contract_id"], sent["trade_type"]) == (wx.CONTRACT_ID, "PAP")
    assert (sent["total_fee"], sent["notify_url"]) == ("8640", f"{NOTICES}/capture")


@pytest.mark.django_db
def test_a_closed_deduction_is_found_by_the_general_query(vendor: Vendor) -> None:
    vendor.script = [v2_error("ORDERNOTEXIST"), deduction("CLOSED")]
    found = call("query", Mode.AGREEMENT, vendor.url)
    assert [seen.path for seen in vendor.received] == ["/pay/paporderquery", "/pay/orderquery"]
    assert (found.outcome, found.closed) == (Outcome.DECLINED, True)


@pytest.mark.django_db
def test_a_lost_second_query_is_no_absence(vendor: Vendor) -> None:
    vendor.script = [v2_error("ORDERNOTEXIST"), b""]
    found = call("query", Mode.AGREEMENT, vendor.url)
    assert (found.outcome, found.executed) == (Outcome.UNKNOWN, None)


def test_sign_link_is_signed_over_plain_values() -> None:
    order = AgreementOrder(
        wx.account("https://wx.example"), wx.CONTRACT_CODE, wx.PLAN_ID, "张*&change_type=ADD", ""
    )
    url = urlsplit(WechatPay().sign_url(order))
    sent = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.path == "/papay/entrustweb"
    assert sent["sign"] == wx.v2_sign(sent)
    assert sent["notify_url"] == f"{NOTICES}/agreement"
    assert sent["request_serial"].isdecimal()
    assert sent["contract_display_account"] == "张" + "*" * 16 + "D"


@pytest.mark.parametrize(
    "verb, mode",
    [
        ("capture", Mode.CASH),
        ("close", Mode.SCAN),
        ("reverse", Mode.NATIVE),
        ("reverse", Mode.AGREEMENT),
    ],
)
def test_a_verb_the_mode_does_not_have_is_a_programming_error(verb: str, mode: Mode) -> None:
    with pytest.raises(ValueError):
        call(verb, mode, "http://127.0.0.1:9")


@pytest.mark.parametrize("name", ["merchant_private_key", "api_v3_key", "platform_public_key_id"])
def test_a_missing_secret_is_a_configuration_error(name: str) -> None:
    broken = wx.account("http://127.0.0.1:9", **{name: ""})
    with pytest.raises(ImproperlyConfigured):
        if name == "api_v3_key":
            WechatPay().parse_notice("capture", *notice_of(broken))  # type: ignore[arg-type]
        WechatPay().query(reference_of(broken))


def notice_of(account: MerchantAccount) -> tuple[dict[str, str], bytes, MerchantAccount]:
    body = json.dumps(
        {"id": "E", "resource_type": "encrypt-resource", "resource": wx.sealed_resource({})}
    ).encode()
    return wx.v3_headers(body), body, account


def reference_of(account: MerchantAccount) -> object:
    known = reference(account.base_url, Mode.NATIVE)
    return type(known)(account, known.number, known.mode, known.amount_fen)


@pytest.mark.parametrize(
    "text, limit, cut",
    [("市第一医院", 7, "市第"), ("a&b\n\tc", 9, "a＆bc"), ("", 3, ""), ("x" * 200, 127, "x" * 127)],
)
def test_texts_are_cut_by_bytes(text: str, limit: int, cut: str) -> None:
    assert text_cut(text, limit) == cut


def test_xml_goes_there_and_back() -> None:
    fields = {"a": "<&>\"'", "b": "门诊]]>", "empty": ""}
    assert fields_read(fields_write(fields)) == {"a": "<&>\"'", "b": "门诊]]>"}


@pytest.mark.parametrize("fields", [{"a b": "1"}, {"a": "\x00"}, {"1a": "x"}])
def test_xml_refuses_to_write_what_it_cannot_carry(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        fields_write(fields)


@pytest.mark.parametrize("body", [b"", b"<xml>", b"<xml/>x", b"\xff", b"<xml>text</xml>"])
def test_xml_refuses_to_read_what_is_not_flat(body: bytes) -> None:
    with pytest.raises(XmlRefused):
        fields_read(body)
