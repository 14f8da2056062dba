"""Where an order stands, as 6202, 6301 and the callback 6302 write it, and the callback itself."""

from __future__ import annotations

from collections.abc import Mapping

from insurance.gateway.base import RegionProfile
from insurance.gateway.envelope import json_write
from insurance.gateway.identities import IdentityBroken, OutOfRange
from insurance.gateway.mobile.envelope import unwrap
from insurance.gateway.mobile.states import OrderClass, order_class
from insurance.gateway.mobile.values import MobileParts, MobileState, SettleKind
from insurance.gateway.nhsa.setlinfo import settlement_read
from insurance.gateway.reading import Different, Node, nested, object_read

# The callback writes ownpayAmt, every answer ownPayAmt.
CASH_NAMES = ("ownPayAmt", "ownpayAmt")
_WITH_AMOUNTS = frozenset({OrderClass.PAID, OrderClass.CASH_ONLY, OrderClass.FUND_ONLY})


def state_read(
    output: Mapping[str, object], profile: RegionProfile, pay_order_no: str
) -> MobileState:
    """A state of this very order, its sums checked."""
    node = Node(output, "data")
    said = node.text("payOrdId", required=True)
    if pay_order_no and said != pay_order_no:
        raise Different("payOrdId is not what was asked for")
    code = node.text("ordStas", required=True)
    parts = _parts(node) if _has_amounts(node, code) else None
    extra = nested(output, "extData")
    found = MobileState(
        pay_order_no=said,
        code=code,
        parts=parts,
        order_no=node.text("medOrgOrd"),
        settlement=None,
        kind=node.code("setlType", SettleKind) if node.has("setlType") else None,
        revoke_token=node.text("revsToken"),
        traced_at=node.time("traceTime"),
    )
    return _with_settlement(found, extra, profile)


def callback_read(body: bytes, profile: RegionProfile) -> MobileState:
    """6302, verified: raises GatewayFault, and then nothing was believed.

    It is a hint as good as an answer of 6301, no better: the order is asked again before money
    moves the other way.
    """
    return state_read(unwrap(profile, object_read(body)), profile, "")


def callback_reply(*, accepted: bool, message: str = "") -> bytes:
    """What the centre reads back."""
    return json_write({"code": "0" if accepted else "-1", "message": message, "success": accepted})


def _has_amounts(node: Node, code: str) -> bool:
    """Whether the parts are said: before the trial and after a revocation some write zeros."""
    if order_class(code) in _WITH_AMOUNTS:
        return True
    return node.has("feeSumamt") and any(
        node.fen(name, required=False) for name in (*CASH_NAMES, "psnAcctPay", "fundPay")
    )


def _parts(node: Node) -> MobileParts:
    cash = {name: node.fen(name) for name in CASH_NAMES if node.has(name)}
    if len(set(cash.values())) > 1:
        raise Different("ownPayAmt and ownpayAmt differ")
    parts = MobileParts(
        total_fen=node.fen("feeSumamt"),
        cash_fen=next(iter(cash.values())) if cash else node.fen(CASH_NAMES[0]),
        account_fen=node.fen("psnAcctPay"),
        fund_fen=node.fen("fundPay"),
        hospital_fen=node.fen("hospPartAmt", required=False),
        other_fen=node.fen("othFeeAmt", required=False),
        mutual_aid_fen=node.fen("acctMulaidPay", required=False),
        deposit_fen=node.fen("deposit", required=False),
    )
    counted = (
        parts.cash_fen + parts.account_fen + parts.fund_fen + parts.hospital_fen + parts.other_fen
    )
    if counted != parts.total_fen:
        raise IdentityBroken("6xxx", "feeSumamt", parts.total_fen, counted)
    if min(parts.cash_fen, parts.account_fen, parts.fund_fen, parts.hospital_fen) < 0:
        raise OutOfRange("feeSumamt: a part of it is negative")
    if not 0 <= parts.mutual_aid_fen <= parts.account_fen:
        raise OutOfRange("acctMulaidPay lies outside psnAcctPay")
    return parts


def _with_settlement(
    found: MobileState, extra: Mapping[str, object], profile: RegionProfile
) -> MobileState:
    """The settlement inside the answer, which must be the same money as the order."""
    node = Node(extra, "extData")
    trial = node.nodes("preSetl")
    rows = node.nodes("setlinfo") or trial
    if len(rows) != 1:
        return found
    settlement = settlement_read(rows[0], node.nodes("setldetail"), profile, trial=rows == trial)
    if found.parts is not None:
        _same_money(found.parts, settlement.split.cash_fen, settlement.total_fen)
    return MobileState(
        pay_order_no=found.pay_order_no,
        code=found.code,
        parts=found.parts,
        order_no=found.order_no,
        settlement=settlement,
        kind=found.kind,
        revoke_token=found.revoke_token,
        traced_at=found.traced_at,
    )


def _same_money(parts: MobileParts, cash_fen: int, total_fen: int) -> None:
    if parts.total_fen != total_fen:
        raise IdentityBroken("6xxx", "feeSumamt", parts.total_fen, total_fen)
    if parts.cash_fen != cash_fen:
        raise IdentityBroken("6xxx", "ownPayAmt", parts.cash_fen, cash_fen)
