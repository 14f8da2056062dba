"""JSON as a money API may read it: one value per key, no NaN, no surprise for the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

BODY_BYTES_MAX = 1_000_000
DEPTH_MAX = 20


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"


class StrictJSONParser(BaseParser):
    """Numbers with a point become Decimal, exactly; integers stay int."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(BODY_BYTES_MAX + 1)
        if len(raw) > BODY_BYTES_MAX:
            raise BodyTooLarge(_("A body has at most 1,000,000 bytes."))
        return parse_json(raw)


def parse_json(raw: bytes) -> Any:
    """The value, or ParseError with the reason."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ParseError(_("The body is not UTF-8.")) from None
    try:
        value = json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
        _refuse_unstorable(value, 0)
    except (ValueError, RecursionError) as error:
        raise ParseError(_("The body is not JSON: %(why)s.") % {"why": _why(error)}) from None
    return value


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        place = {"line": error.lineno, "column": error.colno}
        return _("it breaks off or breaks the rules at line %(line)s, column %(column)s") % place
    if isinstance(error, RecursionError):
        return _("it is nested too deeply")
    # A number of thousands of digits is refused by Python itself, in its own words.
    return str(error) if isinstance(error, _Refused) else _("a number is too long")


class _Refused(ValueError):
    """Well-formed JSON that this API does not take."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(_("%(name)s is no number") % {"name": name})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                key = json.dumps(name[:40], ensure_ascii=False)
                raise _Refused(_("the key %(key)s occurs twice") % {"key": key})
            seen.add(name)
    return found


def _refuse_unstorable(value: Any, depth: int) -> None:
    """NUL and lone surrogates are JSON, but no text the database can hold."""
    if depth > DEPTH_MAX:
        raise _Refused(_("it is nested too deeply"))
    if isinstance(value, str):
        if "\x00" in value:
            raise _Refused(_("a text holds a NUL character"))
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise _Refused(_("a text holds half of a surrogate pair"))
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_unstorable(name, depth)
            _refuse_unstorable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item, depth + 1)
