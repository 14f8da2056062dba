"""A seller's client written from the public facts: signs, sends, and reads nothing into replies."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import httpx
from alipay import AliPay
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from tests.fixtures.sandbox_process import CLIENT, Sandbox


class Seller:
    """Signs as the application; the oracle signs and verifies beside it."""

    def __init__(self, sandbox: Sandbox, number: int = 0) -> None:
        self.sandbox = sandbox
        self.known = sandbox.alipay["merchants"][number]
        key = self.known["app_private_key"].encode()
        self.key = serialization.load_pem_private_key(key, None)

    def oracle(self, notify_url: str = "") -> AliPay:
        pay = AliPay(
            self.known["app_id"],
            notify_url,
            self.known["app_private_key"],
            self.known["alipay_public_key"],
            "RSA2",
        )
        pay._gateway = self.known["base_url"] + "/gateway.do"
        return pay

    def sign(self, fields: dict[str, str]) -> str:
        text = "&".join(f"{k}={fields[k]}" for k in sorted(fields) if fields[k] and k != "sign")
        signed = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signed).decode()

    def fields(self, method: str, content: Any, **other: str) -> dict[str, str]:
        full = {
            "app_id": self.known["app_id"],
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": "2026-11-20 10:00:00",
            "version": "1.0",
            "biz_content": content if isinstance(content, str) else json.dumps(content),
        } | other
        full.setdefault("sign", self.sign(full))
        return full

    def post(self, method: str, content: Any, **other: str) -> httpx.Response:
        body = urlencode(self.fields(method, content, **other)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return CLIENT.post(self.known["base_url"] + "/gateway.do", content=body, headers=headers)

    def call(self, method: str, content: Any, **other: str) -> dict[str, Any]:
        """The reply's object, signed or not."""
        answer = self.post(method, content, **other)
        assert answer.status_code == 200, answer.text
        data = answer.json()
        return data.get(method.replace(".", "_") + "_response") or data["error_response"]

    def page(self, method: str, content: Any, **other: str) -> httpx.Response:
        query = urlencode(self.fields(method, content, **other))
        url = f"{self.known['base_url']}/gateway.do?{query}"
        return httpx.get(url, follow_redirects=True, trust_env=False)

    def act(self, action: str, subject: str = "", **args: Any) -> Any:
        return self.sandbox.act("alipay_payer", action, subject, **args)

    def wallet(self, balance_fen: int = 1_000_000, **more: Any) -> str:
        return self.act("create_wallet", "", balance_fen=balance_fen, **more)["user_id"]

    def book(self) -> dict[str, dict]:
        return self.sandbox.book("alipay", self.known["pid"])
