"""2204 and 2205: fee lines with the catalogue of the place of care; all of a call or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from sandbox.nhsa.benefit import Line, Scope, half_up, line_scope
from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import CatalogueItem, FeeLine, Institution, Settlement, Visit
from sandbox.nhsa.numbers import number, yuan
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.visits import visit_find

ALL = "0000"
LINES_MAX = 100
FEW = 99_999_999
# What a line tells beside its money, kept as it came.
TOLD = (
    "rxno", "rx_circ_flag", "sin_dos_dscr", "used_frqu_dscr", "prd_days", "medc_way_dscr",
    "bilg_dept_codg", "bilg_dept_name", "bilg_dr_codg", "bilg_dr_name", "acord_dept_codg",
    "acord_dept_name", "orders_dr_code", "orders_dr_name", "hosp_appr_flag", "tcmdrug_used_way",
    "etip_flag", "etip_hosp_code", "dscg_tkdrug_flag", "matn_fee_flag", "fee_ocur_time",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """A line as the institution sends it."""

    sn: str
    batch: str
    code: str
    own_code: str
    amount_fen: int
    cnt: Decimal
    pric: Decimal
    dise_codg: str
    at: datetime
    told: dict[str, str]


def fees_upload(call: Call) -> Output:
    """2204"""
    rows = call.input.rows("feedetail", LINES_MAX)
    visit = visit_find(call, rows[0], lock=True)
    for row in rows[1:]:
        same = row.need("mdtrt_id", 30), row.need("psn_no", 30)
        if same != (visit.mdtrt_id, visit.person.psn_no):
            raise Refused("一次上传的明细必须属于同一就诊")
    wanted = [line_wanted(row) for row in rows]
    lines = lines_add(visit, wanted, call.now)
    return {"result": [line_json(line) for line in lines]}


def line_wanted(row: Fields) -> Wanted:
    amount, cnt, pric = (
        row.fen("det_item_fee_sumamt"),
        row.decimal("cnt", 4),
        row.decimal("pric", 6),
    )
    if amount <= 0 or cnt <= 0 or pric <= 0:
        raise row.wrong("det_item_fee_sumamt", "、数量、单价必须大于0")
    if max(cnt, pric) > FEW:
        raise row.wrong("cnt", "或单价过大")
    # A fen per unit is left to rounding by the institution.
    if abs(half_up(cnt * pric * 100) - amount) > max(1, half_up(cnt)):
        raise row.wrong("det_item_fee_sumamt", "与单价乘数量不符")
    return Wanted(
        sn=row.need("feedetl_sn", 30),
        batch=row.need("chrg_bchno", 30),
        code=row.need("med_list_codg", 50),
        own_code=row.need("medins_list_codg", 150),
        amount_fen=amount,
        cnt=cnt,
        pric=pric,
        dise_codg=row.text("dise_codg", 30),
        at=row.moment("fee_ocur_time"),
        told={name: row.text(name) for name in TOLD if row.text(name)},
    )


def lines_add(visit: Visit, wanted: list[Wanted], now: datetime) -> list[FeeLine]:
    """Add lines to a visit that has its diagnoses; every code must be known."""
    if not visit.med_type:
        raise Refused("请先上传就诊信息（2203A）")
    _numbers_check(visit, wanted)
    items = catalogue_items(visit.institution, wanted)
    lines = [_line(visit, one, items[one.code], now) for one in wanted]
    return FeeLine.objects.bulk_create(lines)


def _numbers_check(visit: Visit, wanted: list[Wanted]) -> None:
    numbers = [one.sn for one in wanted]
    known = set(visit.lines.filter(feedetl_sn__in=numbers).values_list("feedetl_sn", flat=True))
    twice = known | {sn for sn in numbers if numbers.count(sn) > 1}
    if twice:
        raise Refused(f"费用明细流水号重复：{'、'.join(sorted(twice)[:5])}")
    batches = {one.batch for one in wanted}
    for batch in batches:
        if batch == ALL:
            raise Refused("收费批次号不能为0000")
        if batch_settled(visit, batch):
            raise Refused(f"收费批次{batch}已结算，不能再上传明细")
        diseases = {one.dise_codg for one in wanted if one.batch == batch}
        diseases |= set(visit.lines.filter(batch=batch).values_list("dise_codg", flat=True))
        if len(diseases) > 1:
            raise Refused("同一收费批次的病种编码必须一致")


def batch_settled(visit: Visit, batch: str) -> bool:
    return visit.settlements.filter(
        batch=batch, kind=Settlement.Kind.SETTLE, state=Settlement.State.STANDS
    ).exists()


def catalogue_items(institution: Institution, wanted: list[Wanted]) -> Mapping[str, CatalogueItem]:
    """The catalogue of the place of care on each line's day; unknown codes are named together."""
    days = {one.code: one.at.date() for one in wanted}
    rows = CatalogueItem.objects.filter(
        region=f"{institution.admdvs[:2]}0000", code__in=days
    ).order_by("valid_from")
    items = {item.code: item for item in rows if _valid(item, days[item.code])}
    unknown = sorted(code for code in days if code not in items)
    if unknown:
        raise Refused(f"医保目录编码未对照或已失效：{'、'.join(unknown[:8])}")
    return items


def _valid(item: CatalogueItem, at: date) -> bool:
    return item.valid_from <= at and (item.valid_to is None or at <= item.valid_to)


def _line(visit: Visit, one: Wanted, item: CatalogueItem, now: datetime) -> FeeLine:
    scope = _scope(one, item)
    refuse = visit.institution.over_limit == Institution.OverLimit.REFUSE
    if scope.overlmt_fen and refuse:
        raise Refused(
            f"{item.name}单价{one.pric.normalize():f}超过限价{item.price_limit.normalize():f}"
        )
    return FeeLine(
        visit=visit,
        feedetl_sn=one.sn,
        batch=one.batch,
        dise_codg=one.dise_codg,
        code=one.code,
        own_code=one.own_code,
        name=item.name,
        level=item.level,
        chrgitm_type=item.chrgitm_type,
        selfpay_prop=item.selfpay_prop,
        price_limit=item.price_limit,
        limited_use=item.limited_use,
        cnt=one.cnt,
        pric=one.pric,
        amount_fen=one.amount_fen,
        fulamt_fen=scope.fulamt_fen,
        overlmt_fen=scope.overlmt_fen,
        preselfpay_fen=scope.preselfpay_fen,
        inscp_fen=scope.inscp_fen,
        told=one.told,
        created_at=now,
    )


def _scope(one: Wanted, item: CatalogueItem) -> Scope:
    unlimited = item.price_limit == CatalogueItem.NO_LIMIT
    return line_scope(
        Line(
            amount_fen=one.amount_fen,
            cnt=one.cnt,
            pric=one.pric,
            level=item.level,
            selfpay_prop=item.selfpay_prop,
            price_limit=None if unlimited else item.price_limit,
            approved=one.told.get("hosp_appr_flag") != "2",
        )
    )


def fees_remove(call: Call) -> Output:
    """2205: the unsettled lines of a batch, or of the whole visit."""
    data = call.data()
    visit = visit_find(call, data, lock=True)
    batch = data.need("chrg_bchno", 30)
    lines_remove(visit, batch)
    return {}


def lines_remove(visit: Visit, batch: str) -> int:
    rows = visit.lines.filter(settlement=None)
    if batch != ALL:
        if batch_settled(visit, batch):
            raise Refused(f"收费批次{batch}已结算，不能撤销明细")
        rows = rows.filter(batch=batch)
    count, _ = rows.delete()
    if not count:
        raise Refused("没有可撤销的费用明细")
    return count


def lines_waiting(visit: Visit, batch: str) -> list[FeeLine]:
    return list(visit.lines.filter(Q(batch=batch), settlement=None).order_by("pk"))


def line_json(line: FeeLine) -> dict[str, Any]:
    return {
        "feedetl_sn": line.feedetl_sn,
        "det_item_fee_sumamt": yuan(line.amount_fen),
        "cnt": number(line.cnt),
        "pric": number(line.pric),
        "pric_uplmt_amt": number(line.price_limit),
        "selfpay_prop": number(line.selfpay_prop),
        "fulamt_ownpay_amt": yuan(line.fulamt_fen),
        "overlmt_amt": yuan(line.overlmt_fen),
        "preselfpay_amt": yuan(line.preselfpay_fen),
        "inscp_scp_amt": yuan(line.inscp_fen),
        "chrgitm_lv": line.level,
        "med_chrgitm_type": line.chrgitm_type,
        "bas_medn_flag": "0",
        "hi_nego_drug_flag": "0",
        "chld_medc_flag": "0",
        "list_sp_item_flag": "0",
        "lmt_used_flag": "1" if line.limited_use else "0",
        "drt_reim_flag": "0",
        "memo": "",
    }


def line_told_json(line: FeeLine) -> dict[str, Any]:
    """A line of 5204: what it became and what was told of it."""
    told: dict[str, Any] = line_json(line) | line.told
    return told | {
        "chrg_bchno": line.batch,
        "med_list_codg": line.code,
        "medins_list_codg": line.own_code,
        "medins_list_name": line.name,
        "dise_codg": line.dise_codg,
    }
