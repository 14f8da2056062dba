"""What stands in a request: read, measured and refused by name. Numbers may come as strings."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.nhsa.refusal import Refused
from sandbox.world import clock

FEN_MAX = 99_999_999_99
YEARS = (1900, 2100)
_DECIMAL = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,6})?")


@dataclass(frozen=True)
class Fields:
    """A named object of a request."""

    data: dict[str, Any]
    where: str = "data"

    def text(self, name: str, limit: int = 200) -> str:
        value = self.data.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise self.wrong(name, "应为文本")
        text = str(value).strip()
        if len(text) > limit:
            raise self.wrong(name, f"长度超过{limit}")
        if any(not char.isprintable() for char in text):
            raise self.wrong(name, "含有不可见字符")
        return text

    def need(self, name: str, limit: int = 200) -> str:
        value = self.text(name, limit)
        if not value:
            raise Refused(f"{self.where}.{name}不能为空")
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str:
        value = self.need(name)
        if value not in allowed:
            raise self.wrong(name, f"应为{'/'.join(sorted(allowed))}")
        return value

    def decimal(self, name: str, places: int) -> Decimal:
        """A number with at most so many decimals; text and JSON numbers alike."""
        text = self.need(name, 24)
        if not _DECIMAL.fullmatch(text):
            raise self.wrong(name, "不是数字")
        value = Decimal(text)
        if value != round(value, places):
            raise self.wrong(name, f"小数超过{places}位")
        return value

    def fen(self, name: str) -> int:
        fen = int(self.decimal(name, 2) * 100)
        if abs(fen) > FEN_MAX:
            raise self.wrong(name, "金额过大")
        return fen

    def fen_or_none(self, name: str) -> int | None:
        return None if self.data.get(name) in (None, "") else self.fen(name)

    def whole(self, name: str) -> int:
        return int(self.decimal(name, 0))

    def moment(self, name: str) -> datetime:
        """`yyyy-MM-dd HH:mm:ss` or a date, in Beijing time."""
        text = self.need(name, 19)
        for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
            try:
                parsed = datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
            except ValueError:
                continue
            if YEARS[0] <= parsed.year <= YEARS[1]:
                return parsed.replace(tzinfo=clock.SHANGHAI)
        raise self.wrong(name, "不是时间")

    def day(self, name: str) -> date:
        return self.moment(name).date()

    def day_or_none(self, name: str) -> date | None:
        return self.day(name) if self.text(name) else None

    def part(self, name: str) -> Fields:
        value = self.data.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            raise Refused(f"缺少节点{name}")
        return Fields(value, name)

    def rows(self, name: str, limit: int = 2000) -> list[Fields]:
        value = self.data.get(name)
        if isinstance(value, dict):
            value = [value]
        if not isinstance(value, list) or not value:
            raise Refused(f"缺少节点{name}")
        if len(value) > limit:
            raise Refused(f"{name}超过{limit}条")
        if any(not isinstance(row, dict) for row in value):
            raise self.wrong(name, "应为对象数组")
        return [Fields(row, f"{name}[{place}]") for place, row in enumerate(value)]

    def wrong(self, name: str, why: str) -> Refused:
        return Refused(f"{self.where}.{name}{why}")
