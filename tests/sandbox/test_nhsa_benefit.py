from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sandbox.nhsa.benefit import (
    MONEY,
    Line,
    Purse,
    Scope,
    Serious,
    Split,
    Terms,
    broken_identities,
    line_scope,
    mirrored,
    scope_sum,
    split,
)

FEN = st.integers(0, 50_000_000)
RATIO = st.integers(0, 10_000).map(lambda n: Decimal(n) / 10_000)


def one_line(amount: int, level: str = "01", prop: str = "0", **more: object) -> Line:
    given = {"cnt": Decimal(1), "pric": Decimal(amount) / 100} | more
    return Line(amount_fen=amount, level=level, selfpay_prop=Decimal(prop), **given)


def test_a_partly_covered_line_inside_the_deductible() -> None:
    # The real message: 4.52 at 0.05 is 0.23 ahead (0.226, half up) and 4.29 in scope.
    scope = line_scope(one_line(452, "02", "0.05"))
    assert scope == Scope(preselfpay_fen=23, inscp_fen=429)
    paid = split(
        scope,
        Terms(ratio=Decimal("0.6"), deductible_left_fen=60_000),
        Purse(balance_fen=10_000),
    )
    assert (paid.dedc_fen, paid.fund_fen, paid.acct_fen, paid.cash_fen) == (429, 0, 452, 0)
    assert not broken_identities(paid)


def test_the_inpatient_sample_holds_the_identities() -> None:
    sample = Split(
        medfee_fen=2344246,
        fulamt_fen=253397,
        overlmt_fen=139689,
        preselfpay_fen=70344,
        inscp_fen=1880816,
        dedc_fen=0,
        hifp_fen=1878539,
        ratio=Decimal(1),
        fund_fen=1878539,
        hosp_part_fen=50501,
        psn_part_fen=415206,
        acct_fen=17004,
        cash_fen=398202,
    )
    assert broken_identities(sample) == []
    assert broken_identities(mirrored(sample)) == []
    assert broken_identities(replace(sample, cash_fen=398203)) == ["I4"]


def test_what_exceeds_a_price_limit_is_borne_by_the_person_or_the_hospital() -> None:
    line = one_line(3000, cnt=Decimal(2), pric=Decimal(15), price_limit=Decimal("12.345"))
    scope = line_scope(line)
    assert scope == Scope(overlmt_fen=531, inscp_fen=2469)
    terms = Terms(ratio=Decimal("0.7"))
    assert split(scope, terms, Purse()).cash_fen == 3000 - 1728
    borne = split(scope, replace(terms, hospital_bears_overlimit=True), Purse())
    assert (borne.hosp_part_fen, borne.cash_fen) == (531, 3000 - 1728 - 531)


def test_a_limited_drug_without_approval_is_the_persons_own() -> None:
    assert line_scope(one_line(900, approved=False)) == Scope(fulamt_fen=900)
    assert line_scope(one_line(900, "03", "1")) == Scope(fulamt_fen=900)


def test_the_ratio_shrinks_outside_the_place_of_insurance() -> None:
    terms = Terms(ratio=Decimal("0.55"), factor=Decimal("0.70"))
    paid = split(Scope(inscp_fen=10_000), terms, Purse())
    assert (paid.ratio, paid.hifp_fen, paid.cash_fen) == (Decimal("0.3850"), 3850, 6150)


def test_every_payer_takes_its_turn() -> None:
    terms = Terms(
        ratio=Decimal("0.60"),
        deductible_left_fen=60_000,
        cap_left_fen=1_000_000,
        serious=Serious(2_000_000, ((5_000_000, Decimal("0.60")), (None, Decimal("0.70")))),
        scope_self_before_fen=1_900_000,
        civil_ratio=Decimal("0.50"),
        aid_ratio=Decimal("0.75"),
        commercial_ratio=Decimal("0.30"),
    )
    # 10,000.00 in scope: 600 deductible, fund 5,640, 4,360 left; 1,000 of them below the line,
    # 3,360 above it at 0.60 = 2,016; civil half of 2,344; aid 879; commercial 0.30 of 293.
    paid = split(Scope(inscp_fen=1_000_000), terms, Purse(balance_fen=10_000, family=((7, 5_000),)))
    assert paid.hifp_fen == 564_000
    assert paid.hifob_fen == 201_600
    assert paid.cvlserv_fen == 117_200
    assert paid.maf_fen == 87_900
    assert paid.oth_fen == 8_790
    assert (paid.psn_part_fen, paid.acct_fen, paid.mulaid_fen) == (20_510, 15_000, 5_000)
    assert paid.cash_fen == 5_510
    assert paid.aid_payers == ((7, 5_000),)
    assert broken_identities(paid) == []


def test_the_fund_stops_at_its_cap_and_the_account_may_not_pay_what_is_excluded() -> None:
    scope = Scope(fulamt_fen=5_000, inscp_fen=10_000)
    terms = Terms(ratio=Decimal("0.8"), cap_left_fen=300)
    paid = split(scope, terms, Purse(balance_fen=99_999, pays_excluded=False))
    assert (paid.hifp_fen, paid.acct_fen, paid.cash_fen) == (300, 9_700, 5_000)


LINES = st.lists(
    st.builds(
        Line,
        amount_fen=st.integers(1, 1_000_000),
        cnt=st.integers(1, 90_000).map(lambda n: Decimal(n) / 10),
        pric=st.integers(1, 10**9).map(lambda n: Decimal(n) / 10**6),
        level=st.sampled_from(["01", "02", "03"]),
        selfpay_prop=RATIO,
        price_limit=st.none() | st.integers(1, 10**9).map(lambda n: Decimal(n) / 10**6),
        approved=st.booleans(),
    ),
    min_size=1,
    max_size=30,
)
TERMS = st.builds(
    Terms,
    ratio=RATIO,
    deductible_left_fen=FEN,
    cap_left_fen=st.none() | FEN,
    factor=RATIO,
    serious=st.none()
    | st.builds(
        Serious,
        line_fen=st.integers(0, 3_000_000),
        tiers=st.just(((5_000_000, Decimal("0.6")), (None, Decimal("0.8")))),
        cap_left_fen=st.none() | FEN,
    ),
    scope_self_before_fen=FEN,
    civil_ratio=RATIO,
    aid_ratio=RATIO,
    aid_left_fen=st.none() | FEN,
    commercial_ratio=RATIO,
    commercial_line_fen=FEN,
    hospital_bears_overlimit=st.booleans(),
    employee=st.booleans(),
)
PURSES = st.builds(
    Purse,
    balance_fen=FEN,
    pays_excluded=st.booleans(),
    family=st.lists(st.tuples(st.integers(1, 9), FEN), max_size=3).map(tuple),
)


@given(LINES, TERMS, PURSES)
def test_the_identities_hold_for_every_cart(lines: list[Line], terms: Terms, purse: Purse) -> None:
    scopes = [line_scope(line) for line in lines]
    for line, scope in zip(lines, scopes, strict=True):
        assert scope.total_fen == line.amount_fen
        assert min(scope.fulamt_fen, scope.overlmt_fen, scope.preselfpay_fen, scope.inscp_fen) >= 0
    paid = split(scope_sum(scopes), terms, purse)
    assert broken_identities(paid) == []
    assert paid.medfee_fen == sum(line.amount_fen for line in lines)
    assert all(getattr(paid, name) >= 0 for name in MONEY)
    back = mirrored(paid)
    assert broken_identities(back) == []
    assert all(getattr(paid, name) + getattr(back, name) == 0 for name in MONEY)
