"""The HIS's side of the portal's REST API: one call, one answer, every failure in words."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.his.hospital import Hospital

TIMEOUT = httpx.Timeout(20.0, connect=3.0)
# Loading the certificate store takes longer than a call; it is done once.
TLS = ssl.create_default_context()
SUCCESS = range(200, 300)
REFUSAL = range(400, 500)
STATUS_WORDS = {
    400: "门户说内容有误",
    401: "门户不认识我们的令牌",
    403: "门户不允许这样做",
    404: "门户没有这个编号",
    409: "门户说与已有的记录冲突",
    429: "门户说太频繁，请稍后再试",
}


@dataclass(frozen=True)
class Answer:
    """`status` is None when no answer came: then nobody knows whether the call was carried out."""

    status: int | None
    body: dict[str, Any]
    words: str

    @property
    def ok(self) -> bool:
        return self.status is not None and self.status in SUCCESS and not self.words

    @property
    def refused(self) -> bool:
        """The portal surely did nothing; a 5xx or silence leaves that open."""
        return self.status is not None and self.status in REFUSAL


def call(
    *, hospital: Hospital, method: str, path: str, body: dict[str, Any] | list[Any] | None = None
) -> Answer:
    url = f"{hospital.portal_url}/api/v1/{path}"
    headers = {"Authorization": f"Token {hospital.his_token}", "Accept": "application/json"}
    try:
        # trust_env is off: a proxy of this machine has no say between HIS and portal.
        with httpx.Client(timeout=TIMEOUT, trust_env=False, verify=TLS) as client:
            response = client.request(method, url, json=body, headers=headers)
    except httpx.ConnectError:
        return Answer(None, {}, "连不上门户。没有发出任何东西，可以再试。")
    except httpx.TimeoutException:
        return Answer(None, {}, "门户没有及时应答，不知道是否已办。请用同一编号再试一次。")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        name = type(error).__name__
        return Answer(None, {}, f"与门户的通信断了（{name}）。请用同一编号再试一次。")
    return _answer(response)


def _answer(response: httpx.Response) -> Answer:
    try:
        body = response.json() if response.content else {}
    except (json.JSONDecodeError, UnicodeDecodeError):
        return Answer(response.status_code, {}, f"门户答了 {response.status_code}，但内容读不懂。")
    body = body if isinstance(body, dict) else {"items": body}
    if response.status_code in SUCCESS:
        return Answer(response.status_code, body, "")
    return Answer(response.status_code, body, problem_words(response.status_code, body))


def problem_words(status: int, body: dict[str, Any]) -> str:
    """The problem+json of the portal as one sentence, field by field where it names fields."""
    head = STATUS_WORDS.get(status, f"门户出错了（{status}）")
    parts = [str(body[key]) for key in ("detail", "message", "title") if body.get(key)][:1]
    errors = _errors(body)
    if errors and parts and _reason_of(errors[0]) in parts[0]:
        errors = errors[1:]  # the first one is what `detail` says
    parts += [part for part in (_field_words(one) for one in errors) if part]
    if body.get("field") and not body.get("errors"):
        parts.append(f"字段 {body['field']}")
    return f"{head}：{'；'.join(parts)}" if parts else f"{head}。"


def _errors(body: dict[str, Any]) -> list[Any]:
    errors = body.get("errors") or body.get("invalid_params") or []
    if isinstance(errors, dict):
        return [{"field": key, "reason": value} for key, value in errors.items()]
    return errors if isinstance(errors, list) else [errors]


def _reason_of(error: Any) -> str:
    reason = error.get("reason") if isinstance(error, dict) else None
    return str(reason or error)


def _field_words(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    field = error.get("field") or error.get("name") or error.get("attr") or ""
    reason = error.get("reason") or error.get("detail") or error.get("message") or ""
    if isinstance(reason, list):
        reason = "，".join(str(one) for one in reason)
    return f"{field}：{reason}" if field else str(reason)
