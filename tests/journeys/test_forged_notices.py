"""Forged notices over HTTP at a bill that is being paid: refused, noted, and nothing moves.

The test holds the merchant's secrets and, as the vendor, the platform's key: what is refused here
is refused for what it says, not because nobody could sign it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.billing.channels import wechat_vendor as wx
from tests.contracts.wechat_samples import envelope
from tests.fixtures.demo_process import CLIENT, Demo

FEN = 64_08
SCHEME = "WECHATPAY2-SHA256-RSA2048"


@dataclass
class Vendor:
    """The platform as the sandbox runs it, about one order of one merchant."""

    demo: Demo
    known: dict[str, Any]
    key: rsa.RSAPrivateKey
    number: str

    def sign(self, body: bytes, *, age_s: int = 0, key: Any = None) -> dict[str, str]:
        stamp = str(int(self.demo.now().timestamp()) - age_s)
        text = f"{stamp}\nN0NCE\n".encode() + body + b"\n"
        raw = (key or self.key).sign(text, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": "N0NCE",
            "Wechatpay-Signature": base64.b64encode(raw).decode(),
            "Wechatpay-Serial": self.known["platform_public_key_id"],
            "Wechatpay-Signature-Type": SCHEME,
        }

    def paid(self, event: str, **changed: Any) -> bytes:
        """A payment of our order in v3, said to be of `event`."""
        told = {
            "mchid": self.known["mchid"],
            "appid": self.known["appid"],
            "out_trade_no": self.number,
            "transaction_id": "4200009999202611200009999",
            "trade_state": "SUCCESS",
            "success_time": self.demo.now().isoformat(timespec="seconds"),
            "payer": {"openid": "oDemoP0008"},
            "amount": {"total": FEN, "payer_total": FEN, "currency": "CNY"},
            **changed,
        }
        return envelope(wx.sealed_resource(told, secret=self.known["api_v3_key"]), id=event)

    def deducted(self, secret: str = "", **changed: str) -> bytes:
        """A deduction of our order in v2."""
        fields = {
            "return_code": "SUCCESS",
            "result_code": "SUCCESS",
            "appid": self.known["appid"],
            "mch_id": self.known["mchid"],
            "nonce_str": "N0NCE",
            "trade_state": "SUCCESS",
            "total_fee": str(FEN),
            "fee_type": "CNY",
            "transaction_id": "4200009999202611200009999",
            "out_trade_no": self.number,
            "time_end": "20261120100000",
            "openid": "oDemoP0008",
            **changed,
        }
        return wx.v2_xml({**fields, "sign": wx.v2_sign(fields, secret=secret or self.secret)})

    @property
    def secret(self) -> str:
        return str(self.known["api_v2_key"])


def vendor_of(demo: Demo, invoice_no: str) -> Vendor:
    path = demo.var / "sandbox" / "wechat_pay.json"
    pem = demo.query("SELECT private_key FROM wechat_pay_house", sandbox=True)[0][0]
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    query = "SELECT t.number FROM billing_paymenttransaction t JOIN billing_payment p "
    query += "ON p.id = t.payment_id JOIN billing_invoice i ON i.id = p.invoice_id "
    query += "WHERE i.invoice_no = %s"
    number = demo.query(query, invoice_no)[0][0]
    return Vendor(demo, json.loads(path.read_text(encoding="utf8")), key, number)


def tell(
    demo: Demo, body: bytes, headers: dict[str, str] | None = None, to: str = "1900000001/capture"
) -> httpx.Response:
    address = f"{demo.portal}/notices/wechat_pay/{to}"
    return CLIENT.post(address, content=body, headers=headers or {})


Forged = tuple[str, bytes, dict[str, str], str]


def v3(vendor: Vendor) -> Iterator[Forged]:
    good, home = vendor.paid("EVFORGED"), "1900000001/capture"
    signed = vendor.sign(good)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    probe = "WECHATPAY/SIGNTEST/" + base64.b64encode(b"x" * 256).decode()
    yield "unsigned", good, {}, home
    for name in signed:
        if name != "Wechatpay-Signature-Type":
            yield f"without {name}", good, {k: v for k, v in signed.items() if k != name}, home
    yield "foreign key", good, vendor.sign(good, key=stranger), home
    yield "unknown serial", good, {**signed, "Wechatpay-Serial": "PUB_KEY_ID_1"}, home
    yield "probe", good, {**signed, "Wechatpay-Signature": probe}, home
    yield "old", good, vendor.sign(good, age_s=301), home
    yield "of tomorrow", good, vendor.sign(good, age_s=-301), home
    yield "changed body", good.replace(b"\xe6\x94\xaf", b"\xe6\x94\xb0"), signed, home
    other = vendor.paid("EVFORGED", mchid="1900000002")
    yield "another merchant", other, vendor.sign(other), home
    app = vendor.paid("EVFORGED", appid="wx0000000000000000")
    yield "another app", app, vendor.sign(app), home
    yield "told to another merchant", good, signed, "1900000002/capture"
    yield "told to nobody", good, signed, "1900000999/capture"
    nobody = vendor.paid("EVNOBODY", out_trade_no="TX0000000000000000000000000000")
    yield "unknown order", nobody, vendor.sign(nobody), home
    yield "no notice", b"{}", vendor.sign(b"{}"), home
    yield "no such kind", good, signed, "1900000001/present"


def v2(vendor: Vendor) -> Iterator[Forged]:
    home, good = "1900000001/capture", vendor.deducted()
    yield "v2 unsigned", good.split(b"<sign>")[0] + b"</xml>", {}, home
    yield "v2 foreign secret", vendor.deducted(secret="0" * 32), {}, home
    yield "v2 changed", good.replace(str(FEN).encode(), b"1"), {}, home
    yield "v2 another merchant", vendor.deducted(mch_id="1900000002"), {}, home
    yield "v2 another app", vendor.deducted(appid="wx0"), {}, home
    yield "v2 told to another merchant", good, {}, "1900000002/capture"
    yield "v2 bomb", b'<!DOCTYPE x [<!ENTITY a "b">]>' + good, {}, home
    yield "v2 empty", b"<xml></xml>", {}, home


def counts(demo: Demo) -> tuple[int, int]:
    """Refusals noted, and moves of anything."""
    refused = "SELECT count(*) FROM core_auditevent WHERE action = 'notice_refused'"
    moved = "SELECT count(*) FROM core_statechange"
    return demo.query(refused)[0][0], demo.query(moved)[0][0]


def test_forged_notices_move_nothing(demo: Demo) -> None:
    # Given a bill whose deduction the channel has not ended
    demo.fault("capture", "never_final", times=1)
    bill = demo.bill("P0008", FEN)
    assert demo.collect(bill.number, wait_s=1)["result"] == "processing"
    vendor = vendor_of(demo, bill.number)
    had = demo.act("payer", "show_wallet", "oDemoP0008")["balance_fen"]
    noted, moved = counts(demo)

    # When others say that it is paid, then each is refused in the channel's words
    forged = [*v3(vendor), *v2(vendor)]
    for what, body, headers, to in forged:
        answer = tell(demo, body, headers, to)
        assert (what, 400 <= answer.status_code < 500) == (what, True), answer.status_code
        assert b"SUCCESS" not in answer.content, what
    # And nothing moved; all but the unknown order (kept for a person) and kind left a trace
    assert counts(demo) == (noted + len(forged) - 2, moved)
    assert demo.invoice(bill.number)["status"] == "COLLECTING"

    # When the platform itself names another sum, then it is kept for a person and moves nothing
    less = vendor.paid("EVLESS", amount={"total": 1, "payer_total": 1, "currency": "CNY"})
    foreign = vendor.paid("EVUSD", amount={"total": FEN, "payer_total": FEN, "currency": "USD"})
    for body in (less, foreign):
        assert tell(demo, body, vendor.sign(body)).status_code == 200
    asked = "SELECT count(*) FROM billing_billingreview r JOIN billing_paymenttransaction t "
    asked += "ON t.id = r.transaction_id WHERE t.number = %s"
    assert demo.until(lambda: demo.query(asked, vendor.number)[0][0])
    assert demo.invoice(bill.number)["paid_fen"] == 0

    # And when the channel ends it, the bill is paid once
    demo.control("DELETE", "faults")
    assert demo.until(lambda: demo.invoice(bill.number)["status"] == "PAID")
    assert had - demo.act("payer", "show_wallet", "oDemoP0008")["balance_fen"] == FEN
    demo.books_agree()
