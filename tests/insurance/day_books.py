"""A day of many settlements on both sides: ours as rows, the insurer's in books of its own.

`day_seed` copies one settled claim by set-based SQL, amounts and visits differing, every twentieth
reversed. `Books` is what the insurer knows of that day; `differ` changes it and says which
differences must be found. Its 3201 and 3202 count and compare by themselves.
"""

from __future__ import annotations

import io
import random
import zipfile
from dataclasses import dataclass, field, replace

from django.db import connection

from core import clock
from core.money import yuan_text
from insurance.gateway.base import Answer, Call, Site, Stamp, Value
from insurance.gateway.envelope import believed
from insurance.gateway.nhsa.statements import RESULT_COLUMNS
from insurance.models import Institution, StatementDifference
from insurance.services.statements import DayReport, day_compare
from tests.insurance.instant import (
    ANSWERS,
    InstantInsurer,
    Said,
    claim_begun,
    insurer_replace,
    price_and_settle,
)

FIRST = 1_000_000  # beyond what any sequence has reached
REVERSED_EACH = 20
EVEN, THEIRS, OURS, AMOUNTS = "0", "1", "2", "3"
Differences = set[tuple[str, str]]

VISITS = {
    "id": "n", "visit_no": "'OP' || n", "mdtrt_id": "'MD' || n",
}  # fmt: skip
CLAIMS = {
    "invoice_ref": "n",
    "batch_no": "'CB' || n",
    "settlement_no": "'S' || n",
    "mdtrt_id": "'MD' || n",
    "visit_id": "n",
    "settle_message_id": "NULL",
    "amount_fen": "amount_fen + mod(n, 97)",
    "priced_cash_fen": "priced_cash_fen + mod(n, 97)",
    "settled_cash_fen": "settled_cash_fen + mod(n, 97)",
    "status": f"CASE WHEN mod(n, {REVERSED_EACH}) = 0 THEN 'REVERSED' ELSE status END",
    "reversal_no": f"CASE WHEN mod(n, {REVERSED_EACH}) = 0 THEN 'R' || n ELSE '' END",
    "reversed_at": f"CASE WHEN mod(n, {REVERSED_EACH}) = 0 THEN settled_at END",
}
KNOWN = """
SELECT number, mdtrt_id, sign * amount_fen, sign * settled_fund_fen,
  sign * (settled_own_account_fen + settled_mutual_aid_fen), settled->>'scheme', sign < 0
FROM (
  SELECT *, settlement_no AS number, 1 AS sign FROM insurance_claim WHERE settlement_no <> ''
  UNION ALL
  SELECT *, reversal_no, -1 FROM insurance_claim WHERE reversal_no <> ''
) AS moved ORDER BY number
"""


@dataclass(frozen=True)
class Row:
    """A settlement or its reversal as the insurer has it."""

    number: str
    mdtrt_id: str
    total_fen: int
    fund_fen: int
    account_fen: int
    scheme: str
    refund: bool


@dataclass
class Books(InstantInsurer):
    """The insurer's side of a day."""

    rows: dict[str, Row] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    repeats: bool = False  # every row of a result stands in it twice

    def send(self, call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
        self.heard.append(call.code)
        own = {"3201": self._totals, "9101": self._kept, "3202": self._details, "9102": self._file}
        said = (own.get(call.code) or ANSWERS[call.code])(call.input)
        return believed(call, site, said, "1").numbered(stamp.message_no)

    def _totals(self, said: Said) -> Said:
        asked = said["data"]
        mine = [row for row in self.rows.values() if row.scheme == asked["insutype"]]
        even = [
            str(len(mine)),
            *(yuan_text(sum(getattr(row, name) for row in mine)) for name in _SUMS),
        ] == [asked[name] for name in ("fixmedins_setl_cnt", "medfee_sumamt", "fund_pay_sumamt",
                                       "acct_pay")]  # fmt: skip
        told = {"setl_optins": asked["setl_optins"], "stmt_rslt": EVEN if even else AMOUNTS}
        return {"stmtinfo": told}

    def _kept(self, said: Said) -> Said:
        self.files["F1"] = bytes(said["fsUploadIn"]["in"])
        return {"file_qury_no": "F1"}

    def _details(self, said: Said) -> Said:
        with zipfile.ZipFile(io.BytesIO(self.files[said["data"]["file_qury_no"]])) as archive:
            text = archive.read(archive.namelist()[0]).decode()
        sent = {row[0]: row for row in (one.split("\t") for one in text.splitlines())}
        lines = ["\t".join(self._verdict(number, sent.get(number))) for number in
                 sorted({*sent, *self.rows})]  # fmt: skip
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("result.txt", "\n".join(lines * (2 if self.repeats else 1)))
        self.files["F2"] = packed.getvalue()
        return {"fileinfo": {"file_qury_no": "F2", "filename": "result.zip"}}

    def _file(self, said: Said) -> Said:
        return {"file": self.files[said["fsDownloadIn"]["file_qury_no"]]}

    def _verdict(self, number: str, sent: list[str] | None) -> list[str]:
        mine = self.rows.get(number)
        if mine is None:
            assert sent is not None
            values = {"mdtrt_id": sent[1], "stmt_rslt": OURS, "refd_setl_flag": sent[6]}
            amounts = sent[3:6]
        else:
            amounts = [yuan_text(getattr(mine, name)) for name in _SUMS]
            verdict = THEIRS if sent is None else EVEN if sent[3:6] == amounts else AMOUNTS
            values = {"mdtrt_id": mine.mdtrt_id, "stmt_rslt": verdict,
                      "refd_setl_flag": str(int(mine.refund))}  # fmt: skip
        values["setl_id"] = number
        return [*(values.get(name, "") for name in RESULT_COLUMNS), *amounts]

    def differ(self, each: int) -> Differences:
        """So many of each kind: unknown there, other amounts, unknown here; settlements and
        reversals, spread over the day. What must be found is answered."""
        spread = self._spread(3 * each)
        wrong: Differences = set()
        for row in spread[:each]:
            del self.rows[row.number]
            wrong.add((OURS, row.number))
        for row in spread[each : 2 * each]:
            self.rows[row.number] = replace(row, fund_fen=row.fund_fen + 1)
            wrong.add((AMOUNTS, row.number))
        for row in spread[2 * each :]:
            ghost = replace(row, number=f"GHOST{row.number}")
            self.rows[ghost.number] = ghost
            wrong.add((THEIRS, ghost.number))
        return wrong

    def _spread(self, count: int) -> list[Row]:
        """Rows of the whole day, a third of them reversals, in no order."""
        chosen: list[Row] = []
        for refund, share in ((False, count - count // 3), (True, count // 3)):
            known = [row for row in self.rows.values() if row.refund is refund]
            chosen += known[:: max(1, len(known) // share)][:share]
        if len(chosen) != count:
            raise ValueError(f"the day is too small for {count} differences")
        random.Random(count).shuffle(chosen)
        return chosen


_SUMS = ("total_fen", "fund_fen", "account_fen")


def day_seed(place: Institution, count: int) -> Books:
    """So many settlements of today, besides one that the services made, known to both sides."""
    books = Books()
    with insurer_replace(books):
        model = claim_begun(place, 1, 3)
        price_and_settle(model.pk)
    model.refresh_from_db()
    last = FIRST + count - 2
    with connection.cursor() as cursor:
        for table, changes, key in (
            ("insurance_insuredvisit", VISITS, model.visit_id),
            ("insurance_claim", CLAIMS, model.pk),
        ):
            cursor.execute(_copy(table, changes), [FIRST, last, key])
        cursor.execute(KNOWN)
        books.rows = {row[0]: Row(*row) for row in cursor.fetchall()}
    return books


def _copy(table: str, changes: dict[str, str]) -> str:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    columns = [one.name for one in found if one.name != "id" or "id" in changes]
    chosen = ", ".join(changes.get(column, column) for column in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen}"
        f" FROM {table}, generate_series(%s, %s) AS n WHERE id = %s"
    )


def day_look(place: Institution, books: Books) -> DayReport:
    """The portal's own comparison of today with these books."""
    with insurer_replace(books):
        return day_compare(institution_id=place.pk, day=clock.today())


def differences_found() -> Differences:
    """What stands as different."""
    rows = StatementDifference.objects.filter(gone_at=None)
    return set(rows.values_list("kind", "settlement_no"))
