"""JSON as a channel sends it: one object, UTF-8, no key twice, no float where fen are meant."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

JsonObject = dict[str, object]
MAX_BYTES = 256 * 1024


class JsonRefused(ValueError):
    """Not one well-formed object."""


def object_read(body: bytes) -> JsonObject:
    """Read one JSON object; a repeated key makes two readers disagree, so it is refused."""
    if len(body) > MAX_BYTES:
        raise JsonRefused("body is too large")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise JsonRefused(str(error)) from error
    if not isinstance(value, dict):
        raise JsonRefused("not an object")
    return value


def object_write(value: JsonObject) -> bytes:
    """The exact bytes that are signed and sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def text_get(value: JsonObject, name: str) -> str:
    """A text field, or an empty text when it is absent or of another type."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def int_get(value: JsonObject, name: str) -> int | None:
    """A whole number; true, 1.0 and "1" are none."""
    found = value.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def object_get(value: JsonObject, name: str) -> JsonObject:
    """A nested object, or an empty one."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _pairs(pairs: Iterable[tuple[str, object]]) -> JsonObject:
    result: JsonObject = {}
    for key, value in pairs:
        if key in result:
            raise JsonRefused(f"key {key!r} appears twice")
        result[key] = value
    return result


def _constant(name: str) -> NoReturn:
    raise JsonRefused(f"{name} is not JSON")
