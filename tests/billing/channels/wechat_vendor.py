"""WeChat Pay as the tests play it: its keys, its signatures, and a server of scripted raw answers.

Written from the protocol, not from the adapter: nothing of the adapter's signing is used here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from billing.channels.base import MerchantAccount
from core import clock

MCHID, APPID = "1900000109", "wxd678efh567hg6787"
OTHER_MCHID, OTHER_APPID = "1900000999", "wx0000000000000000"
KEY_ID, OLD_KEY_ID = "PUB_KEY_ID_0116000001", "PUB_KEY_ID_0115000001"
API_V3_KEY, API_V2_KEY = "0123456789abcdef0123456789ABCDEF", "192006250b4c09247ec02edce69f6a2d"
SCHEME = "WECHATPAY2-SHA256-RSA2048"
NUMBER, REFUND_NUMBER, CHANNEL_NO = "TX20261120A0001", "RF20261120A0001", "4200001234202611200001"
CONTRACT_ID, PLAN_ID, CONTRACT_CODE = "Wx15463511252015071056489715", "100001", "AG20261120A0001"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
AMOUNT = 8640


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """A key of this name, one per run: platform, previous, merchant, stranger."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(name: str) -> str:
    return (
        key(name)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def public_pem(name: str) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key(name).public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def account(base_url: str = "http://127.0.0.1:9", **secrets: str) -> MerchantAccount:
    named = {
        "merchant_private_key": private_pem("merchant"),
        "merchant_serial": "5F3A7B",
        "platform_public_key": public_pem("platform"),
        "platform_public_key_id": KEY_ID,
        "previous_platform_public_key": public_pem("previous"),
        "previous_platform_public_key_id": OLD_KEY_ID,
        "api_v3_key": API_V3_KEY,
        "api_v2_key": API_V2_KEY,
        "base_url_tls": base_url,
        **secrets,
    }
    return MerchantAccount(
        channel="wechat_pay",
        merchant_no=MCHID,
        app_id=APPID,
        base_url=base_url,
        notify_base_url="https://pay.hospital.example",
        secrets=MappingProxyType(named),
    )


def signature(text: bytes, *, by: str = "platform") -> str:
    raw = key(by).sign(text, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(raw).decode()


def v3_headers(
    body: bytes, *, by: str = "platform", serial: str = KEY_ID, age_s: int = 0
) -> dict[str, str]:
    stamp = str(int(clock.now().timestamp()) - age_s)
    nonce = os.urandom(16).hex()
    text = stamp.encode() + b"\n" + nonce.encode() + b"\n" + body + b"\n"
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature(text, by=by),
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature-Type": SCHEME,
    }


def raw_answer(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def v3_answer(status: int, data: object = None, **how: object) -> bytes:
    """A signed v3 answer; `data` may be raw bytes."""
    body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
    return raw_answer(status, body, v3_headers(body, **how))  # type: ignore[arg-type]


def v3_error(status: int, code: str) -> bytes:
    return v3_answer(status, {"code": code, "message": "见错误码"})


def v2_sign(fields: Mapping[str, str], *, secret: str = API_V2_KEY, kind: str = "MD5") -> str:
    names = sorted(name for name in fields if name != "sign" and fields[name] != "")
    text = "".join(f"{name}={fields[name]}&" for name in names) + "key=" + secret
    if kind == "HMAC-SHA256":
        return hmac.new(secret.encode(), text.encode(), "sha256").hexdigest().upper()
    return hashlib.md5(text.encode()).hexdigest().upper()


def v2_xml(fields: Mapping[str, str], root: str = "xml") -> bytes:
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return f"<{root}>{inner}</{root}>".encode()


def v2_body(kind: str = "MD5", **fields: str) -> bytes:
    """A signed v2 document of this merchant."""
    whole = {
        "return_code": "SUCCESS",
        "result_code": "SUCCESS",
        "appid": APPID,
        "mch_id": MCHID,
        "nonce_str": "5K8264ILTKCH16CQ",
        **fields,
    }
    whole = {name: value for name, value in whole.items() if value != "-"}
    return v2_xml({**whole, "sign": v2_sign(whole, kind=kind)})


def v2_answer(**fields: str) -> bytes:
    return raw_answer(200, v2_body(**fields), {"Content-Type": "text/xml"})


def v2_error(code: str) -> bytes:
    return v2_answer(result_code="FAIL", err_code=code, err_code_des="见错误码")


def sealed_resource(plain: object, *, secret: str = API_V3_KEY, aad: str = "transaction") -> dict:
    text = plain if isinstance(plain, bytes) else json.dumps(plain, ensure_ascii=False).encode()
    nonce = os.urandom(6).hex()
    cipher = AESGCM(secret.encode()).encrypt(nonce.encode(), text, aad.encode())
    return {
        "original_type": aad,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(cipher).decode(),
        "associated_data": aad,
        "nonce": nonce,
    }


def sealed_req_info(fields: Mapping[str, str], *, secret: str = API_V2_KEY) -> str:
    plain = v2_xml(fields, "root")
    pad = 16 - len(plain) % 16
    aes = algorithms.AES(hashlib.md5(secret.encode()).hexdigest().encode())
    encryptor = Cipher(aes, modes.ECB()).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad)).decode()


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Vendor:
    """A server on a real socket: answers with the scripted bytes, one per request, last repeats."""

    script: list[bytes | Callable[[Received], bytes]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, received: Received) -> bytes:
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.received.append(received)
        return step(received) if callable(step) else step

    def start(self) -> None:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                seen = Received(
                    self.command, self.path, dict(self.headers), self.rfile.read(length)
                )
                self.wfile.write(vendor.answer(seen))
                self.close_connection = True

            do_GET = do_POST

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()
