"""2206, 2207 and 2208: trial, settlement and its cancellation, each whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F

from sandbox.nhsa import shown
from sandbox.nhsa.benefit import Purse, Scope, Split, broken_identities, scope_sum, split
from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.family import account_of, links_of
from sandbox.nhsa.fees import batch_settled, line_told_json, lines_waiting
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Coverage, FeeLine, MobileOrder, Settlement, Visit
from sandbox.nhsa.numbers import settlement_number
from sandbox.nhsa.people import pool_of, visit_credential_check
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.rights import Rights, accumulator_of, rights_of
from sandbox.nhsa.visits import MED_TYPES, visit_find
from sandbox.world.faults import Fault

OUTPATIENT, PHARMACY = "11", "41"
PRICED_BY_ITEM = "01"
LESS, MORE = Decimal("0.2"), Decimal("0.1")


def presettle(call: Call) -> Output:
    """2206: what 2207 would say now; nothing is kept."""
    visit, lines = _asked(call)
    data = call.data()
    one, rights = trial(visit, lines, account_used=data.need("acct_used_flag") == "1")
    return shown.split_json(visit, one, rights, call.now)


def settle(call: Call) -> Output:
    """2207"""
    visit, lines = _asked(call)
    data = call.data()
    row = settlement_make(
        visit,
        lines,
        account_used=data.need("acct_used_flag") == "1",
        msgid=call.msgid,
        now=call.now,
        fault=call.fault,
    )
    if not call.struck("settle_differs"):
        _echo_check(data, row)
    return shown.settlement_json(row)


def _asked(call: Call) -> tuple[Visit, list[FeeLine]]:
    """The visit and batch of 2206 and 2207 after everything that can be wrong with the asking."""
    data = call.data()
    visit = visit_find(call, data, lock=True)
    visit_credential_check(visit, data)
    if not visit.med_type:
        raise Refused("请先上传就诊信息（2203A）")
    if data.choice("med_type", MED_TYPES) != visit.med_type:
        raise Refused("医疗类别与就诊信息不一致")
    if data.need("insutype", 6) != visit.coverage.insutype:
        raise Refused("险种与挂号时不一致")
    data.choice("psn_setlway", ("01", "02"))
    data.choice("acct_used_flag", ("0", "1"))
    return visit, batch_ready(visit, data.need("chrg_bchno", 30), data.fen("medfee_sumamt"))


def batch_ready(visit: Visit, batch: str, fee_fen: int) -> list[FeeLine]:
    """The batch's lines, when they are unsettled and add up to the fee."""
    if visit.coverage.psn_insu_stas != Coverage.ACTIVE:
        raise Refused("参保状态不正常，不能享受医保待遇")
    if batch_settled(visit, batch):
        raise Refused(f"收费批次{batch}已结算，不能重复结算")
    lines = lines_waiting(visit, batch)
    if not lines:
        raise Refused(f"收费批次{batch}没有费用明细，请先上传（2204）")
    total = sum(line.amount_fen for line in lines)
    if total != fee_fen:
        raise Refused(f"医疗费总额{fee_fen / 100:.2f}与明细合计{total / 100:.2f}不一致")
    return lines


def _echo_check(data: Fields, row: Settlement) -> None:
    """What the institution repeats of the trial must be what is settled."""
    echoes = {
        "fulamt_ownpay_amt": row.fulamt_fen,
        "overlmt_selfpay": row.overlmt_fen,
        "preselfpay_amt": row.preselfpay_fen,
        "inscp_scp_amt": row.inscp_fen,
    }
    for name, fen in echoes.items():
        if data.fen_or_none(name) not in (None, fen):
            raise Refused(f"预结算金额不匹配：{name}")


def trial(
    visit: Visit, lines: list[FeeLine], *, account_used: bool, fault: Fault | None = None
) -> tuple[Split, Rights]:
    """What the rules say now, from the year as it stands."""
    used = accumulator_of(visit)
    rights = rights_of(visit, used, account_used=account_used)
    return _split(lines, rights, fault), rights


def _split(lines: list[FeeLine], rights: Rights, fault: Fault | None) -> Split:
    scope = scope_sum(
        [
            Scope(line.fulamt_fen, line.overlmt_fen, line.preselfpay_fen, line.inscp_fen)
            for line in lines
        ]
    )
    one = split(scope, rights.terms, rights.purse)
    if fault is not None and fault.name == "settle_differs":
        one = _other_split(scope, rights, one, higher=fault.seed % 2 == 0)
    broken = broken_identities(one)
    if broken:
        raise Refused(f"结算金额不平：{'、'.join(broken)}")
    return one


def _other_split(scope: Scope, rights: Rights, one: Split, *, higher: bool) -> Split:
    """A settlement that is not the trial: with an even seed the cash is higher, odd lower."""
    ratio = max(rights.terms.ratio - LESS, Decimal(0)) if higher else rights.terms.ratio + MORE
    terms = replace(rights.terms, ratio=min(ratio, Decimal(1)))
    if not higher:
        return split(scope, replace(terms, deductible_left_fen=0), rights.purse)
    # The account gives no more than it did, and a yuan less where it has one.
    own = max(one.acct_fen - one.mulaid_fen - 100, 0)
    family = tuple((who, max(fen - 100, 0)) for who, fen in one.aid_payers)
    return split(scope, terms, Purse(own, rights.purse.pays_excluded, family))


def settlement_make(
    visit: Visit,
    lines: list[FeeLine],
    *,
    account_used: bool,
    msgid: str,
    now: datetime,
    fault: Fault | None,
) -> Settlement:
    """Settle a batch: accounts, the year and the lines change together. Visit is locked."""
    _accounts_lock(visit)
    used = accumulator_of(visit, lock=True)
    visit.coverage.refresh_from_db()
    rights = rights_of(visit, used, account_used=account_used)
    one = _split(lines, rights, fault)
    deltas = _deltas(one)
    balance = _accounts_move(visit, one.acct_fen - one.mulaid_fen, one.aid_payers)
    used.add(deltas)
    used.save()
    pharmacy = visit.institution.kind == "2"
    row = Settlement(
        setl_id=settlement_number(),
        kind=Settlement.Kind.SETTLE,
        visit=visit,
        institution=visit.institution,
        msgid=msgid,
        insutype=visit.coverage.insutype,
        med_type=visit.med_type,
        batch=lines[0].batch,
        clr_type=PHARMACY if pharmacy else OUTPATIENT,
        clr_way=PRICED_BY_ITEM,
        clr_optins=pool_of(visit.coverage.insuplc_admdvs),
        year=visit.begntime.year,
        balance_fen=balance,
        ratio=one.ratio,
        aid_payers=[list(part) for part in one.aid_payers],
        deltas=deltas,
        lines=[line_told_json(line) for line in lines],
        said=rights.said,
        setl_time=now,
        **{name: getattr(one, name) for name in Settlement.AMOUNTS},
    )
    row.details = shown.details(one, visit.coverage.insutype, rights.terms.cap_left_fen)
    row.save(force_insert=True)
    FeeLine.objects.filter(pk__in=[line.pk for line in lines]).update(settlement=row)
    return row


def _deltas(one: Split) -> dict[str, Any]:
    return {
        "medfee_fen": one.medfee_fen,
        "deductible_fen": one.dedc_fen,
        "fund_fen": one.hifp_fen,
        "scope_self_fen": one.scope_self_fen,
        "serious_fen": one.hifmi_fen + one.hifob_fen,
        "civil_fen": one.cvlserv_fen,
        "aid_fen": one.maf_fen,
        "account_fen": one.acct_fen,
        "visits": 1,
    }


def _accounts_lock(visit: Visit) -> None:
    """Every account that may move, in one order, so that two settlements never wait in a ring."""
    family = [account_of(link.payer) for link in links_of(visit.person)]
    numbers = {visit.coverage_id, *(one.pk for one in family if one is not None)}
    coverages_lock(numbers)


def coverages_lock(numbers: set[int]) -> None:
    rows = Coverage.objects.filter(pk__in=numbers).order_by("pk").select_for_update(of=("self",))
    list(rows.values_list("pk", flat=True))


def _accounts_move(visit: Visit, own_fen: int, family: tuple[tuple[int, int], ...]) -> int:
    """Take from the accounts (or give back, negative); returns the own balance after."""
    for pk, fen in ((visit.coverage_id, own_fen), *family):
        changed = Coverage.objects.filter(pk=pk, balance_fen__gte=fen).update(
            balance_fen=F("balance_fen") - fen
        )
        if not changed:
            raise Refused("个人账户余额不足")
    visit.coverage.refresh_from_db()
    return visit.coverage.balance_fen


def settle_cancel(call: Call) -> Output:
    """2208: everything back, as a row of its own with a new number."""
    data = call.data()
    visit = visit_find(call, data, lock=True)
    rows = Settlement.objects.filter(visit=visit, kind=Settlement.Kind.SETTLE)
    row = rows.filter(setl_id=data.need("setl_id", 30)).first()
    if row is None:
        raise Refused("未找到结算记录")
    if row.state != Settlement.State.STANDS:
        raise Refused("该结算已撤销")
    if MobileOrder.objects.filter(settlement=row).exists():
        raise Refused("移动支付的结算请通过移动支付退费（6203）")
    if call.struck("already_cleared"):
        raise Refused("该结算已清算，不能撤销")
    back = settlement_mirror(
        row, visit, kind=Settlement.Kind.CANCEL, msgid=call.msgid, now=call.now
    )
    row.state = Settlement.State.CANCELLED
    row.save(update_fields=["state"])
    FeeLine.objects.filter(settlement=row).update(settlement=None)
    return shown.settlement_json(back)


def settlement_mirror(
    row: Settlement, visit: Visit, *, kind: Settlement.Kind, msgid: str, now: datetime
) -> Settlement:
    """The exact negative of a row: accounts, the year and the fund as if it had not been."""
    coverages_lock({visit.coverage_id, *(pk for pk, _ in row.aid_payers)})
    used = accumulator_of(visit, lock=True)
    deltas = {name: -value for name, value in row.deltas.items()}
    family = tuple((pk, -fen) for pk, fen in row.aid_payers)
    balance = _accounts_move(visit, -(row.acct_fen - row.mulaid_fen), family)
    used.add(deltas)
    used.save()
    back = Settlement(
        setl_id=settlement_number(),
        kind=kind,
        parent=row,
        visit=visit,
        institution=row.institution,
        msgid=msgid,
        balance_fen=balance,
        aid_payers=[list(part) for part in family],
        deltas=deltas,
        details=shown.details_mirrored(row.details),
        setl_time=now,
        **{name: getattr(row, name) for name in SAME},
        **{name: -getattr(row, name) for name in Settlement.AMOUNTS},
    )
    back.save(force_insert=True)
    return back


SAME = (
    "insutype",
    "med_type",
    "batch",
    "clr_type",
    "clr_way",
    "clr_optins",
    "year",
    "ratio",
    "lines",
)
