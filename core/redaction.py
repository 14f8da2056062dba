"""What a call's log may show: no personal data, no secret, nothing a stranger could use.

By name, in JSON, XML, forms, query strings and headers; and by shape (ID, card and mobile numbers,
pay links) in whatever text is left, because a counterparty may echo them in a message. A body that
cannot be read as text, or is too long to be parsed whole, is not shown at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

HIDDEN = "***"
BODY_SHOWN_MAX = 4096
BODY_PARSED_MAX = 64 * 1024
URL_SHOWN_MAX = 1000
_DEPTH_MAX = 20

# Names are compared without case, hyphens and underscores. A part hides wherever it occurs.
_HIDDEN_PARTS = (
    "authcode", "authorization", "token", "password",
    "passwd", "secret", "privatekey", "apikey", "ciphertext", "cookie", "phone", "mobile", "idcard",
    "idno", "idnum", "identity", "certno", "cardno", "bankcard", "faceimg", "faceimage", "photo",
    "username", "realname", "payername", "payeename", "patientname", "psnname", "patname",
    "contactname", "holdername", "guardianname", "smscode", "verifycode", "birthday", "birthdate",
    "encryptdata", "encdata", "signingkey", "displayaccount", "displayname",
    "ecqrcode", "payauthno", "patnname", "fsuploadin", "logonid", "loginid",
)  # fmt: skip
_HIDDEN_NAMES = frozenset({
    "name", "key", "tel", "brdy", "address", "addr", "email", "accountname", "accountno",
    "cvv", "cvn2", "pin", "session", "sessionkey", "authno",
})  # fmt: skip
# A code in a query or a form signs somebody in or pays; in a document it says what happened.
_HIDDEN_IN_FORMS = frozenset({"code"})
# Needed to find a case again, so a short form stays.
_SHORTENED_PARTS = (
    "openid", "unionid", "touser", "psnno", "patnid", "buyerid", "userid", "payerid", "principalid",
    "ecindexno",
    # Whole, and with the public key, it would prove a guess of what is hidden beside it.
    "signature", "signdata",
)  # fmt: skip
_SHORTENED_NAMES = frozenset({"sign"})

_ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])")
# Bank cards: those of UnionPay, and whatever else has so many digits and the right last one.
_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{14,18}(?![0-9A-Za-z])")
_UNIONPAY = re.compile(r"62\d{14,17}")
_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d{9}(?![0-9A-Za-z])")
# Whoever holds a pay link sees the bill. It may stand encoded inside another address.
_PAY_LINK = re.compile(r"((?:/|%2F)p(?:/|%2F))[0-9A-Za-z_-]{16,}", re.IGNORECASE)
_XML_LEAF = re.compile(
    r"<([A-Za-z_][\w.:-]*)((?:\s[^<>]*)?)>(<!\[CDATA\[.*?\]\]>|[^<]*)</\1>", re.DOTALL
)
_XML_BRANCH = re.compile(
    rf"<((?:[\w.-]+:)?(?:{'|'.join(sorted(_HIDDEN_NAMES))}))(?:\s[^<>]*)?>\s*<(?!/).*?</\1>",
    re.DOTALL | re.IGNORECASE,
)
_XML_ATTRIBUTE = re.compile(r"""([A-Za-z_][\w.:-]*)=(["'])([^"'<>]*)\2""")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)


def headers_shown(headers: Mapping[str, str]) -> dict[str, str]:
    """Header names stay, credentials do not."""
    return {name: str(_value(name, value, 0)) for name, value in headers.items()}


def url_shown(url: str) -> str:
    """Without user, password and the values of telling query parameters."""
    parts = urlsplit(url)
    query = _form(parts.query, 0) if parts.query else ""
    host = parts.netloc.rpartition("@")[2]
    shown = urlunsplit((parts.scheme, host, _text(parts.path), query, ""))
    return shown[:URL_SHOWN_MAX]


def body_shown(body: bytes) -> str:
    """A readable, redacted and cut form of a body; its size where it cannot be shown safely."""
    if not body:
        return ""
    if len(body) > BODY_PARSED_MAX:
        return f"<{len(body)} bytes, too long to redact>"
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return f"<{len(body)} bytes, not text>"
    # PostgreSQL text holds no NUL, and such a body is no text either.
    if "\x00" in text:
        return f"<{len(body)} bytes, not text>"
    shown = _document(text.strip(), 0)
    return shown if len(shown) <= BODY_SHOWN_MAX else shown[: BODY_SHOWN_MAX - 1] + "…"


def text_shown(text: str) -> str:
    """Free text without ID, card and mobile numbers and pay links."""
    return _text(text)


def shortened(value: str) -> str:
    """Enough to tell two apart, not enough to use: oUpF...d3Wq."""
    return f"{value[:4]}...{value[-4:]}" if len(value) >= 12 else HIDDEN  # noqa: PLR2004


def _document(text: str, depth: int) -> str:
    """Redact by the form the text has."""
    if text[:1] in {"{", "["}:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return f"<{len(text)} characters, cut or malformed JSON>"
        return json.dumps(_json(data, depth + 1), ensure_ascii=False)
    if text[:1] == "<":
        return _xml(text, depth + 1)
    if "=" in text and not re.search(r"\s", text):
        return _form(text, depth + 1)
    return _text(text)


def _json(data: Any, depth: int) -> Any:
    if depth > _DEPTH_MAX:
        return HIDDEN
    if isinstance(data, dict):
        return {key: _value(key, value, depth) for key, value in data.items()}
    if isinstance(data, list):
        return [_json(item, depth + 1) for item in data]
    if isinstance(data, str):
        return _text_value(data, depth)
    # A phone or card number may come as a number.
    is_number = isinstance(data, int) and not isinstance(data, bool)
    return HIDDEN if is_number and _text(str(data)) != str(data) else data


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").replace(".", "").lower()


def _is_hidden(name: str) -> bool:
    plain = _plain(name)
    return plain in _HIDDEN_NAMES or any(part in plain for part in _HIDDEN_PARTS)


def _value(name: str, value: Any, depth: int) -> Any:
    """One named value: hidden, shortened, or looked into."""
    if _is_hidden(name):
        # Whether there was something is worth knowing; a container under such a name hides too.
        return HIDDEN if value not in ("", None) else value
    plain = _plain(name)
    if plain in _SHORTENED_NAMES or any(part in plain for part in _SHORTENED_PARTS):
        return _shortened(value, depth + 1)
    return _json(value, depth + 1)


def _shortened(value: Any, depth: int) -> Any:
    if isinstance(value, list) and depth <= _DEPTH_MAX:
        return [_shortened(item, depth + 1) for item in value]
    is_one = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    return shortened(str(value)) if is_one else _json(value, depth)


def _text_value(text: str, depth: int) -> str:
    """A string may itself be a document (Alipay's biz_content)."""
    stripped = text.strip()
    if depth < _DEPTH_MAX and stripped[:1] in {"{", "[", "<"}:
        return _document(stripped, depth + 1)
    return _text(text)


def _form(text: str, depth: int) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    shown = [(name, str(_of_form(name, value, depth))) for name, value in pairs]
    return urlencode(shown, safe='*…:/{}",[]') if shown else _text(text)


def _of_form(name: str, value: str, depth: int) -> Any:
    return HIDDEN if value and _plain(name) in _HIDDEN_IN_FORMS else _value(name, value, depth)


def _xml(text: str, depth: int) -> str:
    """Leaves by their tag, attributes by their name, then whatever sits under a hidden tag."""

    def leaf(found: re.Match[str]) -> str:
        tag, attributes, content = found.groups()
        value = _CDATA.sub(lambda part: part[1], content)
        return f"<{tag}{attributes}>{_value(_local(tag), value, depth)}</{tag}>"

    def attribute(found: re.Match[str]) -> str:
        name, quote, value = found.groups()
        return f"{name}={quote}{_value(_local(name), value, depth)}{quote}"

    shown = _XML_ATTRIBUTE.sub(attribute, _XML_LEAF.sub(leaf, text))
    return _text(_XML_BRANCH.sub(_xml_branch, shown))


def _xml_branch(found: re.Match[str]) -> str:
    tag = found[1]
    return f"<{tag}>{HIDDEN}</{tag}>" if _is_hidden(_local(tag)) else found[0]


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _text(text: str) -> str:
    text = _PAY_LINK.sub(rf"\g<1>{HIDDEN}", text)
    return _MOBILE.sub(HIDDEN, _CARD.sub(_card, _ID_NUMBER.sub(HIDDEN, text)))


def _card(found: re.Match[str]) -> str:
    number = found[0]
    return HIDDEN if _UNIONPAY.fullmatch(number) or _is_luhn(number) else number


def _is_luhn(number: str) -> bool:
    """Whether the last digit is the one that cards have."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in number[::-2])) % 10 == 0
