"""Reading a hospital's list of items: CSV as spreadsheets write it, judged row by row.

Pure. Every fault names its row; a list with a fault is refused as a whole by whoever imports it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from insurance.gateway.claim_values import NO_PRICE_LIMIT
from insurance.models.catalogue import NATIONAL_CODE, ItemCategory, ItemLevel

BYTES_MAX = 16 * 1024 * 1024
ROWS_MAX = 200_000
FAULTS_MAX = 100
ENCODINGS = ("utf-8-sig", "gb18030")
COLUMNS: Mapping[str, str] = {
    "hospital_code": "医院项目编码",
    "name": "项目名称",
    "category": "费用类别",
    "national_code": "国家编码",
    "level": "目录等级",
    "price_limit": "限价",
    "valid_from": "生效日期",
    "valid_until": "失效日期",
}
REQUIRED = ("hospital_code", "name", "category", "national_code")
LEVELS = {"甲": ItemLevel.A, "乙": ItemLevel.B, "丙": ItemLevel.C, "自费": ItemLevel.C}
CATEGORIES = {
    "床位": "01", "诊察": "02", "检查": "03", "化验": "04", "治疗": "05", "手术": "06",
    "护理": "07", "卫生材料": "08", "西药": "09", "中药饮片": "10", "中成药": "11",
    "一般诊疗": "12", "挂号": "13", "其他": "14",
}  # fmt: skip
_DAY = re.compile(r"([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_LIMIT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,6})?")
_LENGTHS = {"hospital_code": 150, "name": 200}


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One row: an item, and the code it is charged by, if it has one."""

    number: int  # of the line in the file
    hospital_code: str
    name: str
    category: str
    national_code: str = ""
    level: str = ""
    price_limit: Decimal | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class ItemsFile:
    """What a file holds; with faults it must not be imported."""

    rows: tuple[ItemRow, ...]
    faults: tuple[str, ...] = ()


class RowFault(ValueError):
    """Why one row cannot be read; the text is for people."""


@dataclass(slots=True)
class _Seen:
    """What earlier rows said, to find rows that contradict one another."""

    items: dict[str, ItemRow] = field(default_factory=dict)
    spans: dict[tuple[str, date | None], int] = field(default_factory=dict)


def items_read(content: bytes) -> ItemsFile:
    """Every row of a file, or what is wrong with it."""
    if len(content) > BYTES_MAX:
        return ItemsFile((), (_("The file is larger than 16 MB."),))
    text = _decoded(content)
    if text is None or "\0" in text:
        return ItemsFile((), (_("The file is no CSV in UTF-8 or GB18030."),))
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = _columns(next(table, []))
    except (RowFault, csv.Error) as fault:
        return ItemsFile((), (str(fault),))
    return _rows(table, columns)


def _rows(table: Iterator[list[str]], columns: Mapping[str, int]) -> ItemsFile:
    rows: list[ItemRow] = []
    faults: list[str] = []
    seen = _Seen()
    number = 1
    try:
        for number, cells in enumerate(table, 2):
            if not any(cell.strip() for cell in cells):
                continue
            try:
                rows.append(_checked(_row(number, cells, columns), seen))
            except RowFault as fault:
                faults.append(_("Row %(row)s: %(fault)s") % {"row": number, "fault": fault})
            if len(faults) >= FAULTS_MAX or len(rows) > ROWS_MAX:
                break
    except csv.Error:
        faults.append(_("Row %s: a quotation mark or a comma is out of place.") % (number + 1))
    if len(rows) > ROWS_MAX:
        faults.append(_("The file has more than 200,000 rows."))
    if not rows and not faults:
        faults.append(_("The file names no item."))
    return ItemsFile(tuple(rows), tuple(faults))


def _decoded(content: bytes) -> str | None:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _columns(heading: list[str]) -> dict[str, int]:
    """Where each column stands, by its English or Chinese name."""
    names = [cell.strip() for cell in heading]
    found = {
        column: names.index(spelt)
        for column, chinese in COLUMNS.items()
        for spelt in (column, chinese)
        if spelt in names
    }
    missing = [f"{one} ({COLUMNS[one]})" for one in REQUIRED if one not in found]
    if missing:
        raise RowFault(_("The first row must name the columns; missing: %s.") % ", ".join(missing))
    return found


def _row(number: int, cells: list[str], columns: Mapping[str, int]) -> ItemRow:
    def cell(name: str) -> str:
        at = columns.get(name, len(cells))
        return cells[at].strip() if at < len(cells) else ""

    for name, limit in _LENGTHS.items():
        if not 0 < len(cell(name)) <= limit:
            raise RowFault(_("%(column)s has 1 to %(limit)s characters.") % {
                "column": COLUMNS[name], "limit": limit,
            })  # fmt: skip
    row = ItemRow(
        number=number,
        hospital_code=cell("hospital_code"),
        name=cell("name"),
        category=_category(cell("category")),
        national_code=_national_code(cell("national_code")),
        level=_level(cell("level")),
        price_limit=_limit(cell("price_limit")),
        valid_from=_day(cell("valid_from")),
        valid_until=_day(cell("valid_until")),
    )
    if row.valid_from and row.valid_until and row.valid_until <= row.valid_from:
        raise RowFault(_("it ends before it begins."))
    return row


def _checked(row: ItemRow, seen: _Seen) -> ItemRow:
    """Rows of one item are its spans: each day once, and all under one name and kind."""
    first = seen.items.setdefault(row.hospital_code, row)
    if (first.name, first.category) != (row.name, row.category):
        raise RowFault(_("another name or kind of charge than in row %s.") % first.number)
    span = (row.hospital_code, row.valid_from)
    if (earlier := seen.spans.setdefault(span, row.number)) != row.number:
        raise RowFault(_("the same item as in row %s.") % earlier)
    return row


def _category(text: str) -> str:
    """A spreadsheet drops the zero of 09."""
    code = CATEGORIES.get(text.removesuffix("费"), text.zfill(2))
    if code not in ItemCategory.values:
        raise RowFault(_("%s is no kind of charge (01 to 14).") % text[:20])
    return code


def _national_code(text: str) -> str:
    if _SCIENTIFIC.fullmatch(text):
        raise RowFault(_("the spreadsheet spoilt the code %s; format the column as text.") % text)
    if not text:
        return ""
    try:
        NATIONAL_CODE(text)
    except ValidationError as error:
        raise RowFault(_("%s is no national code.") % text[:60]) from error
    return text


def _level(text: str) -> str:
    if not text:
        return ""
    code = LEVELS.get(text.removesuffix("类"), text.zfill(2))
    if code not in ItemLevel.values:
        raise RowFault(_("%s is no class (甲, 乙, 丙).") % text[:20])
    return str(code)


def _limit(text: str) -> Decimal | None:
    if not text:
        return None
    if not _LIMIT.fullmatch(text):
        raise RowFault(_("%s is no price.") % text[:20])
    limit = Decimal(text)
    if limit == 0:
        raise RowFault(_("a price limit of 0 cannot be meant; leave it empty."))
    return None if limit == NO_PRICE_LIMIT else limit


def _day(text: str) -> date | None:
    if not text:
        return None
    found = _DAY.fullmatch(text)
    try:
        return date(*(int(part) for part in found.groups())) if found else _no_day(text)
    except ValueError as error:
        raise RowFault(_("%s is no date.") % text[:20]) from error


def _no_day(text: str) -> date:
    raise ValueError(text)
