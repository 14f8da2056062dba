"""The figures of an order of insurance and wallet: both equations, checked to the fen.

total = gov + self + other + wechat_cash + Σreduce = gov + self + other + med_cash + Σadd. What is
about to be said is checked before it is sent, and every answer with everything in it after.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from billing.channels.base import InsurancePart, OrderReference
from billing.channels.strict_json import JsonObject, int_get
from core.outcomes import Outcome

FEES = (
    "total_fee", "med_ins_gov_fee", "med_ins_self_fee", "med_ins_other_fee", "med_ins_cash_fee",
    "wechat_pay_cash_fee",
)  # fmt: skip
# What the order says of the insurance part; a word in no table is UNKNOWN, and nothing is guessed.
INSURANCE_STATES = MappingProxyType({
    "MED_INS_PAY_CREATED": Outcome.PENDING,
    "MED_INS_PAY_SUCCESS": Outcome.SUCCEEDED,
    "MED_INS_PAY_REFUND": Outcome.SUCCEEDED,
    "MED_INS_PAY_FAIL": Outcome.DECLINED,
})  # fmt: skip
_KNOWN_MIXED = frozenset(f"MIX_PAY_{one}" for one in ("CREATED", "SUCCESS", "REFUND", "FAIL"))
_KNOWN_OWN = frozenset(f"SELF_PAY_{one}" for one in ("CREATED", "SUCCESS", "REFUND", "FAIL"))


def equation_broken(part: InsurancePart, wallet_fen: int) -> str:
    """Both equations over what we are about to say; empty when they hold."""
    insured_fen = part.fund_fen + part.account_fen
    if min(part.fund_fen, part.account_fen, wallet_fen) < 0:
        return "a part of the order is negative"
    if insured_fen + wallet_fen != part.total_fen:
        return "total_fee is not gov + self + wechat_pay_cash"
    if insured_fen + part.cash_fen != part.total_fen:
        return "total_fee is not gov + self + med_ins_cash"
    return ""


def mixed_differs(data: JsonObject, part: InsurancePart, order: OrderReference) -> str:
    """The first thing that is not ours, or does not add up, in an answer; else empty."""
    fees = {name: int_get(data, name) for name in FEES}
    added = _details(data.get("cash_add_detail"), "cash_add_fee")
    reduced = _details(data.get("cash_reduce_detail"), "cash_reduce_fee")
    if added is None or reduced is None or None in fees.values():
        return "a fee"
    told = {name: fen or 0 for name, fen in fees.items()}
    insured = told["med_ins_gov_fee"] + told["med_ins_self_fee"] + told["med_ins_other_fee"]
    if told["total_fee"] != insured + told["wechat_pay_cash_fee"] + reduced:
        return "total_fee"
    if told["total_fee"] != insured + told["med_ins_cash_fee"] + added:
        return "total_fee of the insurance"
    expected: dict[str, object] = mixed_fees(part, order.amount_fen) | {
        "out_trade_no": order.number,
        "pay_order_id": part.pay_order_no,
        "serial_no": part.serial_no,
        "appid": order.merchant.app_id,
    }
    known = {
        "mix_pay_status": _KNOWN_MIXED,
        "self_pay_status": _KNOWN_OWN,
        "med_ins_pay_status": frozenset(INSURANCE_STATES),
    }
    for name, value in expected.items():
        if data.get(name) != value:
            return name
    return next((name for name, words in known.items() if data.get(name) not in words), "")


def mixed_fees(part: InsurancePart, wallet_fen: int) -> dict[str, object]:
    """What is said of the money, by the channel's names."""
    return {
        "total_fee": part.total_fen,
        "med_ins_gov_fee": part.fund_fen,
        "med_ins_self_fee": part.account_fen,
        "med_ins_other_fee": 0,
        "med_ins_cash_fee": part.cash_fen,
        "wechat_pay_cash_fee": wallet_fen,
    }


def _details(rows: object, name: str) -> int | None:
    """The sum of a list of additions or reductions; none when it is no such list."""
    if rows is None:
        return 0
    if not isinstance(rows, Iterable) or isinstance(rows, str | dict):
        return None
    fees = [int_get(row, name) if isinstance(row, dict) else None for row in rows]
    return None if None in fees else sum(fen or 0 for fen in fees)
