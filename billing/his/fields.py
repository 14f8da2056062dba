"""The types of the contract. Each takes exactly what it names and says what it wanted."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.money import FEN_MAX

NUMBER_PATTERN = r"[0-9A-Za-z_-]{1,64}"
NUMBER = re.compile(NUMBER_PATTERN)
CODE_PATTERN = r"[!-~]{1,%d}"
# RFC 3339: a full date and time with its offset.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS = range(2000, 2101)


class Described:
    """A field that says itself what it looks like in the OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        return {"type": "string"}


class TextField(serializers.CharField):
    """A line of text: a string, no control characters, not blank unless allowed."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_text": _("A text is needed."),
        "control": _("Control characters are not allowed."),
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        if any(unicodedata.category(char) in ("Cc", "Cs") for char in data):
            self.fail("control")
        return super().to_internal_value(data)


class PatternField(Described, TextField):
    """A string that is the pattern from its first to its last character."""

    default_error_messages: ClassVar[dict[str, Any]] = {"pattern": _("It must match %(pattern)s.")}

    def __init__(self, pattern: str, **kwargs: Any) -> None:
        self.pattern = re.compile(pattern)
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        if data == "" and self.allow_blank:
            return data
        if not self.pattern.fullmatch(data):
            message = str(self.error_messages["pattern"]) % {"pattern": self.pattern.pattern}
            raise serializers.ValidationError(message, code="pattern")
        return data

    def openapi(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern.pattern}$"}


class NumberField(PatternField):
    """A number of the caller's, unique per client."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(NUMBER_PATTERN, **kwargs)


class CodeField(PatternField):
    """A code of a catalogue: visible ASCII without spaces."""

    def __init__(self, *, length_max: int, **kwargs: Any) -> None:
        super().__init__(CODE_PATTERN % length_max, **kwargs)


class FenField(Described, serializers.Field):  # type: ignore[type-arg]
    """A positive whole number of fen. 1.0, "1" and true are refused, not read."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_int": _("A whole number of fen is needed."),
        "positive": _("It must be above zero."),
        "large": _("It is too large."),
    }

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("not_int")
        if data <= 0:
            self.fail("positive")
        if data > FEN_MAX:
            self.fail("large")
        return int(data)

    def to_representation(self, value: int) -> int:
        return value

    def openapi(self) -> dict[str, Any]:
        return {"type": "integer", "format": "int64", "minimum": 1, "maximum": FEN_MAX}


class WholeField(Described, serializers.Field):  # type: ignore[type-arg]
    """An integer within bounds."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_int": _("A whole number is needed."),
        "range": _("It must be between %(least)s and %(most)s."),
    }

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("not_int")
        if not self.least <= data <= self.most:
            message = str(self.error_messages["range"])
            raise serializers.ValidationError(message % {"least": self.least, "most": self.most})
        return int(data)

    def to_representation(self, value: int) -> int:
        return value

    def openapi(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class ExactDecimalField(Described, serializers.Field):  # type: ignore[type-arg]
    """A plain decimal with at most `places` places; no sign, no exponent.

    A string is always taken; a JSON number only where `numbers` says so (it was read exactly).
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_decimal": _(
            "A decimal with at most %(digits)s digits and %(places)s places is needed."
        ),
        "positive": _("It must be above zero."),
    }

    def __init__(
        self,
        *,
        digits: int,
        places: int,
        positive: bool = True,
        numbers: bool = False,
        **kwargs: Any,
    ) -> None:
        self.digits, self.places = digits, places
        self.positive, self.numbers = positive, numbers
        self.pattern = re.compile(rf"[0-9]{{1,{digits}}}(?:\.[0-9]{{1,{places}}})?")
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        text = data
        if self.numbers and type(data) in (int, Decimal):
            text = str(data)
        if not isinstance(text, str) or not self.pattern.fullmatch(text):
            message = str(self.error_messages["not_decimal"])
            raise serializers.ValidationError(
                message % {"digits": self.digits, "places": self.places}
            )
        value = Decimal(text)
        if self.positive and value == 0:
            self.fail("positive")
        return value

    def to_representation(self, value: Decimal) -> str:
        return format(value.normalize(), "f")

    def openapi(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern.pattern}$"}


class InstantField(Described, serializers.Field):  # type: ignore[type-arg]
    """A time with its offset; a naive one names no instant."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_instant": _("A time with its offset is needed, such as 2026-11-20T10:00:00+08:00."),
        "year": _("The year is out of range."),
    }

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):
            self.fail("not_instant")
        try:
            at = datetime.fromisoformat(data.upper())
        except ValueError:
            self.fail("not_instant")
        if at.year not in _YEARS:
            self.fail("year")
        return at

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()

    def openapi(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


class DayField(Described, serializers.Field):  # type: ignore[type-arg]
    """A calendar day, YYYY-MM-DD."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_day": _("A day is needed, such as 1990-12-31.")
    }

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or not _DATE.fullmatch(data):
            self.fail("not_day")
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.fail("not_day")

    def to_representation(self, value: date) -> str:
        return value.isoformat()

    def openapi(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class FlagField(Described, serializers.Field):  # type: ignore[type-arg]
    """true or false, not "yes" and not 1."""

    default_error_messages: ClassVar[dict[str, Any]] = {"not_flag": _("true or false is needed.")}

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("not_flag")
        return bool(data)

    def to_representation(self, value: bool) -> bool:
        return value

    def openapi(self) -> dict[str, Any]:
        return {"type": "boolean"}


class WordField(Described, TextField):
    """One of a few words."""

    default_error_messages: ClassVar[dict[str, Any]] = {"word": _("It must be one of: %(words)s.")}

    def __init__(self, words: Any, **kwargs: Any) -> None:
        self.words = tuple(words)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.words:
            message = str(self.error_messages["word"]) % {"words": ", ".join(self.words)}
            raise serializers.ValidationError(message)
        return data

    def openapi(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


class StrictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """An object with the named fields and no others."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {name[:64]: [_("This field is not known.")] for name in unknown[:20]}
                )
        return super().to_internal_value(data)
