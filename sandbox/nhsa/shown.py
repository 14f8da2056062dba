"""How a trial or a settlement is written: `setlinfo` and `setldetail`, with their odd spellings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.nhsa.benefit import FUNDS, Split
from sandbox.nhsa.models import Settlement, Visit
from sandbox.nhsa.numbers import moment, number, yuan
from sandbox.nhsa.people import age_of, base_json, pool_of
from sandbox.nhsa.rights import Rights

UNLIMITED_FEN = 99_999_999_00
# Wire name of each amount, by our own.
AMOUNTS = {
    "medfee_fen": "medfee_sumamt",
    "fulamt_fen": "fulamt_ownpay_amt",
    "overlmt_fen": "overlmt_selfpay",
    "preselfpay_fen": "preselfpay_amt",
    "inscp_fen": "inscp_scp_amt",
    "dedc_fen": "act_pay_dedc",
    "hifp_fen": "hifp_pay",
    "cvlserv_fen": "cvlserv_pay",
    "hifes_fen": "hifes_pay",
    "hifmi_fen": "hifmi_pay",
    "hifob_fen": "hifob_pay",
    "maf_fen": "maf_pay",
    "hifdm_fen": "hifdm_pay",
    "oth_fen": "oth_pay",
    "fund_fen": "fund_pay_sumamt",
    "psn_part_fen": "psn_part_amt",
    "acct_fen": "acct_pay",
    "cash_fen": "psn_cash_pay",
    "hosp_part_fen": "hosp_part_amt",
    "mulaid_fen": "acct_mulaid_pay",
}
# (amount, fund_pay_type of employees, of residents, name); the last three are no fund.
TYPES = (
    ("hifp_fen", "310101", "390101", "基本医疗统筹基金"),
    ("cvlserv_fen", "320100", "320100", "公务员医疗补助"),
    ("hifes_fen", "370100", "370100", "企业补充医疗保险"),
    ("hifmi_fen", "390201", "390201", "城乡居民大病保险"),
    ("hifob_fen", "330101", "330101", "职工大额医疗费用补助"),
    ("maf_fen", "610101", "610101", "医疗救助"),
    ("oth_fen", "999997", "999997", "商业补充医疗保险"),
    ("acct_fen", "310201", "390501", "个人账户"),
    ("hosp_part_fen", "999996", "999996", "医院垫付"),
)


def details(one: Split, insutype: str, cap_left_fen: int | None) -> list[dict[str, Any]]:
    """Who paid, row by row; what is no fund is among them, so a sum of all is a mistake."""
    limit = UNLIMITED_FEN if cap_left_fen is None else cap_left_fen
    resident = insutype != "310"
    return [
        {
            "fund_pay_type": code390 if resident else code310,
            "inscp_scp_amt": yuan(one.inscp_fen if name in FUNDS else 0),
            "crt_payb_lmt_amt": yuan(limit if name == "hifp_fen" else 0),
            "fund_payamt": yuan(getattr(one, name)),
            "fund_pay_type_name": words,
            "setl_proc_info": "",
        }
        for name, code310, code390, words in TYPES
        if getattr(one, name)
    ]


def details_mirrored(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        row | {name: 0 - row[name] for name in ("fund_payamt", "inscp_scp_amt")} for row in rows
    ]


def _setlinfo(visit: Visit, amounts: dict[str, int], at: datetime) -> dict[str, Any]:
    coverage, base = visit.coverage, base_json(visit.person, at.date())
    fen = dict(amounts)
    if visit.institution.fund_includes_account:
        fen["fund_fen"] += fen["acct_fen"]
    told = {name: base[name] for name in base if name != "exp_content"}
    return (
        told
        | {
            "mdtrt_id": visit.mdtrt_id,
            "age": age_of(visit.person, at.date()),
            "insutype": coverage.insutype,
            "psn_type": coverage.psn_type,
            "cvlserv_flag": coverage.cvlserv_flag,
            "setl_time": moment(at),
            "mdtrt_cert_type": visit.cert_type,
            "med_type": visit.med_type,
            "clr_optins": pool_of(coverage.insuplc_admdvs),
            "clr_way": "01",
            "clr_type": "41" if visit.institution.kind == "2" else "11",
        }
        | {wire: yuan(fen[name]) for name, wire in AMOUNTS.items()}
    )


def split_json(visit: Visit, one: Split, rights: Rights, at: datetime) -> dict[str, Any]:
    """2206: as a settlement, without a number; the balance is what would be left."""
    info = _setlinfo(visit, {name: getattr(one, name) for name in AMOUNTS}, at)
    own = one.acct_fen - one.mulaid_fen
    info |= {
        "pool_prop_selfpay": number(one.ratio),
        "balc": yuan(visit.coverage.balance_fen - own),
        "exp_content": rights.said,
    }
    rows = details(one, visit.coverage.insutype, rights.terms.cap_left_fen)
    return {"setlinfo": info, "setldetail": rows}


def settlement_json(row: Settlement) -> dict[str, Any]:
    """2207 and 2208; the message number of the call is the institution's settlement number."""
    info = _setlinfo(row.visit, {name: getattr(row, name) for name in AMOUNTS}, row.setl_time)
    info |= {
        "setl_id": row.setl_id,
        "pool_prop_selfpay": number(row.ratio),
        "balc": yuan(row.balance_fen),
        "medins_setl_id": row.msgid,
        "clr_optins": row.clr_optins,
        "clr_way": row.clr_way,
        "clr_type": row.clr_type,
        "exp_content": row.said,
    }
    if row.kind == Settlement.Kind.CANCEL:
        # The specification spells it so in 2208; the right name is there as well.
        info["pdn_cash_pay"] = info["psn_cash_pay"]
    return {"setlinfo": info, "setldetail": row.details}
