"""3201 and 3202: the day's totals compared, then row by row by a file each way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.files import file_find, file_keep
from sandbox.nhsa.models import Settlement
from sandbox.nhsa.numbers import moment, yuan_text
from sandbox.nhsa.refusal import Refused
from sandbox.world import clock
from sandbox.world.faults import Fault

EQUAL, CENTRE_MORE, PLACE_MORE, DIFFERENT = "0", "1", "2", "3"
WORDS = {EQUAL: "平", CENTRE_MORE: "中心多", PLACE_MORE: "医药机构多", DIFFERENT: "数据不一致"}
FEN = 100
COLUMNS = 7
UNZIPPED_MAX = 64 * 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One row of the clearing, as either side sees it."""

    setl_id: str
    mdtrt_id: str
    psn_no: str
    medfee_fen: int
    fund_fen: int
    acct_fen: int
    refunded: str
    msgid: str = ""


def totals_compare(call: Call) -> Output:
    """3201"""
    data = call.data()
    place = data.need("setl_optins", 6)
    rows = _centre(call, data, data.need("insutype", 6))
    given = (
        data.fen("medfee_sumamt"),
        data.fen("fund_pay_sumamt"),
        data.fen("acct_pay"),
        data.whole("fixmedins_setl_cnt"),
    )
    own = (
        sum(row.medfee_fen for row in rows),
        sum(row.fund_fen for row in rows),
        sum(row.acct_fen for row in rows),
        len(rows),
    )
    result = _verdict(own, given)
    said = WORDS[result]
    if result != EQUAL:
        said += (
            f"：中心{own[3]}笔，费用{yuan_text(own[0])}，基金{yuan_text(own[1])}，"
            f"账户{yuan_text(own[2])}"
        )
    return {"stmtinfo": {"setl_optins": place, "stmt_rslt": result, "stmt_rslt_dscr": said}}


def _verdict(own: tuple[int, int, int, int], given: tuple[int, int, int, int]) -> str:
    """More rows at one side is "more"; the same number with other sums is a difference."""
    if own == given:
        return EQUAL
    if own[3] != given[3]:
        return CENTRE_MORE if own[3] > given[3] else PLACE_MORE
    return DIFFERENT


def _centre(call: Call, data: Fields, insutype: str) -> list[Row]:
    """The platform's rows of these days; what 2601 undid is no row."""
    begin, end = data.day("stmt_begndate"), data.day("stmt_enddate")
    if end < begin:
        raise Refused("对账结束日期早于开始日期")
    start = datetime.combine(begin, time.min, clock.SHANGHAI)
    stop = datetime.combine(end, time.min, clock.SHANGHAI) + timedelta(days=1)
    rows = Settlement.objects.filter(
        institution=call.institution,
        clr_type=data.need("clr_type", 6),
        clr_optins=data.need("setl_optins", 6),
        setl_time__gte=start,
        setl_time__lt=stop,
    ).exclude(state=Settlement.State.UNDONE)
    if insutype:
        rows = rows.filter(insutype=insutype)
    found = [
        Row(
            setl_id=row.setl_id,
            mdtrt_id=row.visit.mdtrt_id,
            psn_no=row.visit.person.psn_no,
            medfee_fen=row.medfee_fen,
            fund_fen=row.fund_fen + _account_inside(row),
            acct_fen=row.acct_fen,
            refunded="1" if row.kind == Settlement.Kind.CANCEL else "0",
            msgid=row.msgid,
        )
        for row in rows.select_related("visit__person", "institution").order_by("pk")
    ]
    return _planted(found, call.fault)


def _account_inside(row: Settlement) -> int:
    return row.acct_fen if row.institution.fund_includes_account else 0


def _planted(rows: list[Row], fault: Fault | None) -> list[Row]:
    """`bill_difference`: by its seed a row too many, a row too few, or a row with a yuan more."""
    if fault is None or fault.name != "bill_difference":
        return rows
    way = fault.seed % 3
    if way == 0 or not rows:
        ghost = Row("GHOST0001", "GHOST0001", "GHOST0001", 1234, 1000, 0, "0", "GHOST0001")
        return [*rows, ghost]
    if way == 1:
        return rows[:-1]
    last = rows[-1]
    return [
        *rows[:-1],
        replace(last, medfee_fen=last.medfee_fen + FEN, fund_fen=last.fund_fen + FEN),
    ]


def rows_compare(call: Call) -> Output:
    """3202: the institution's rows come in a zip of 9101, the verdict on each leaves in one."""
    data = call.data()
    for name in ("medfee_sumamt", "fund_pay_sumamt", "cash_payamt"):
        data.fen(name)
    data.whole("fixmedins_setl_cnt")
    theirs = {
        row.setl_id: row for row in _unpack(file_find(call, data.need("file_qury_no", 60)).content)
    }
    insutype = data.text("insutype", 6)
    centre = {row.setl_id: row for row in _centre(call, data, insutype)}
    lines = [
        _line(number, centre.get(number), theirs.get(number))
        for number in dict.fromkeys([*centre, *theirs])
    ]
    name = f"{call.institution.code}_{call.now:%Y%m%d%H%M%S}"
    kept = file_keep(call, f"{name}.zip", _pack(f"{name}.txt", lines))
    return {
        "fileinfo": {
            "file_qury_no": kept.file_qury_no,
            "filename": kept.filename,
            "dld_endtime": moment(kept.until),
        }
    }


def _line(number: str, own: Row | None, theirs: Row | None) -> str:
    if own is None:
        result = PLACE_MORE
    elif theirs is None:
        result = CENTRE_MORE
    else:
        result = EQUAL if replace(own, msgid="") == replace(theirs, msgid="") else DIFFERENT
    row = own or theirs
    if row is None:
        raise Refused("没有可对账的数据")
    return "\t".join(
        (
            row.psn_no,
            row.mdtrt_id,
            number,
            own.msgid if own else "",
            result,
            row.refunded,
            WORDS[result],
            yuan_text(row.medfee_fen),
            yuan_text(row.fund_fen),
            yuan_text(row.acct_fen),
        )
    )


def _unpack(content: bytes | memoryview) -> Iterable[Row]:
    """The first text in the zip: tab-separated rows, a heading is passed over."""
    try:
        with zipfile.ZipFile(io.BytesIO(bytes(content))) as packed:
            first = packed.infolist()[0]
            if first.file_size > UNZIPPED_MAX:
                raise Refused("对账明细文件过大")
            text = packed.read(first).decode("utf-8-sig")
    except (zipfile.BadZipFile, IndexError, UnicodeDecodeError) as error:
        raise Refused("对账明细文件不是有效的zip") from error
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    if rows and rows[0][0].strip() == "setl_id":
        rows = rows[1:]
    return [_row(place, row) for place, row in enumerate(rows, start=1)]


def _row(place: int, cells: list[str]) -> Row:
    if len(cells) != COLUMNS:
        raise Refused(f"对账明细第{place}行应有{COLUMNS}列")
    number, visit, person, *money, refunded = (cell.strip() for cell in cells)
    try:
        medfee, fund, account = (int(Decimal(one) * FEN) for one in money)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Refused(f"对账明细第{place}行金额不是数字") from error
    return Row(number, visit, person, medfee, fund, account, refunded)


def _pack(name: str, lines: list[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, "\n".join(lines) + "\n" if lines else "")
    return out.getvalue()
