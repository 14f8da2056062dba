"""The sums that every settlement must hold (I1 to I7): to the fen, or the answer is refused.

The portal never computes a benefit; it checks that what the insurer says is one whole. A difference
of one fen raises with both figures, because a split that does not add up would leave money nobody
owes or owns. One switch is regional: some platforms count the personal account inside
`fund_pay_sumamt`, so there it is taken out before anything is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from core.money import yuan_text
from insurance.gateway.base import GatewayFault
from insurance.gateway.claim_values import (
    FundParts,
    LineResult,
    Scope,
    Settlement,
    Split,
)


class IdentityBroken(GatewayFault):
    """Two figures that must be one differ; both are in the text."""

    def __init__(self, identity: str, what: str, said_fen: int, counted_fen: int) -> None:
        super().__init__(
            f"{identity}: {what} is {yuan_text(said_fen)}, its parts make {yuan_text(counted_fen)}"
        )
        self.identity = identity
        self.said_fen = said_fen
        self.counted_fen = counted_fen


class OutOfRange(GatewayFault):
    """An amount has the wrong sign or lies outside the amount it is part of."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The money of one `setlinfo` as the platform wrote it, in fen."""

    total_fen: int
    scope: Scope
    fund_sum_fen: int
    fund: FundParts
    person_fen: int
    account_fen: int
    mutual_aid_fen: int
    cash_fen: int
    hospital_fen: int
    deductible_fen: int = 0


def fund_net_fen(figures: Figures, *, fund_includes_account: bool) -> int:
    """The fund's own money: without the personal account, whatever the region writes."""
    return figures.fund_sum_fen - (figures.account_fen if fund_includes_account else 0)


def split_of(figures: Figures, *, fund_includes_account: bool, sign: int = 1) -> Split:
    """The five exclusive parts, once I1 to I5 hold. `sign` is -1 for the row of a reversal."""
    figures_check(figures, fund_includes_account=fund_includes_account, sign=sign)
    split = Split(
        fund_fen=fund_net_fen(figures, fund_includes_account=fund_includes_account),
        own_account_fen=figures.account_fen - figures.mutual_aid_fen,
        mutual_aid_fen=figures.mutual_aid_fen,
        hospital_part_fen=figures.hospital_fen,
        cash_fen=figures.cash_fen,
    )
    _same("split", "the bill", figures.total_fen, split.total_fen)
    return split


def figures_check(figures: Figures, *, fund_includes_account: bool, sign: int = 1) -> None:
    """I1 to I5. `sign` is -1 for the mirror row of a reversal."""
    fund_fen = fund_net_fen(figures, fund_includes_account=fund_includes_account)
    _signs(figures, fund_fen, sign)
    _same("I1", "medfee_sumamt", figures.total_fen, _sum(figures.scope))
    _same(
        "I2",
        "medfee_sumamt",
        figures.total_fen,
        fund_fen + figures.person_fen + figures.hospital_fen,
    )
    _same("I3", "fund_pay_sumamt", fund_fen, _sum(figures.fund))
    _same("I4", "psn_part_amt", figures.person_fen, figures.account_fen + figures.cash_fen)
    if sign * figures.mutual_aid_fen > sign * figures.account_fen:
        raise OutOfRange(
            f"I5: acct_mulaid_pay {yuan_text(figures.mutual_aid_fen)} lies outside"
            f" acct_pay {yuan_text(figures.account_fen)}"
        )


def line_check(line: LineResult) -> None:
    """I6 for one line."""
    parts = (line.own_fen, line.over_limit_fen, line.first_own_fen, line.in_scope_fen)
    if min(parts) < 0:
        raise OutOfRange(f"I6: a part of line {line.number} is negative: {yuan_text(min(parts))}")
    _same("I6", f"line {line.number}", line.amount_fen, sum(parts))


def lines_check(lines: Sequence[LineResult], settlement: Settlement) -> None:
    """I6 for the batch: its lines make the settlement, total and each part."""
    for line in lines:
        line_check(line)
    sums: tuple[tuple[str, int, Callable[[LineResult], int]], ...] = (
        ("medfee_sumamt", settlement.total_fen, lambda line: line.amount_fen),
        ("fulamt_ownpay_amt", settlement.scope.own_fen, lambda line: line.own_fen),
        ("overlmt_selfpay", settlement.scope.over_limit_fen, lambda line: line.over_limit_fen),
        ("preselfpay_amt", settlement.scope.first_own_fen, lambda line: line.first_own_fen),
        ("inscp_scp_amt", settlement.scope.in_scope_fen, lambda line: line.in_scope_fen),
    )
    for name, said, part in sums:
        _same("I6", name, said, sum(part(line) for line in lines))


def mirror_check(original: Settlement, reversal: Settlement) -> None:
    """I7: a reversal is the exact negative of every amount of what it reverses."""
    said, mirrored = _amounts(original), _amounts(reversal)
    for name, fen in said.items():
        _same("I7", f"the negative of {name}", -mirrored[name], fen)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a group of settlements, refunds counted as their own negative rows."""

    total_fen: int
    fund_fen: int
    account_fen: int
    count: int


def totals_of(rows: Iterable[tuple[int, int, int]]) -> Totals:
    """Totals of (bill, fund, account) rows."""
    totals = [0, 0, 0]
    count = 0
    for row in rows:
        count += 1
        for place, fen in enumerate(row):
            totals[place] += fen
    return Totals(totals[0], totals[1], totals[2], count)


def _signs(figures: Figures, fund_fen: int, sign: int) -> None:
    named = {
        "medfee_sumamt": figures.total_fen,
        "fund_pay_sumamt": fund_fen,
        "psn_part_amt": figures.person_fen,
        "acct_pay": figures.account_fen,
        "acct_mulaid_pay": figures.mutual_aid_fen,
        "psn_cash_pay": figures.cash_fen,
        "hosp_part_amt": figures.hospital_fen,
        "act_pay_dedc": figures.deductible_fen,
        **_named(figures.scope),
        **_named(figures.fund),
    }
    for name, fen in named.items():
        if sign * fen < 0:
            raise OutOfRange(f"{name} has the wrong sign: {yuan_text(fen)}")


def _amounts(settlement: Settlement) -> dict[str, int]:
    return {
        "medfee_sumamt": settlement.total_fen,
        "act_pay_dedc": settlement.deductible_fen,
        **_named(settlement.split),
        **_named(settlement.scope),
        **_named(settlement.fund),
    }


def _named(part: Scope | FundParts | Split) -> dict[str, int]:
    return {one.name: getattr(part, one.name) for one in fields(part)}


def _sum(part: Scope | FundParts) -> int:
    return sum(_named(part).values())


def _same(identity: str, what: str, said_fen: int, counted_fen: int) -> None:
    if said_fen != counted_fen:
        raise IdentityBroken(identity, what, said_fen, counted_fen)
