"""A reply of the gateway: which bytes were signed, and what they say.

The sign covers the raw text of the response object exactly as it was sent, escapes included, so
the text is cut out of the body by a JSON reader and never written again. Counting braces would cut
wrongly where a text of a patient or the HIS holds one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from billing.channels.strict_json import MAX_BYTES, JsonObject, JsonRefused, object_read

ERROR = "error_response"
_SPACE = " \t\r\n"
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Envelope:
    """The response object, its raw signed text, and what stands beside it."""

    data: JsonObject
    signed: bytes
    sign: str
    cert_sn: str


def response_name(method: str) -> str:
    """alipay.trade.query answers under alipay_trade_query_response."""
    return method.replace(".", "_") + "_response"


def envelope_read(body: bytes, *, method: str) -> Envelope:
    """Read one reply to `method`; raises JsonRefused for anything else."""
    if len(body) > MAX_BYTES:
        raise JsonRefused("body is too large")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonRefused("not UTF-8") from error
    members = dict(_members(text))
    wanted = [name for name in (response_name(method), ERROR) if name in members]
    if len(wanted) != 1:
        raise JsonRefused("not a reply to this method")
    start, end = members[wanted[0]]
    signed = text[start:end].encode()
    return Envelope(
        data=object_read(signed),
        signed=signed,
        sign=_text(text, members, "sign"),
        cert_sn=_text(text, members, "alipay_cert_sn"),
    )


def _members(text: str) -> Iterable[tuple[str, tuple[int, int]]]:
    """The names of the outer object with the place of their raw values; a name twice is refused."""
    seen: set[str] = set()
    at = _after(text, 0, "{")
    while True:
        name, at = _name(text, at)
        if name in seen:
            raise JsonRefused(f"key {name!r} appears twice")
        seen.add(name)
        start = _skip(text, _after(text, at, ":"))
        _said, at = _value(text, start)
        yield name, (start, at)
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            if text[at + 1 :].strip(_SPACE):
                raise JsonRefused("something follows the object")
            return
        at = _after(text, at, ",")


def _name(text: str, at: int) -> tuple[str, int]:
    name, at = _value(text, _skip(text, at))
    if not isinstance(name, str):
        raise JsonRefused("a name expected")
    return name, at


def _value(text: str, at: int) -> tuple[object, int]:
    try:
        return _decoder.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        raise JsonRefused(str(error)) from error


def _after(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise JsonRefused(f"{mark} expected")
    return at + 1


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _text(text: str, members: dict[str, tuple[int, int]], name: str) -> str:
    """A member beside the response; absent is empty, another type is refused."""
    if name not in members:
        return ""
    start, end = members[name]
    value = json.loads(text[start:end])
    if not isinstance(value, str):
        raise JsonRefused(f"{name} is not a text")
    return value
