"""3201, 3202, 9101 and 9102: the day's totals, and where they differ the rows, as zipped texts.

Refunds are rows of their own with negative amounts, on their own day.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from insurance.gateway.base import Call, GatewayFault, Operation, RegionProfile
from insurance.gateway.identities import Totals
from insurance.gateway.nhsa import wire
from insurance.gateway.reading import Different, Node, Unreadable
from insurance.gateway.visit_values import Scheme

RESULT_COLUMNS = (
    "psn_no",
    "mdtrt_id",
    "setl_id",
    "msgid",
    "stmt_rslt",
    "refd_setl_flag",
    "memo",
)
ADDED_COLUMNS = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")
RESULT_BYTES_MAX = 256 * 1024 * 1024  # unpacked: a day of a large hospital is a hundredth of it


class Verdict(StrEnum):
    """How the insurer's totals and ours compare (stmt_rslt)."""

    EVEN = "0"
    INSURER_MORE = "1"
    HOSPITAL_MORE = "2"
    DIFFERENT = "3"


@dataclass(frozen=True, slots=True)
class Group:
    """What is compared at once: one scheme, kind and office of clearing, over some days."""

    scheme: Scheme
    clearing_kind: str
    office: str
    from_day: date
    until_day: date


@dataclass(frozen=True, slots=True)
class TotalsVerdict:
    """The answer of 3201 for one group."""

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One settlement or refund as we know it."""

    settlement_no: str
    mdtrt_id: str
    person_no: str = field(repr=False)
    total_fen: int
    fund_fen: int
    account_fen: int
    refund: bool


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file at the platform."""

    number: str
    name: str


@dataclass(frozen=True, slots=True)
class DetailVerdict:
    """What the insurer says of one row."""

    settlement_no: str
    mdtrt_id: str
    person_no: str = field(repr=False)
    message_no: str
    verdict: Verdict
    refund: bool
    memo: str
    # Only where the region adds them; the fund's in its own way of counting.
    total_fen: int | None = None
    fund_fen: int | None = None
    account_fen: int | None = None


def totals_compare(group: Group, totals: Totals, *, refunds: bool = False) -> Call[TotalsVerdict]:
    """3201. Totals are said in the region's own way of counting (`fund_said_fen`)."""
    said = {
        "insutype": group.scheme.value,
        "clr_type": group.clearing_kind,
        "setl_optins": group.office,
        "stmt_begndate": f"{group.from_day:%Y-%m-%d}",
        "stmt_enddate": f"{group.until_day:%Y-%m-%d}",
        "medfee_sumamt": wire.yuan(totals.total_fen),
        "fund_pay_sumamt": wire.yuan(totals.fund_fen),
        "acct_pay": wire.yuan(totals.account_fen),
        "fixmedins_setl_cnt": str(totals.count),
        "refd_setl_flag": wire.flag(refunds),
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> TotalsVerdict:
        rows = Node(output).nodes("stmtinfo")
        if len(rows) != 1:
            raise Unreadable(f"stmtinfo: {len(rows)} rows, one was expected")
        rows[0].same("setl_optins", group.office)
        return TotalsVerdict(
            verdict=rows[0].code("stmt_rslt", Verdict), text=rows[0].text("stmt_rslt_dscr")
        )

    return Call(Operation.TOTALS, "3201", {"data": said}, read)


def fund_said_fen(split_fund_fen: int, account_fen: int, profile: RegionProfile) -> int:
    """The fund's sum as this region writes it, for the totals it compares with."""
    return split_fund_fen + (account_fen if profile.fund_includes_account else 0)


def file_upload(content: bytes, *, name: str, institution_code: str) -> Call[FileReference]:
    """9101: the bytes travel as a list of numbers, as the platform's own samples do."""
    said = {
        "fsUploadIn": {
            "in": list(content),
            "filename": name,
            "fixmedins_code": institution_code,
        }
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> FileReference:
        node = Node(output)
        found = node if node.has("file_qury_no") else _first(node, ("fsUploadOut", "data"))
        return FileReference(found.text("file_qury_no", required=True), name)

    return Call(Operation.FILE_UPLOAD, "9101", said, read)


def details_compare(
    group: Group, totals: Totals, *, cash_fen: int, file: FileReference
) -> Call[FileReference]:
    """3202: compare row by row what was uploaded; the value is the result's file."""
    said = {
        "setl_optins": group.office,
        "file_qury_no": file.number,
        "stmt_begndate": f"{group.from_day:%Y-%m-%d}",
        "stmt_enddate": f"{group.until_day:%Y-%m-%d}",
        "medfee_sumamt": wire.yuan(totals.total_fen),
        "fund_pay_sumamt": wire.yuan(totals.fund_fen),
        "cash_payamt": wire.yuan(cash_fen),
        "fixmedins_setl_cnt": str(totals.count),
        "clr_type": group.clearing_kind,
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> FileReference:
        found = Node(output).node("fileinfo")
        return FileReference(
            found.text("file_qury_no", required=True), found.text("filename", required=True)
        )

    return Call(Operation.DETAILS, "3202", {"data": said}, read)


def file_download(file: FileReference, *, institution_code: str) -> Call[bytes]:
    """9102: the file itself, no envelope."""
    said = {
        "fsDownloadIn": {
            "file_qury_no": file.number,
            "filename": file.name,
            "fixmedins_code": institution_code,
        }
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> bytes:
        found = output.get("file")
        if not isinstance(found, bytes):
            raise Unreadable("9102 answered an envelope instead of a file")
        return found

    return Call(Operation.FILE_DOWNLOAD, "9102", said, read, binary=True)


def rows_pack(rows: Iterable[StatementRow], *, name: str) -> bytes:
    """The rows as tab-separated text in a zip, the same bytes for the same rows."""
    lines = ["\t".join(_columns(row)) for row in rows]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date, so that packing twice makes one file.
        entry = zipfile.ZipInfo(f"{name}.txt")
        archive.writestr(entry, "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def verdicts_unpack(content: bytes) -> tuple[DetailVerdict, ...]:
    """The rows of a result file; every column it should have must be there."""
    rows = [line.split("\t") for line in _text_of(content).splitlines() if line.strip()]
    if rows and rows[0][0] == RESULT_COLUMNS[0]:
        rows = rows[1:]  # some regions name the columns in the first line
    wide = next((row for row in rows if len(row) < 6), None)  # noqa: PLR2004
    if wide is not None:
        raise Unreadable(f"3202: a result row has {len(wide)} columns")
    found = []
    for place, row in enumerate(rows):
        known = (*RESULT_COLUMNS, *ADDED_COLUMNS) if len(row) > len(RESULT_COLUMNS) else None
        names = known or RESULT_COLUMNS
        node = Node(dict(zip(names, [*row, ""], strict=False)), f"row {place + 1}")
        found.append(
            DetailVerdict(
                settlement_no=node.text("setl_id"),
                mdtrt_id=node.text("mdtrt_id"),
                person_no=node.text("psn_no"),
                message_no=node.text("msgid"),
                verdict=node.code("stmt_rslt", Verdict),
                refund=node.flag("refd_setl_flag"),
                memo=node.text("memo"),
                **{
                    name: node.fen_or_none(column)
                    for name, column in zip(
                        ("total_fen", "fund_fen", "account_fen"), ADDED_COLUMNS, strict=True
                    )
                },
            )
        )
    return tuple(found)


def _text_of(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) != 1:
                raise Different(f"3202: the zip holds {len(entries)} files")
            if entries[0].file_size > RESULT_BYTES_MAX:
                raise Unreadable("3202: the result is too large")
            return archive.read(entries[0]).decode("utf-8-sig")
    except GatewayFault:
        raise
    except (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, RuntimeError, OSError) as error:
        raise Unreadable(f"3202: no readable zip: {error}") from error


def _columns(row: StatementRow) -> tuple[str, ...]:
    return (
        row.settlement_no,
        row.mdtrt_id,
        row.person_no,
        wire.yuan(row.total_fen),
        wire.yuan(row.fund_fen),
        wire.yuan(row.account_fen),
        wire.flag(row.refund),
    )


def _first(node: Node, names: tuple[str, ...]) -> Node:
    for name in names:
        rows = node.nodes(name)
        if rows:
            return rows[0]
    raise Unreadable("output names no file")
