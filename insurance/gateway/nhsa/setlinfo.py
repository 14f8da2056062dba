"""`setlinfo` and `setldetail`: the settlement result, as 2206, 2207, 2208 and 5203 write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from insurance.gateway.base import RegionProfile
from insurance.gateway.claim_values import (
    FundKind,
    FundParts,
    FundRow,
    Scope,
    Settlement,
)
from insurance.gateway.identities import Figures, split_of
from insurance.gateway.reading import Different, Node
from insurance.gateway.visit_values import Scheme

# Rows of the detail that are not the fund's. Every other code is a fund of this region; provinces
# add their own, and the rows are shown and never summed, so an unknown one refuses nothing.
DETAIL_KINDS: Mapping[str, FundKind] = MappingProxyType({
    "310200": FundKind.ACCOUNT, "310201": FundKind.ACCOUNT,
    "390500": FundKind.ACCOUNT, "390501": FundKind.ACCOUNT,
    "999996": FundKind.HOSPITAL,
    "999997": FundKind.OTHER, "99999707": FundKind.OTHER,
})  # fmt: skip
# The same figure under the names of other transactions and editions; pdn_ stands in the text of
# the specification of 2208.
CASH_NAMES = ("psn_cash_pay", "pdn_cash_pay", "cash_payamt")


def settlement_read(
    info: Node,
    detail: Sequence[Node],
    profile: RegionProfile,
    *,
    sign: int = 1,
    trial: bool = False,
) -> Settlement:
    """A settlement whose sums hold; `sign` is -1 for a mirror row."""
    figures = _figures(info)
    return Settlement(
        settlement_no="" if trial else info.text("setl_id", required=True),
        mdtrt_id=info.text("mdtrt_id"),
        person_no=info.text("psn_no"),
        total_fen=figures.total_fen,
        split=split_of(figures, fund_includes_account=profile.fund_includes_account, sign=sign),
        scope=figures.scope,
        fund=figures.fund,
        rows=tuple(_row(row) for row in detail),
        scheme=info.code("insutype", Scheme),
        person_class=info.text("psn_type"),
        med_type=info.text("med_type"),
        deductible_fen=figures.deductible_fen,
        fund_ratio=info.decimal("pool_prop_selfpay"),
        balance_fen=info.fen_or_none("balc"),
        settled_at=info.time("setl_time"),
        sent_as=info.text("medins_setl_id"),
        clearing_office=info.text("clr_optins"),
        clearing_way=info.text("clr_way"),
        clearing_kind=info.text("clr_type"),
        refunded=info.flag("refd_setl_flag"),
    )


def _figures(info: Node) -> Figures:
    """The bill, the person's part and the fund's sum must be said; the rest is zero in silence,
    which the sums would show if it were wrong."""

    def part(name: str) -> int:
        return info.fen(name, required=False)

    return Figures(
        total_fen=info.fen("medfee_sumamt"),
        scope=Scope(
            own_fen=part("fulamt_ownpay_amt"),
            over_limit_fen=part("overlmt_selfpay"),
            first_own_fen=part("preselfpay_amt"),
            in_scope_fen=part("inscp_scp_amt"),
        ),
        fund_sum_fen=info.fen("fund_pay_sumamt"),
        fund=FundParts(
            basic_fen=part("hifp_pay"),
            civil_servant_fen=part("cvlserv_pay"),
            enterprise_fen=part("hifes_pay"),
            serious_illness_fen=part("hifmi_pay"),
            large_expense_fen=part("hifob_pay"),
            medical_aid_fen=part("maf_pay"),
            disabled_soldier_fen=part("hifdm_pay"),
            other_fen=part("oth_pay"),
        ),
        person_fen=info.fen("psn_part_amt" if info.has("psn_part_amt") else "psn_pay"),
        account_fen=info.fen("acct_pay"),
        mutual_aid_fen=part("acct_mulaid_pay"),
        cash_fen=_one_of(info, CASH_NAMES),
        hospital_fen=part("hosp_part_amt"),
        deductible_fen=part("act_pay_dedc"),
    )


def _one_of(info: Node, names: Sequence[str]) -> int:
    """One figure that has several names; said twice it must be the same."""
    said = {name: info.fen(name) for name in names if info.has(name)}
    if len(set(said.values())) > 1:
        raise Different(f"setlinfo: {' and '.join(said)} differ")
    return next(iter(said.values())) if said else info.fen(names[0])


def _row(row: Node) -> FundRow:
    code = row.text("fund_pay_type", required=True)
    return FundRow(
        code=code,
        name=row.text("fund_pay_type_name"),
        kind=DETAIL_KINDS.get(code, FundKind.FUND),
        amount_fen=row.fen("fund_payamt", required=False),
        limit_fen=row.fen_or_none("crt_payb_lmt_amt"),
    )
