"""2204 and 2205: the priced lines of one settlement, sent in batches and taken away whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.claim_values import NO_PRICE_LIMIT, ChargeLine, LineLevel, LineResult
from insurance.gateway.identities import line_check
from insurance.gateway.nhsa import wire
from insurance.gateway.reading import Different, Node, Unreadable

INPUT_CHARACTERS_MAX = 40_000  # of the envelope's input
NUMBER_MAX, BATCH_MAX = 30, 30
QUANTITY_PLACES, PRICE_PLACES = 4, 6
ALL_UNSETTLED = "0000"


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Whose lines these are. One batch is one settlement, and all its lines one disease code."""

    person_no: str
    mdtrt_id: str
    batch_no: str
    insured_area: str
    disease_code: str = ""


def lines_send(
    batch: LineBatch, lines: Sequence[ChargeLine], *, lines_per_call: int
) -> list[Call[tuple[LineResult, ...]]]:
    """2204, as many calls as the platform's limits need; the first refusal ends the row of them."""
    if len({line.number for line in lines}) != len(lines):
        raise ValueError("two lines of a batch bear one number")
    if any(line.disease_code not in ("", batch.disease_code) for line in lines):
        raise ValueError("all lines of a batch share one disease code")
    return [_call(batch, part) for part in _parts(batch, lines, lines_per_call)]


def lines_cancel(batch: LineBatch, *, every: bool = False) -> Call[bool]:
    """2205: take the batch away, or with `every` all unsettled lines of the visit."""
    said = {
        "mdtrt_id": batch.mdtrt_id,
        "chrg_bchno": ALL_UNSETTLED if every else batch.batch_no,
        "psn_no": batch.person_no,
    }

    def read(_output: Mapping[str, object], _profile: RegionProfile) -> bool:
        return True

    # Nothing to take away is as good as taken away.
    return Call(
        Operation.LINES_CANCEL,
        "2205",
        {"data": said},
        read,
        insured_area=batch.insured_area,
        nothing=False,
    )


Written = tuple[ChargeLine, dict[str, object]]


def _parts(
    batch: LineBatch, lines: Sequence[ChargeLine], lines_per_call: int
) -> Iterator[list[Written]]:
    """Greedy: as many lines as fit by count and by length."""
    part: list[Written] = []
    length = 0
    for line in lines:
        written = line_body(batch, line)
        size = len(json.dumps(written, ensure_ascii=False)) + 2
        if part and (len(part) >= lines_per_call or length + size > INPUT_CHARACTERS_MAX - 100):
            yield part
            part, length = [], 0
        part.append((line, written))
        length += size
    if part:
        yield part


def _call(batch: LineBatch, part: list[Written]) -> Call[tuple[LineResult, ...]]:
    sent = {line.number: line for line, _written_line in part}

    def read(output: Mapping[str, object], _profile: RegionProfile) -> tuple[LineResult, ...]:
        results = tuple(_result(row) for row in Node(output).nodes("result"))
        _compare(sent, results)
        return results

    return Call(
        Operation.LINES,
        "2204",
        {"feedetail": [written for _line, written in part]},
        read,
        insured_area=batch.insured_area,
    )


def _compare(sent: Mapping[str, ChargeLine], results: Sequence[LineResult]) -> None:
    """Every line answered once, with the amount it was sent with, its parts adding up."""
    answered = {result.number: result for result in results}
    if len(answered) != len(results) or answered.keys() != sent.keys():
        raise Different(f"result: {len(sent)} lines were sent, {len(results)} answered")
    for number, result in answered.items():
        if result.amount_fen != sent[number].amount_fen:
            raise Different(
                f"line {number}: {wire.yuan(sent[number].amount_fen)} was sent,"
                f" {wire.yuan(result.amount_fen)} answered"
            )
        line_check(result)


def line_body(batch: LineBatch, line: ChargeLine) -> dict[str, object]:
    """One line as 2204 writes it."""
    return {
        "feedetl_sn": wire.fitting("feedetl_sn", line.number, NUMBER_MAX),
        "mdtrt_id": batch.mdtrt_id,
        "psn_no": batch.person_no,
        "chrg_bchno": wire.fitting("chrg_bchno", batch.batch_no, BATCH_MAX),
        "dise_codg": batch.disease_code,
        "rxno": line.prescription_no,
        "rx_circ_flag": wire.flag(line.outside),
        "fee_ocur_time": wire.moment(line.ordered_at),
        "med_list_codg": line.national_code,
        "medins_list_codg": line.hospital_code,
        "det_item_fee_sumamt": wire.yuan(line.amount_fen),
        "cnt": wire.plain(line.quantity, QUANTITY_PLACES),
        "pric": wire.plain(line.unit_price, PRICE_PLACES),
        "sin_dos_dscr": line.dose,
        "used_frqu_dscr": line.frequency,
        "prd_days": line.days,
        "medc_way_dscr": line.route,
        "bilg_dept_codg": line.ordering_department_code,
        "bilg_dept_name": line.ordering_department_name,
        "bilg_dr_codg": line.doctor_code,
        "bilg_dr_name": line.doctor_name,
        "acord_dept_codg": line.executing_department_code,
        "acord_dept_name": line.executing_department_name,
        "orders_dr_code": "",
        "orders_dr_name": "",
        "hosp_appr_flag": line.approval,
        "tcmdrug_used_way": "",
        "etip_flag": "",
        "etip_hosp_code": "",
        "dscg_tkdrug_flag": "",
        "matn_fee_flag": "",
    }


def _result(row: Node) -> LineResult:
    limit = row.decimal("pric_uplmt_amt")
    share = row.decimal("selfpay_prop")
    if share is not None and not 0 <= share <= 1:
        raise Unreadable(f"result.selfpay_prop is no share: {share}")
    return LineResult(
        number=row.text("feedetl_sn", required=True),
        amount_fen=row.fen("det_item_fee_sumamt"),
        own_fen=row.fen("fulamt_ownpay_amt", required=False),
        over_limit_fen=row.fen("overlmt_amt", required=False),
        first_own_fen=row.fen("preselfpay_amt", required=False),
        in_scope_fen=row.fen("inscp_scp_amt", required=False),
        level=row.code("chrgitm_lv", LineLevel) if row.has("chrgitm_lv") else None,
        category=row.text("med_chrgitm_type"),
        own_share=share,
        price_limit=None if limit is None or limit >= NO_PRICE_LIMIT else limit,
        limited_use=row.flag("lmt_used_flag"),
    )
