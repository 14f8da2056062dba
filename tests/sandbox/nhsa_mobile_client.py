"""The mobile pay envelope from the hospital's side, with other libraries than the sandbox's."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.nhsa_client import ADULT, AT, SERVICE


def sm4(key: bytes, data: bytes) -> bytes:
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    return cipher.update(padder.update(data) + padder.finalize()) + cipher.finalize()


def unsm4(key: bytes, data: bytes) -> bytes:
    cipher = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(cipher.update(data) + cipher.finalize()) + unpadder.finalize()


def session_key(app_id: str, secret: str) -> bytes:
    return sm4(app_id[:16].encode(), secret.encode()).hex().upper()[:16].encode()


def text_of(outer: dict[str, Any], secret: str) -> str:
    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: kept(v) for k, v in value.items() if kept(v) not in (None, "", [])}
        return [kept(one) for one in value] if isinstance(value, list) else value

    parts = []
    for name, value in sorted(outer.items()):
        if name in ("signData", "encData", "extra") or value in (None, "", []):
            continue
        parts.append(f"{name}={worded(kept(value))}")
    return "&".join([*parts, f"key={secret}"])


def worded(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return str(value).lower() if isinstance(value, bool) else str(value)


def sign(private: bytes, public: bytes, text: str) -> str:
    r, s = decode_dss_signature(gmssl_pyx.sm2_sign(private, public, text.encode()))
    return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()


def genuine(public: bytes, text: str, signature: str) -> bool:
    raw = base64.b64decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    return gmssl_pyx.sm2_verify(public, text.encode(), der)


@dataclass
class MobileHospital:
    sandbox: Sandbox

    @property
    def own(self) -> dict[str, Any]:
        return self.sandbox.nhsa["mobile"]

    def key(self) -> bytes:
        return session_key(self.own["app_id"], self.own["app_secret"])

    def sealed(self, data: dict[str, Any], **other: Any) -> dict[str, Any]:
        now = datetime.fromisoformat(self.sandbox.control("GET", "clock")["now"])
        outer = {
            "appId": self.own["app_id"],
            "encType": "SM4",
            "signType": "SM2",
            "timestamp": str(int(now.timestamp() * 1000)),
            "version": "2.0.1",
        } | other
        private = base64.b64decode(self.own["private_key"])
        public = public_of(private)
        text = text_of(outer | {"data": data}, self.own["app_secret"])
        raw = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        return outer | {
            "encData": sm4(self.key(), raw).hex().upper(),
            "signData": sign(private, public, text),
        }

    def post(self, name: str, data: dict[str, Any], **other: Any) -> dict[str, Any]:
        url = f"{self.own['base_url']}/org/local/api/hos/{name}"
        return CLIENT.post(url, json=self.sealed(data, **other)).json()

    def opened(self, outer: dict[str, Any]) -> dict[str, Any]:
        data = json.loads(unsm4(self.key(), bytes.fromhex(outer["encData"])))
        text = text_of(outer | {"data": data}, self.own["app_secret"])
        public = base64.b64decode(self.own["platform_public_key"])[-64:]
        assert genuine(public, text, outer["signData"])
        return data

    def ok(self, name: str, data: dict[str, Any]) -> dict[str, Any]:
        outer = self.post(name, data)
        assert outer["code"] == "0", outer
        return self.opened(outer)

    def refused(self, name: str, data: dict[str, Any], **other: Any) -> str:
        outer = self.post(name, data, **other)
        assert outer["code"] != "0" and not outer["success"]
        assert "encData" not in outer
        return outer["message"]

    def fees(self, psn_no: str, number: str, auth: str, yuan: str = "100.00") -> dict[str, Any]:
        """6201 with everything a visit needs."""
        return {
            "orgCodg": "H33030000001",
            "psnNo": psn_no,
            "insutype": "310",
            "medOrgOrd": number,
            "begntime": AT,
            "idNo": ADULT,
            "userName": "王芳",
            "idType": "01",
            "payAuthNo": auth,
            "iptOtpNo": f"OP{number}",
            "atddrNo": "D330300000001",
            "drName": "李医生",
            "deptCode": "A03",
            "deptName": "内科",
            "caty": "A03",
            "medType": "11",
            "feeType": "01",
            "medfeeSumamt": yuan,
            "acctUsedFlag": "1",
            "psnSetlway": "01",
            "chrgBchno": "B1",
            "diseinfoList": [
                {
                    "diagType": "1",
                    "diagSrtNo": "1",
                    "diagCode": "J00.x00",
                    "diagName": "急性鼻咽炎［感冒］",
                    "diagDept": "A03",
                    "diseDorNo": "D330300000001",
                    "diseDorName": "李医生",
                    "diagTime": AT,
                    "valiFlag": "1",
                }
            ],
            "feedetailList": [
                {
                    "feedetlSn": f"F{number}",
                    "feeOcurTime": AT,
                    "medListCodg": SERVICE,
                    "medinsListCodg": "own",
                    "detItemFeeSumamt": yuan,
                    "cnt": "10",
                    "pric": f"{float(yuan) / 10:.2f}",
                }
            ],
        }


def public_of(private: bytes) -> bytes:
    """The point of a private key, by plain arithmetic on the curve."""
    p = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
    x = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
    y = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
    total: tuple[int, int] | None = None
    double, left = (x, y), int.from_bytes(private, "big")
    while left:
        if left & 1:
            total = double if total is None else _add(total, double, p)
        double = _add(double, double, p)
        left >>= 1
    assert total is not None
    return total[0].to_bytes(32, "big") + total[1].to_bytes(32, "big")


def _add(one: tuple[int, int], other: tuple[int, int], p: int) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, other
    if one == other:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, p)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, p)
    x = (slope * slope - x1 - x2) % p
    return x, (slope * (x1 - x) - y1) % p
