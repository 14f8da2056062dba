"""WeChat's web login of an official account (网页授权): authorise page, code, openid."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from urllib.parse import urlencode

from core.outbound import OutboundRequest, Timeout, send
from patients.signin.base import DoorConfig, Identity, refused, silent

COUNTERPARTY = "wechat_login"
TIMEOUT = Timeout(connect_s=2, read_s=5)
CHANNEL = "wechat_pay"
_OK = 200
# The openid is all we ask; a name or a face of WeChat's is nobody's business here.
SCOPE = "snsapi_base"


class WechatDoor:
    """The openid is the official account's, the one that `jsapi` payments and messages use."""

    channel: ClassVar[str] = CHANNEL
    answer_name: ClassVar[str] = "code"

    def __init__(self, config: DoorConfig) -> None:
        self.app_id = config["app_id"]
        self.secret = config["secret"]
        self.authorize_url = config["authorize_url"]
        self.token_url = config["token_url"]

    def leave_for(self, *, back: str, state: str) -> str:
        """WeChat reads the parameters in this order and insists on the fragment."""
        query = urlencode(
            {
                "appid": self.app_id,
                "redirect_uri": back,
                "response_type": "code",
                "scope": SCOPE,
                "state": state,
            }
        )
        return f"{self.authorize_url}?{query}#wechat_redirect"

    def identity(self, *, code: str, reference: str) -> Identity:
        """Change the code for the openid. A code works once, so a lost answer is a new start."""
        query = urlencode(
            {
                "appid": self.app_id,
                "secret": self.secret,
                "code": code,
                "grant_type": "authorization_code",
            }
        )
        answer = send(
            OutboundRequest(
                counterparty=COUNTERPARTY,
                operation="access_token",
                reference=reference,
                method="GET",
                url=f"{self.token_url}?{query}",
                timeout=TIMEOUT,
            )
        )
        if answer.failure is not None or answer.status != _OK:
            raise silent()
        openid = _read(answer.body).get("openid")
        if not isinstance(openid, str) or not openid:
            raise refused()
        return Identity(CHANNEL, self.app_id, openid)


def _read(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        raise silent() from None
    return data if isinstance(data, dict) else {}
