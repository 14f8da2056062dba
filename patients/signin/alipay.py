"""Alipay's web login (用户信息授权): authorise page, code, user id, over the signed gateway.

Requests are signed with RSA2 over the sorted parameters, answers over the text of their object as
it was received. The pay channel speaks the same gateway with its own keys, one layer above.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from core import clock
from core.outbound import OutboundRequest, Timeout, send
from core.rsa2 import (
    SIGN_TYPE,
    SignatureRefused,
    private_key,
    public_key,
    request_text,
    rsa2_sign,
    rsa2_verify,
)
from patients.signin.base import DoorConfig, Identity, refused, silent

COUNTERPARTY = "alipay_login"
TIMEOUT = Timeout(connect_s=2, read_s=5)
CHANNEL = "alipay"
METHOD = "alipay.system.oauth.token"
ANSWER = "alipay_system_oauth_token_response"
# The user id is all we ask.
SCOPE = "auth_base"
_OK = 200


class AlipayDoor:
    """`subject` is the user id (2088…), or the open id where the app was given one instead.

    The keys are read when the door is first asked for: a file, as key stores hand them out.
    """

    channel: ClassVar[str] = CHANNEL
    answer_name: ClassVar[str] = "auth_code"

    def __init__(self, config: DoorConfig) -> None:
        keys = json.loads(Path(config["keys_file"]).read_text(encoding="utf8"))
        self.app_id = str(keys["app_id"])
        self.authorize_url = config["authorize_url"]
        self.gateway_url = config["gateway_url"]
        self.private_key = str(keys["app_private_key"])
        self.public_key = str(keys["alipay_public_key"])

    def leave_for(self, *, back: str, state: str) -> str:
        query = urlencode(
            {"app_id": self.app_id, "scope": SCOPE, "redirect_uri": back, "state": state}
        )
        return f"{self.authorize_url}?{query}"

    def identity(self, *, code: str, reference: str) -> Identity:
        """Change the code for the user id. Only a signed answer counts."""
        fields = {
            "app_id": self.app_id,
            "method": METHOD,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": SIGN_TYPE,
            "timestamp": f"{clock.now():%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "grant_type": "authorization_code",
            "code": code,
        }
        fields["sign"] = rsa2_sign(private_key(self.private_key), request_text(fields))
        answer = send(
            OutboundRequest(
                counterparty=COUNTERPARTY,
                operation="oauth_token",
                reference=reference,
                method="POST",
                url=self.gateway_url,
                timeout=TIMEOUT,
                headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
                body=urlencode(fields).encode(),
            )
        )
        if answer.failure is not None or answer.status != _OK:
            raise silent()
        content = verified(answer.body, self.public_key)
        subject = content.get("user_id") or content.get("open_id")
        if not isinstance(subject, str) or not subject:
            raise refused()
        return Identity(CHANNEL, self.app_id, subject)


def verified(body: bytes, key: str) -> dict[str, Any]:
    """The object of a signed answer; a refusal of Alipay's is signed or not, and is none either."""
    try:
        text = body.decode()
        data = json.loads(text)
        content, received = data[ANSWER], _received(text)
        rsa2_verify([public_key(key)], received.encode(), data["sign"])
    except (ValueError, KeyError, TypeError, SignatureRefused):
        raise refused() from None
    return content if isinstance(content, dict) and content == json.loads(received) else {}


def _received(text: str) -> str:
    """The answer's object exactly as it was sent; the decoder finds where it ends."""
    start = text.index("{", text.index(f'"{ANSWER}"'))
    return text[start : json.JSONDecoder().raw_decode(text, start)[1]]
