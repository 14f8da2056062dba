"""What insurance pays: pure arithmetic in fen and Decimal, half-up, no tables and no clock.

The order of the steps: scope per line, deductible, pooled fund up to its cap, serious illness by
tiers, civil servants, medical aid, commercial cover, hospital, own account, family accounts, cash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import ROUND_HALF_UP, Decimal

NOTHING = Decimal(0)
WHOLE = Decimal(1)
EXCLUDED = "03"
PARTLY = "02"


def half_up(fen: Decimal) -> int:
    """Whole fen, halves away from zero: the rule that fits the one worked sample."""
    return int(fen.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True)
class Line:
    """A fee line with what the catalogue of the place of care says of it."""

    amount_fen: int
    cnt: Decimal
    pric: Decimal
    level: str
    selfpay_prop: Decimal
    # None: no limit.
    price_limit: Decimal | None = None
    # False: a limited drug that the hospital did not approve.
    approved: bool = True


@dataclass(frozen=True)
class Scope:
    """The four exclusive parts of a line or of a batch (I1, I6)."""

    fulamt_fen: int = 0
    overlmt_fen: int = 0
    preselfpay_fen: int = 0
    inscp_fen: int = 0

    @property
    def total_fen(self) -> int:
        return self.fulamt_fen + self.overlmt_fen + self.preselfpay_fen + self.inscp_fen


@dataclass(frozen=True)
class Serious:
    """Serious illness cover: tiers are (up to this sum of the year, ratio), None without end."""

    line_fen: int
    tiers: tuple[tuple[int | None, Decimal], ...]
    cap_left_fen: int | None = None


@dataclass(frozen=True)
class Terms:
    """What a person has a right to now; what the year used up is already taken off."""

    ratio: Decimal
    deductible_left_fen: int = 0
    cap_left_fen: int | None = None
    # The share of the ratio that care outside the place of insurance keeps.
    factor: Decimal = WHOLE
    serious: Serious | None = None
    scope_self_before_fen: int = 0
    civil_ratio: Decimal = NOTHING
    aid_ratio: Decimal = NOTHING
    aid_left_fen: int | None = None
    commercial_ratio: Decimal = NOTHING
    commercial_line_fen: int = 0
    hospital_bears_overlimit: bool = False
    # 310: 职工大额 (hifob); else residents' 大病 (hifmi).
    employee: bool = True


@dataclass(frozen=True)
class Purse:
    """Accounts that may pay: the person's own, then those of linked family members in order."""

    balance_fen: int = 0
    pays_excluded: bool = True
    family: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Split:
    """Who pays what; the names follow `setlinfo`."""

    medfee_fen: int
    fulamt_fen: int
    overlmt_fen: int
    preselfpay_fen: int
    inscp_fen: int
    dedc_fen: int
    hifp_fen: int
    ratio: Decimal
    cvlserv_fen: int = 0
    hifes_fen: int = 0
    hifmi_fen: int = 0
    hifob_fen: int = 0
    maf_fen: int = 0
    hifdm_fen: int = 0
    oth_fen: int = 0
    fund_fen: int = 0
    hosp_part_fen: int = 0
    psn_part_fen: int = 0
    acct_fen: int = 0
    mulaid_fen: int = 0
    cash_fen: int = 0
    scope_self_fen: int = 0
    aid_payers: tuple[tuple[int, int], ...] = field(default=())


def line_scope(line: Line) -> Scope:
    """Step 1: what of a line insurance looks at."""
    amount = line.amount_fen
    if line.level == EXCLUDED or not line.approved:
        return Scope(fulamt_fen=amount)
    over = 0
    if line.price_limit is not None and line.pric > line.price_limit:
        over = min(amount, half_up((line.pric - line.price_limit) * line.cnt * 100))
    ahead = half_up((amount - over) * line.selfpay_prop) if line.level == PARTLY else 0
    return Scope(overlmt_fen=over, preselfpay_fen=ahead, inscp_fen=amount - over - ahead)


def scope_sum(scopes: Sequence[Scope]) -> Scope:
    """Step 2: the totals of a batch."""
    return Scope(
        **{each.name: sum(getattr(one, each.name) for one in scopes) for each in fields(Scope)}
    )


def split(scope: Scope, terms: Terms, purse: Purse) -> Split:
    """Steps 3 to 9 for a batch whose lines are already in scope or out of it."""
    deductible = min(terms.deductible_left_fen, scope.inscp_fen)
    ratio = (terms.ratio * terms.factor).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    basic = _capped(half_up((scope.inscp_fen - deductible) * ratio), terms.cap_left_fen)
    left = scope.inscp_fen - basic
    scope_self = left
    serious = _serious(terms, left)
    left -= serious
    civil = half_up(left * terms.civil_ratio)
    left -= civil
    aid = _capped(half_up(left * terms.aid_ratio), terms.aid_left_fen)
    left -= aid
    commercial = half_up(max(left - terms.commercial_line_fen, 0) * terms.commercial_ratio)
    fund = basic + serious + civil + aid + commercial
    hospital = scope.overlmt_fen if terms.hospital_bears_overlimit else 0
    person = scope.total_fen - fund - hospital
    own, family = _accounts(person, scope.fulamt_fen, purse)
    account = own + sum(fen for _, fen in family)
    return Split(
        medfee_fen=scope.total_fen,
        fulamt_fen=scope.fulamt_fen,
        overlmt_fen=scope.overlmt_fen,
        preselfpay_fen=scope.preselfpay_fen,
        inscp_fen=scope.inscp_fen,
        dedc_fen=deductible,
        hifp_fen=basic,
        ratio=ratio,
        cvlserv_fen=civil,
        hifmi_fen=0 if terms.employee else serious,
        hifob_fen=serious if terms.employee else 0,
        maf_fen=aid,
        oth_fen=commercial,
        fund_fen=fund,
        hosp_part_fen=hospital,
        psn_part_fen=person,
        acct_fen=account,
        mulaid_fen=account - own,
        cash_fen=person - account,
        scope_self_fen=scope_self,
        aid_payers=family,
    )


def _capped(fen: int, left: int | None) -> int:
    return fen if left is None else min(fen, max(left, 0))


def _serious(terms: Terms, left: int) -> int:
    """Step 5: of this year's in-scope money, the part that newly lies above the line, by tiers."""
    rule = terms.serious
    if rule is None:
        return 0
    begin, end = terms.scope_self_before_fen, terms.scope_self_before_fen + left
    paid, floor = NOTHING, rule.line_fen
    for upto, ratio in rule.tiers:
        top = end if upto is None else min(end, upto)
        paid += max(top - max(begin, floor), 0) * ratio
        floor = floor if upto is None else max(floor, upto)
    return min(_capped(half_up(paid), rule.cap_left_fen), left)


def _accounts(person: int, excluded: int, purse: Purse) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Step 8: own account first, then the family's in the order they were linked."""
    open_fen = person if purse.pays_excluded else max(person - excluded, 0)
    own = min(open_fen, purse.balance_fen)
    open_fen -= own
    family = []
    for who, available in purse.family:
        part = min(open_fen, available)
        if part > 0:
            family.append((who, part))
            open_fen -= part
    return own, tuple(family)


MONEY = tuple(each.name for each in fields(Split) if each.name.endswith("_fen"))
FUNDS = (
    "hifp_fen",
    "cvlserv_fen",
    "hifes_fen",
    "hifmi_fen",
    "hifob_fen",
    "maf_fen",
    "hifdm_fen",
    "oth_fen",
)


def mirrored(one: Split) -> Split:
    """Step 10: the exact negative of every amount (I7)."""
    negative = {name: -getattr(one, name) for name in MONEY}
    return replace(one, **negative, aid_payers=tuple((who, -fen) for who, fen in one.aid_payers))


def broken_identities(one: Split) -> list[str]:
    """Names of the identities I1 to I5 that do not hold; a refund row holds them negatively."""
    sign = -1 if one.medfee_fen < 0 else 1
    by_scope = one.fulamt_fen + one.overlmt_fen + one.preselfpay_fen + one.inscp_fen
    tests = {
        "I1": one.medfee_fen == by_scope,
        "I2": one.medfee_fen == one.fund_fen + one.psn_part_fen + one.hosp_part_fen,
        "I3": one.fund_fen == sum(getattr(one, name) for name in FUNDS),
        "I4": one.psn_part_fen == one.acct_fen + one.cash_fen,
        "I5": 0 <= one.mulaid_fen * sign <= one.acct_fen * sign,
    }
    return [name for name, holds in tests.items() if not holds]
