"""An independent oracle: the public package python-alipay-sdk agrees with our signatures."""

from __future__ import annotations

import json
import random
from urllib.parse import parse_qsl

import pytest
from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException, AliPayValidationError

from billing.channels.alipay.certificates import certificate_sn, root_sn
from billing.channels.alipay.envelope import envelope_read
from billing.channels.alipay.gateway import reply_believe, signed_fields
from billing.channels.alipay.signing import notice_text
from billing.channels.base import ChannelAnswer, NoticeRefused
from core.rsa2 import SignatureRefused, request_text, rsa2_sign, rsa2_verify
from tests.billing.channels.wechat_vendor import key, private_pem, public_pem
from tests.contracts.alipay_samples import (
    APP_ID,
    CAPTURE,
    NUMBER,
    account,
    certificate,
    form,
    paid,
    read,
    signature,
)

MESSAGES = 1_200
ALPHABET = "abcXYZ019 %&=?/:;,.\"'\\{}[]\n\t门诊缴费测试医院¥€😀é"
METHOD = "alipay.trade.query"
RESPONSE = "alipay_trade_query_response"


@pytest.fixture(scope="module")
def merchant() -> AliPay:
    """Signs with our key, believes the platform."""
    return AliPay(APP_ID, None, private_pem("merchant"), public_pem("platform"), "RSA2")


@pytest.fixture(scope="module")
def platform() -> AliPay:
    """The other way round: signs as the platform would."""
    return AliPay(APP_ID, None, private_pem("platform"), public_pem("merchant"), "RSA2")


def random_text(rng: random.Random, longest: int) -> str:
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(longest)))


def random_fields(rng: random.Random) -> dict[str, str]:
    names = rng.sample(["subject", "total_amount", "a1", "zz", "body", "out_trade_no", "sign_x"], 4)
    return {name: random_text(rng, 60) or "x" for name in names}


def test_our_request_signature_is_the_oracles(merchant: AliPay) -> None:
    """Deterministic RSA: the same parameters give the same sign, byte for byte."""
    rng = random.Random(20261120)
    for _ in range(MESSAGES):
        fields = random_fields(rng) | {"sign_type": "RSA2", "app_id": APP_ID}
        theirs = dict(parse_qsl(merchant.sign_data(dict(fields)), keep_blank_values=True))
        assert rsa2_sign(key("merchant"), request_text(fields)) == theirs["sign"]


def test_a_whole_request_verifies_at_the_oracle(platform: AliPay) -> None:
    content = {"out_trade_no": NUMBER, "subject": '{"a":"}{"} 市医院／'}
    fields = signed_fields(account(), method=METHOD, content=content)
    sign = fields.pop("sign")
    text = "&".join(f"{k}={v}" for k, v in sorted(fields.items()))
    assert platform._verify(text, sign)
    assert not platform._verify(text + " ", sign)


def test_the_oracle_verifies_what_we_sign_and_refuses_one_changed_bit(platform: AliPay) -> None:
    rng = random.Random(7)
    for _ in range(MESSAGES):
        text = random_text(rng, 300)
        sign = rsa2_sign(key("merchant"), text.encode())
        assert platform._verify(text, sign)
        assert not platform._verify(text + " ", sign)


def test_we_verify_what_the_oracle_signs_and_refuse_one_changed_bit(platform: AliPay) -> None:
    rng = random.Random(11)
    keys = [key("platform").public_key()]
    for _ in range(MESSAGES):
        text = random_text(rng, 300) or "x"
        sign = platform._sign(text)
        rsa2_verify(keys, text.encode(), sign)
        changed = bytearray(text.encode())
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        with pytest.raises(SignatureRefused):
            rsa2_verify(keys, bytes(changed), sign)


def test_notices_the_oracle_believes_are_those_we_believe(merchant: AliPay) -> None:
    rng = random.Random(13)
    for _ in range(200):
        fields = paid(subject=random_text(rng, 80).replace("&", "＆"), out_trade_no=NUMBER)
        body = form(fields, by=rng.choice(["platform", "stranger"]))
        seen = dict(parse_qsl(body.decode(), keep_blank_values=True))
        sign = seen.pop("sign")
        believed = merchant.verify(seen, sign)
        try:
            assert read(CAPTURE, body).number == NUMBER
            assert believed
        except NoticeRefused:
            assert not believed
    assert notice_text({"b": "1", "a": "", "sign": "x", "sign_type": "RSA2"}) == b"a=&b=1"


def test_replies_read_the_same_through_the_oracle(merchant: AliPay) -> None:
    """Given replies with escaped slashes and odd texts, both cut out the same signed text."""
    rng = random.Random(17)
    same = 0
    for _ in range(MESSAGES):
        data = {"code": "10000", "subject": random_text(rng, 80), "out_trade_no": NUMBER}
        raw = json.dumps(data, ensure_ascii=rng.random() < 0.5).replace("/", "\\/")
        body = f'{{"{RESPONSE}":{raw},"sign":"{signature(raw.encode())}"}}'
        envelope = envelope_read(body.encode(), method=METHOD)
        assert (envelope.signed.decode(), envelope.data) == (raw, data)
        assert not isinstance(reply_believe(account(), body.encode(), method=METHOD), ChannelAnswer)
        try:
            theirs = merchant._verify_and_return_sync_response(body, RESPONSE)
        except (AliPayValidationError, AliPayException, json.JSONDecodeError):
            # The oracle counts braces without reading strings; only then may it fail.
            assert "{" in data["subject"] or "}" in data["subject"]
            continue
        assert theirs == data
        same += 1
    assert same > MESSAGES // 8


def test_certificate_serials_are_the_oracles() -> None:
    pem = certificate("merchant")
    assert certificate_sn(pem) == DCAliPay.get_cert_sn(pem)
    roots = certificate("issuer") + "\n" + certificate("platform")
    assert root_sn(roots) == DCAliPay.get_root_cert_sn(roots)
    assert root_sn(roots).count("_") == 1
