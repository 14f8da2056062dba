"""A merchant's client written from the public facts, and the server that receives its notices."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.fixtures.sandbox_process import CLIENT, Sandbox


def xml(fields: dict[str, str]) -> bytes:
    return (
        f"<xml>{''.join(f'<{k}><![CDATA[{v}]]></{k}>' for k, v in fields.items())}</xml>".encode()
    )


def unxml(body: bytes) -> dict[str, str]:
    return {child.tag: child.text or "" for child in ElementTree.fromstring(body)}


def sign_v2(fields: dict[str, str], key: str, how: str = "MD5") -> str:
    pairs = "&".join(f"{k}={fields[k]}" for k in sorted(fields) if k != "sign" and fields[k])
    text = f"{pairs}&key={key}".encode()
    if how == "HMAC-SHA256":
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()
    return hashlib.md5(text).hexdigest().upper()


class Merchant:
    """Signs as the merchant, verifies as the merchant."""

    def __init__(self, sandbox: Sandbox, number: int = 0) -> None:
        self.sandbox = sandbox
        self.known = sandbox.credentials["merchants"][number]
        key = self.known["merchant_private_key"].encode()
        self.key = serialization.load_pem_private_key(key, None)
        public = self.known["platform_public_key"].encode()
        self.platform = serialization.load_pem_public_key(public)

    def now(self) -> float:
        clock = self.sandbox.control("GET", "clock")["now"]
        return datetime.fromisoformat(clock).timestamp()

    def authorization(self, method: str, path: str, body: bytes, **other: str) -> str:
        items = {
            "mchid": self.known["mchid"],
            "nonce_str": secrets.token_hex(16),
            "timestamp": str(int(self.now())),
            "serial_no": self.known["merchant_serial_no"],
        } | other
        text = f"{method}\n{path}\n{items['timestamp']}\n{items['nonce_str']}\n".encode()
        signed = self.key.sign(text + body + b"\n", padding.PKCS1v15(), hashes.SHA256())
        items.setdefault("signature", base64.b64encode(signed).decode())
        return "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{k}="{v}"' for k, v in items.items())

    def v3(self, method: str, path: str, data: Any = None, **other: str) -> httpx.Response:
        body = b"" if data is None else json.dumps(data).encode()
        headers = {
            "Authorization": self.authorization(method, path, body, **other),
            "Content-Type": "application/json",
        }
        url = self.known["base_url"] + path
        answer = CLIENT.request(method, url, content=body, headers=headers)
        if answer.headers.get("Content-Type", "").startswith("application/json"):
            self.verify(answer.headers, answer.content)
        return answer

    def verify(self, headers: Any, body: bytes) -> None:
        stamp, nonce = headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"]
        assert headers["Wechatpay-Signature-Type"] == "WECHATPAY2-SHA256-RSA2048"
        assert headers["Wechatpay-Serial"] == self.known["platform_public_key_id"]
        text = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64decode(headers["Wechatpay-Signature"])
        self.platform.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())

    def order(self, number: str, total: int, **more: Any) -> dict[str, Any]:
        return {
            "appid": self.known["appid"],
            "mchid": self.known["mchid"],
            "description": "门诊缴费",
            "out_trade_no": number,
            "amount": {"total": total, "currency": "CNY"},
        } | more

    def open(self, body: bytes) -> dict[str, Any]:
        """The plain resource of a v3 notice."""
        sealed = json.loads(body)["resource"]
        cipher = AESGCM(self.known["api_v3_key"].encode())
        plain = cipher.decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )
        return json.loads(plain)

    def open_req_info(self, text: str) -> dict[str, str]:
        """The plain part of a v2 refund notice."""
        key = hashlib.md5(self.known["api_v2_key"].encode()).hexdigest().encode()
        decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
        plain = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
        return unxml(plain[: -plain[-1]])

    def signed(self, how: str = "MD5", **fields: str) -> dict[str, str]:
        full = {
            "appid": self.known["appid"],
            "mch_id": self.known["mchid"],
            "nonce_str": secrets.token_hex(16),
        } | fields
        return full | {"sign": sign_v2(full, self.known["api_v2_key"], how)}

    def v2(self, path: str, how: str = "MD5", tls: bool = False, **fields: str) -> dict[str, str]:
        body = xml(self.signed(how, **fields))
        base = self.known["base_url_tls"] if tls else self.known["base_url"]
        client = httpx.Client(verify=self.tls(), timeout=10) if tls else CLIENT
        answer = client.post(base + path, content=body)
        assert answer.status_code == 200, answer
        out = unxml(answer.content)
        if out["return_code"] == "SUCCESS":
            assert out["sign"] == sign_v2(out, self.known["api_v2_key"], how)
        return out

    def tls(self, *, with_certificate: bool = True) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.known["ca"])
        if with_certificate:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(self.known["client_cert"] + self.known["client_key"])
                file.flush()
                context.load_cert_chain(file.name)
        return context

    def wallet(self, balance_fen: int = 1_000_000, **more: Any) -> str:
        made = self.sandbox.act("payer", "create_wallet", "", balance_fen=balance_fen, **more)
        return made["openid"]

    def contract(self, openid: str, plan: int, notify_url: str, code: str = "") -> str:
        """The number of an agreement signed on the phone."""
        terms = {
            "mchid": self.known["mchid"],
            "plan_id": self.known["plans"][plan]["plan_id"],
            "contract_code": code or secrets.token_hex(8),
            "notify_url": notify_url,
        }
        return self.sandbox.act("payer", "sign", openid, **terms)["contract_id"]

    def deduct(self, number: str, total: int, contract_id: str, notify_url: str) -> dict[str, str]:
        return self.v2(
            "/pay/pappayapply",
            body="门诊缴费",
            out_trade_no=number,
            total_fee=str(total),
            contract_id=contract_id,
            notify_url=notify_url,
            trade_type="PAP",
            spbill_create_ip="127.0.0.1",
        )


@dataclass
class Received:
    path: str
    headers: Any
    body: bytes
    at: float


@dataclass
class Inbox:
    """Where notices arrive; `answer` decides what each one is told."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answer: Callable[[Received], tuple[int, bytes]] | None = None

    def await_count(self, count: int, seconds: float = 5) -> list[Received]:
        deadline = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.got) >= count, f"{len(self.got)} of {count} notices"
        return self.got


def inbox_start() -> tuple[Inbox, ThreadingHTTPServer]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one = Received(self.path, self.headers, body, time.monotonic())
            inbox.got.append(one)
            default = b"<xml><return_code>SUCCESS</return_code></xml>"
            status, said = inbox.answer(one) if inbox.answer else (200, default)
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.url = f"http://127.0.0.1:{server.server_address[1]}"
    # A server is asked to end with every test, and looks that often whether it was.
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return inbox, server


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box, server = inbox_start()
    yield box
    server.shutdown()
    server.server_close()
