"""2206, 2207, 2208, 2601 and 5203: trial, settlement, its reversal, its ending, its query.

Every answer is read into a Settlement whose sums hold (`identities`), is about the person and visit
asked for, and about the bill that was sent; else it is refused and the money is a question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.claim_values import (
    Reversal,
    Scope,
    Settlement,
    SettlementReference,
    SettleOrder,
)
from insurance.gateway.identities import IdentityBroken, mirror_check
from insurance.gateway.nhsa import wire
from insurance.gateway.nhsa.setlinfo import settlement_read
from insurance.gateway.reading import Different, Node
from insurance.gateway.visit_values import Scheme

BATCH_MAX, INVOICE_MAX = 30, 20
Read = Callable[[Mapping[str, object], RegionProfile], Settlement]


def presettle(order: SettleOrder) -> Call[Settlement]:
    """2206: what the settlement would be; it leaves nothing behind."""
    said = {"data": _asked(order)}
    return Call(Operation.PRESETTLE, "2206", said, _of_order(order, trial=True), order.insured_area)


def settle(order: SettleOrder, scope: Scope | None = None) -> Call[Settlement]:
    """2207; `scope` is the trial's, which the platform wants echoed."""
    said = _asked(order) | {"invono": wire.fitting("invono", order.invoice_no, INVOICE_MAX)}
    if scope is not None:
        said |= {
            "fulamt_ownpay_amt": wire.yuan(scope.own_fen),
            "overlmt_selfpay": wire.yuan(scope.over_limit_fen),
            "preselfpay_amt": wire.yuan(scope.first_own_fen),
            "inscp_scp_amt": wire.yuan(scope.in_scope_fen),
        }
    return Call(
        Operation.SETTLE, "2207", {"data": said}, _of_order(order, trial=False), order.insured_area
    )


def settle_reverse(original: Settlement, *, insured_area: str) -> Call[Settlement]:
    """2208: the whole settlement back; there is no reversal of a part."""
    said = {
        "setl_id": original.settlement_no,
        "mdtrt_id": original.mdtrt_id,
        "psn_no": original.person_no,
    }

    def read(output: Mapping[str, object], profile: RegionProfile) -> Settlement:
        node = Node(output)
        info = node.node("setlinfo")
        info.same("psn_no", original.person_no)
        info.same("mdtrt_id", original.mdtrt_id)
        reversal = settlement_read(info, node.nodes("setldetail"), profile, sign=-1)
        if reversal.settlement_no == original.settlement_no:
            raise Different("setlinfo.setl_id of a reversal is a new number")
        mirror_check(original, reversal)
        return reversal

    return Call(Operation.SETTLE_REVERSE, "2208", {"data": said}, read, insured_area)


def settle_query(wanted: SettlementReference) -> Call[tuple[Settlement, ...]]:
    """5203: what stands, refunded ones marked. `sent_as` of a row names the 2207 that made it."""
    said = {
        "psn_no": wanted.person_no,
        "setl_id": wanted.settlement_no,
        "mdtrt_id": wanted.mdtrt_id,
    }

    def read(output: Mapping[str, object], profile: RegionProfile) -> tuple[Settlement, ...]:
        node = Node(output)
        rows = node.nodes("setlinfo")
        details = node.nodes("setldetail") if len(rows) == 1 else []
        found = []
        for row in rows:
            row.same("psn_no", wanted.person_no)
            row.same("mdtrt_id", wanted.mdtrt_id)
            if wanted.settlement_no:
                row.same("setl_id", wanted.settlement_no)
            sign = -1 if row.fen("medfee_sumamt") < 0 else 1
            found.append(settlement_read(row, details, profile, sign=sign))
        return tuple(found)

    return Call(
        Operation.SETTLE_QUERY, "5203", {"data": said}, read, wanted.insured_area, nothing=()
    )


def reverse(person_no: str, *, message_no: str, code: str, insured_area: str) -> Call[Reversal]:
    """2601: end a 2207 or 2208 whose answer was lost, named by its stored message number."""
    said = {"psn_no": person_no, "omsgid": message_no, "oinfno": code}

    def read(_output: Mapping[str, object], _profile: RegionProfile) -> Reversal:
        return Reversal.REVERSED

    return Call(
        Operation.REVERSE, "2601", {"data": said}, read, insured_area, nothing=Reversal.NOTHING
    )


def _asked(order: SettleOrder) -> dict[str, object]:
    return {
        "psn_no": order.person_no,
        **wire.proof(order.credential),
        "med_type": order.med_type,
        "medfee_sumamt": wire.yuan(order.total_fen),
        "psn_setlway": order.way,
        "mdtrt_id": order.mdtrt_id,
        "chrg_bchno": wire.fitting("chrg_bchno", order.batch_no, BATCH_MAX),
        "acct_used_flag": wire.flag(order.use_account),
        "insutype": order.scheme.value,
    }


def _of_order(order: SettleOrder, *, trial: bool) -> Read:
    """About this person, visit and scheme, and of the bill that was sent."""

    def read(output: Mapping[str, object], profile: RegionProfile) -> Settlement:
        node = Node(output)
        info = node.node("setlinfo")
        info.same("psn_no", order.person_no)
        info.same("mdtrt_id", order.mdtrt_id)
        found = settlement_read(info, node.nodes("setldetail"), profile, trial=trial)
        _scheme(found.scheme, order.scheme)
        if found.total_fen != order.total_fen:
            raise IdentityBroken("total", "medfee_sumamt", found.total_fen, order.total_fen)
        if not order.use_account and (found.split.own_account_fen or found.split.mutual_aid_fen):
            raise Different("setlinfo.acct_pay: an account was used although it was not to be")
        return found

    return read


def _scheme(said: Scheme, asked: Scheme) -> None:
    if said is not asked:
        raise Different(f"setlinfo.insutype is {said.value}, {asked.value} was asked for")
