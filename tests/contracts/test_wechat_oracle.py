"""An independent oracle: the public package wechatpayv3 agrees with our signatures and notices."""

from __future__ import annotations

import base64
import json
import random
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from wechatpayv3.core import Core
from wechatpayv3.utils import aes_decrypt, build_authorization, rsa_verify

from billing.channels.base import NoticeKind
from billing.channels.wechat_pay import WechatPay
from billing.channels.wechat_pay.v3_signing import (
    authorization_header,
    message_verify,
    nonce_new,
    request_text,
    resource_open,
)
from core import clock
from core.rsa2 import SignatureRefused, rsa2_sign
from tests.billing.channels import wechat_vendor as wx

MESSAGES = 1_200
ALPHABET = "abcXYZ019 %&=?/:;,.\"'\\{}[]\n\t门诊缴费测试医院¥€😀é"


def random_text(rng: random.Random, longest: int) -> str:
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(longest)))


def random_request(rng: random.Random) -> tuple[str, str, str]:
    """Method, target and body: empty bodies, Chinese, query strings, odd characters."""
    method = rng.choice(["GET", "POST", "POST", "DELETE"])
    query = rng.choice(["", "?mchid=1900000109", "?a=%E9%97%A8&b=%7B%22k%22%3A1%7D", "?x="])
    path = "/v3/pay/transactions/out-trade-no/" + "".join(rng.choices("AZ09az-_*", k=12))
    body = "" if method == "GET" else json.dumps({"t": random_text(rng, 200)}, ensure_ascii=False)
    return method, path + query, rng.choice([body, body, ""])


def test_our_request_signature_is_the_oracles() -> None:
    """Deterministic RSA: the same request gives the same Authorization header, byte for byte."""
    rng = random.Random(20261120)
    private = wx.key("merchant")
    for _ in range(MESSAGES):
        method, target, body = random_request(rng)
        nonce = nonce_new()
        theirs = build_authorization(
            target, method, wx.MCHID, "5F3A7B", private, data=body, nonce_str=nonce
        )
        stamp = int(re.search(r'timestamp="(\d+)"', theirs).group(1))
        ours = authorization_header(
            merchant_no=wx.MCHID,
            serial="5F3A7B",
            key=private,
            method=method,
            target=target,
            timestamp=stamp,
            nonce=nonce,
            body=body.encode(),
        )
        assert ours == theirs


def test_the_oracle_verifies_what_we_sign_and_refuses_one_changed_bit() -> None:
    rng = random.Random(7)
    public = wx.key("merchant").public_key()
    for _ in range(MESSAGES):
        stamp, nonce = str(rng.randrange(10**9, 10**10)), nonce_new()
        body = rng.choice(["", random_text(rng, 300)])
        signed = rsa2_sign(wx.key("merchant"), f"{stamp}\n{nonce}\n{body}\n".encode())
        assert rsa_verify(stamp, nonce, body, signed, public)
        assert not rsa_verify(stamp, nonce, body + " ", signed, public)


def test_we_verify_what_the_oracle_signs_and_refuse_one_changed_bit() -> None:
    rng = random.Random(11)
    oracle = Core(
        wx.MCHID,
        "5F3A7B",
        wx.private_pem("platform"),
        wx.API_V3_KEY,
        public_key=wx.public_pem("platform"),
        public_key_id=wx.KEY_ID,
    )
    keys = {wx.KEY_ID: wx.key("platform").public_key()}
    stamp = str(int(clock.now().timestamp()))
    for _ in range(MESSAGES):
        body, nonce = rng.choice(["", random_text(rng, 300)]), nonce_new()
        headers = {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": wx.KEY_ID,
            "Wechatpay-Signature": oracle.sign([stamp, nonce, body]),
            "Wechatpay-Signature-Type": wx.SCHEME,
        }
        message_verify(headers=headers, body=body.encode(), keys=keys, now=clock.now())
        changed = bytearray(body.encode() or b"\x00")
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        with pytest.raises(SignatureRefused):
            message_verify(headers=headers, body=bytes(changed), keys=keys, now=clock.now())


def test_a_request_text_is_signed_over_its_exact_bytes() -> None:
    text = request_text(method="GET", target="/v3/a?b=%E9", timestamp=1, nonce="N", body=b"")
    assert text == b"GET\n/v3/a?b=%E9\n1\nN\n\n"
    signed = base64.b64decode(rsa2_sign(wx.key("merchant"), text))
    public = wx.key("merchant").public_key()
    public.verify(signed, text, padding.PKCS1v15(), hashes.SHA256())


def test_we_open_the_resources_the_oracle_opens() -> None:
    rng = random.Random(13)
    for _ in range(MESSAGES):
        plain = json.dumps({"t": random_text(rng, 400)}, ensure_ascii=False)
        sealed = wx.sealed_resource(plain.encode(), aad=rng.choice(["", "transaction"]))
        theirs = aes_decrypt(
            sealed["nonce"], sealed["ciphertext"], sealed["associated_data"], wx.API_V3_KEY
        )
        ours = resource_open(
            key=wx.API_V3_KEY.encode(),
            nonce=sealed["nonce"],
            associated_data=sealed["associated_data"],
            ciphertext=sealed["ciphertext"],
        )
        assert ours.decode() == theirs == plain


def test_a_whole_notice_reads_the_same_through_the_oracle() -> None:
    """Given a notice of a paid order, both readers find number, amount and payer."""
    resource = {
        "mchid": wx.MCHID,
        "appid": wx.APPID,
        "out_trade_no": wx.NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "trade_state": "SUCCESS",
        "success_time": "2026-11-20T09:59:58+08:00",
        "payer": {"openid": wx.OPENID},
        "amount": {"total": wx.AMOUNT, "payer_total": wx.AMOUNT, "currency": "CNY"},
        "attach": "门诊",
    }
    envelope = {
        "id": "EV-2026112000001",
        "create_time": "2026-11-20T09:59:59+08:00",
        "event_type": "TRANSACTION.SUCCESS",
        "resource_type": "encrypt-resource",
        "summary": "支付成功",
        "resource": wx.sealed_resource(resource),
    }
    body = json.dumps(envelope, ensure_ascii=False).encode()
    headers = wx.v3_headers(body)
    oracle = Core(
        wx.MCHID,
        "5F3A7B",
        wx.private_pem("merchant"),
        wx.API_V3_KEY,
        public_key=wx.public_pem("platform"),
        public_key_id=wx.KEY_ID,
    )
    theirs = oracle.callback(headers, body)["resource"]
    notice = WechatPay().parse_notice(NoticeKind.CAPTURE, headers, body, wx.account())
    assert notice.number == theirs["out_trade_no"] == wx.NUMBER
    assert notice.answer.amount_fen == theirs["amount"]["total"] == 8640
    assert notice.answer.payer_id == theirs["payer"]["openid"]
    assert notice.answer.channel_no == theirs["transaction_id"]
