"""6201, 6202, 6203, 6301 and 6401 as calls; their answers read, their sums checked."""

from __future__ import annotations

from collections.abc import Mapping

from core.outcomes import Outcome
from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.identities import IdentityBroken
from insurance.gateway.mobile.bodies import fees_body
from insurance.gateway.mobile.results import state_read
from insurance.gateway.mobile.values import (
    MobileBill,
    MobileFees,
    MobileOrder,
    MobileReference,
    MobileRefund,
    MobileRefunded,
    MobileState,
    RefundStatus,
    SettleKind,
)
from insurance.gateway.nhsa import wire
from insurance.gateway.reading import Node, Unreadable, nested


def fees_upload(bill: MobileBill) -> Call[MobileFees]:
    """6201: the priced lines, under our order number."""
    _one_consent(bill.pay_auth_no, bill.token)
    lines_fen = sum(line.amount_fen for line in bill.lines)
    if lines_fen != bill.total_fen:
        raise IdentityBroken("6201", "medfeeSumamt", bill.total_fen, lines_fen)

    def read(output: Mapping[str, object], _profile: RegionProfile) -> MobileFees:
        node = Node(output, "data")
        extra = nested(output, "extData")
        return MobileFees(
            pay_order_no=node.text("payOrdId", required=True),
            pay_token=node.text("payToken", required=True),
            mdtrt_id=Node(extra).text("mdtrtId") or node.text("mdtrtId"),
        )

    return Call(Operation.MOBILE_LINES, "6201", fees_body(bill), read)


def order(wanted: MobileOrder) -> Call[MobileState]:
    """6202: the trial with the patient's consent; from here on the fund may pay."""
    said = {
        "payAuthNo": wanted.pay_auth_no,
        "payOrdId": wanted.reference.pay_order_no,
        "payToken": wanted.reference.pay_token,
        "orgCodg": wanted.reference.institution_code,
        "orgBizSer": wanted.order_no,
        "chrgBchno": wanted.batch_no,
        "feeType": wanted.fee_kind,
        "mdtrtId": wanted.mdtrt_id,
        "acctUsedFlag": wire.flag(wanted.use_account),
        "deposit": wire.yuan(wanted.deposit_fen) if wanted.deposit_fen else "",
    }

    def read(output: Mapping[str, object], profile: RegionProfile) -> MobileState:
        found = state_read(output, profile, wanted.reference.pay_order_no)
        if found.parts is not None:
            if found.parts.total_fen != wanted.total_fen:
                raise IdentityBroken("6202", "feeSumamt", found.parts.total_fen, wanted.total_fen)
            if wanted.deposit_fen > found.parts.cash_fen:
                raise IdentityBroken("6202", "deposit", wanted.deposit_fen, found.parts.cash_fen)
        return found

    return Call(Operation.MOBILE_ORDER, "6202", said, read, outcome=_trial_outcome)


def _trial_outcome(found: MobileState) -> Outcome:
    """An order in progress is a trial that succeeded; whether it is paid is asked by 6301."""
    return Outcome.SUCCEEDED if found.outcome is Outcome.PENDING else found.outcome


def query(reference: MobileReference) -> Call[MobileState]:
    """6301: where the order stands; the outcome speaks of the payment."""

    def read(output: Mapping[str, object], profile: RegionProfile) -> MobileState:
        return state_read(output, profile, reference.pay_order_no)

    return Call(
        Operation.MOBILE_QUERY, "6301", _named(reference), read, outcome=lambda found: found.outcome
    )


def revoke(reference: MobileReference) -> Call[bool]:
    """6401: take the uploaded lines away; only before the settlement."""

    def read(output: Mapping[str, object], _profile: RegionProfile) -> bool:
        node = Node(output, "data")
        if node.has("success") and not node.flag("success"):
            raise Unreadable(f"6401 did not succeed: {node.text('message')[:80]}")
        return True

    return Call(Operation.MOBILE_REVOKE, "6401", _named(reference), read)


def refund(wanted: MobileRefund) -> Call[MobileRefunded]:
    """6203. There is no refund of a part of the insurance: only cash may be less than it was."""
    _one_consent(wanted.pay_auth_no, wanted.token)
    fund = wanted.kind in (SettleKind.ALL, SettleKind.FUND)
    cash_fen = 0 if wanted.kind is SettleKind.FUND else wanted.cash_fen
    if wanted.kind is SettleKind.ALL and cash_fen != wanted.original.cash_fen:
        raise IdentityBroken("6203", "cashRefdAmt", cash_fen, wanted.original.cash_fen)
    if not 0 <= cash_fen <= wanted.original.cash_fen:
        raise IdentityBroken("6203", "cashRefdAmt", cash_fen, wanted.original.cash_fen)
    account_fen = wanted.original.account_fen if fund else 0
    fund_fen = wanted.original.fund_fen if fund else 0
    said = {
        "payOrdId": wanted.pay_order_no,
        "appRefdSn": wanted.refund_no,
        "appRefdTime": f"{wanted.at:%Y%m%d%H%M%S}",
        "totlRefdAmt": wire.yuan(cash_fen + account_fen + fund_fen),
        "psnAcctRefdAmt": wire.yuan(account_fen),
        "fundRefdAmt": wire.yuan(fund_fen),
        "cashRefdAmt": wire.yuan(cash_fen),
        "ecToken": wanted.token,
        "payAuthNo": wanted.pay_auth_no,
        "refdType": wanted.kind.value,
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> MobileRefunded:
        node = Node(output, "data")
        return MobileRefunded(
            refund_no=node.text("refdSn"),
            fund_no=node.text("hiFefdSn"),  # spelt so
            status=node.code("refStatus", RefundStatus),
        )

    return Call(Operation.MOBILE_REFUND, "6203", said, read, outcome=lambda found: found.outcome)


def _named(reference: MobileReference) -> dict[str, object]:
    return {
        "payOrdId": reference.pay_order_no,
        "orgCodg": reference.institution_code,
        "payToken": reference.pay_token,
        "idNo": reference.id_number,
        "userName": reference.patient_name,
        "idType": reference.id_kind,
    }


def _one_consent(pay_auth_no: str, token: str) -> None:
    if bool(pay_auth_no) == bool(token):
        raise ValueError("give either payAuthNo or ecToken, not both and not none")
