"""Reading what the insurer sends: scalars are text whether they came as numbers or strings.

Numbers keep the literal they were written in, so no binary fraction ever stands between the
platform's yuan and our fen. What is missing, malformed or out of its code table is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NoReturn, TypeVar

from core import clock
from core.money import MoneyError, fen_from_yuan
from insurance.gateway.base import GatewayFault

JsonObject = dict[str, object]
Code = TypeVar("Code", bound=StrEnum)
BODY_BYTES_MAX = 8 * 1024 * 1024
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d", "%Y%m%d%H%M%S", "%Y%m%d")
_SAID_MAX = 40


class Unreadable(GatewayFault):
    """A field is missing or malformed."""


class UnknownCode(Unreadable):
    """A code stands in no table of ours, so what it means for money is not known."""


class Number(str):
    """A number as it was written: text for whoever reads it, a number where a text is re-made."""

    __slots__ = ()


class Different(GatewayFault):
    """The answer is about something else than was asked."""


def object_read(body: bytes) -> JsonObject:
    """One JSON object; a key that stands twice makes two readers disagree, so it is refused."""
    if len(body) > BODY_BYTES_MAX:
        raise Unreadable("the answer is too long")
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_pairs,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_constant,
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Unreadable("no JSON object")
    return value


def nested(value: Mapping[str, object], name: str) -> JsonObject:
    """A nested object that some platforms write as a text; absent or another thing is empty."""
    found = value.get(name)
    if isinstance(found, str) and found.lstrip()[:1] == "{":
        return object_read(found.encode())
    return found if isinstance(found, dict) else {}


class Node:
    """A JSON object of the platform, read field by field."""

    def __init__(self, value: Mapping[str, object], where: str = "output") -> None:
        self._value = value
        self._where = where

    def has(self, name: str) -> bool:
        """Whether the field is there and not null or empty."""
        return self._value.get(name) not in (None, "")

    def text(self, name: str, *, required: bool = False) -> str:
        """A scalar as text; empty when it is absent or null."""
        found = self._value.get(name)
        if isinstance(found, bool):
            found = "1" if found else "0"
        if isinstance(found, dict | list):
            raise Unreadable(f"{self._at(name)} is no scalar")
        said = "" if found is None else str(found).strip()
        if required and not said:
            raise Unreadable(f"{self._at(name)} is missing")
        return said

    def fen(self, name: str, *, required: bool = True) -> int:
        """Yuan with at most two decimals as fen; an optional absent one is zero."""
        said = self.text(name, required=required)
        if not said:
            return 0
        try:
            return fen_from_yuan(said)
        except MoneyError as error:
            raise Unreadable(f"{self._at(name)} is no exact amount: {said[:_SAID_MAX]}") from error

    def fen_or_none(self, name: str) -> int | None:
        """Fen, or None where the platform says nothing."""
        return self.fen(name) if self.has(name) else None

    def decimal(self, name: str) -> Decimal | None:
        """A quantity, price or ratio; None when absent."""
        said = self.text(name)
        if not said:
            return None
        try:
            value = Decimal(said)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            raise Unreadable(f"{self._at(name)} is no number: {said[:_SAID_MAX]}")
        return value

    def flag(self, name: str) -> bool:
        """0/1 or false/true, as number, string or boolean; absent is no."""
        said = self.text(name).lower()
        if said not in {"", "0", "1", "true", "false"}:
            raise UnknownCode(f"{self._at(name)} is neither 0 nor 1: {said[:_SAID_MAX]}")
        return said in {"1", "true"}

    def code(self, name: str, table: type[Code]) -> Code:
        """A member of the table."""
        said = self.text(name, required=True)
        try:
            return table(said)
        except ValueError as error:
            raise UnknownCode(
                f"{self._at(name)}: {said[:_SAID_MAX]} is no known {table.__name__}"
            ) from error

    def time(self, name: str) -> datetime | None:
        """A Beijing time in one of the platform's forms; None when absent or unreadable.

        Times are shown and filed, never decided by, so an odd form loses no settlement.
        """
        said = self.text(name).partition(".")[0]
        for form in _TIMES:
            try:
                return datetime.strptime(said, form).replace(tzinfo=clock.ZONE)
            except ValueError:
                continue
        return None

    def node(self, name: str) -> Node:
        """A nested object that must be there."""
        found = self._value.get(name)
        if not isinstance(found, dict):
            raise Unreadable(f"{self._at(name)} is no object")
        return Node(found, self._at(name))

    def nodes(self, name: str) -> list[Node]:
        """A list of objects; an object alone is a list of one, null or absence none."""
        found = self._value.get(name)
        rows = [] if found in (None, "") else found if isinstance(found, list) else [found]
        read = []
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                raise Unreadable(f"{self._at(name)}[{place}] is no object")
            read.append(Node(row, f"{self._at(name)}[{place}]"))
        return read

    def same(self, name: str, asked: str) -> None:
        """Refuse an answer about another person, visit or settlement; silence is accepted."""
        said = self.text(name)
        if said and said != asked:
            raise Different(f"{self._at(name)} is not what was asked for")

    def _at(self, name: str) -> str:
        return f"{self._where}.{name}"


def _pairs(pairs: Iterable[tuple[str, object]]) -> JsonObject:
    result: JsonObject = {}
    for key, value in pairs:
        if key in result:
            raise Unreadable(f"key {key[:_SAID_MAX]!r} appears twice")
        result[key] = value
    return result


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not JSON")
