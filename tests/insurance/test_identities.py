"""The sums every settlement must hold, on the samples of the reference and on random ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import fen_from_yuan, yuan_text
from insurance.gateway.base import GatewayFault
from insurance.gateway.claim_values import FundParts, LineResult, Scope
from insurance.gateway.identities import (
    Figures,
    IdentityBroken,
    OutOfRange,
    Totals,
    figures_check,
    line_check,
    lines_check,
    mirror_check,
    split_of,
    totals_of,
)
from insurance.gateway.nhsa.setlinfo import settlement_read
from insurance.gateway.reading import Node
from tests.insurance import samples

FEN = st.integers(0, 10_000_000)


@st.composite
def figures(draw: st.DrawFn, *, includes: bool = False) -> Figures:
    """A settlement that holds, made from the inside out."""
    fund = FundParts(*(draw(FEN) for _part in range(8)))
    fund_fen = sum(getattr(fund, name) for name in fund.__dataclass_fields__)
    account, cash, hospital = draw(FEN), draw(FEN), draw(FEN)
    total = fund_fen + account + cash + hospital
    cuts = sorted(draw(st.lists(st.integers(0, total), min_size=3, max_size=3)))
    return Figures(
        total_fen=total,
        scope=Scope(*(end - start for start, end in pairwise([0, *cuts, total]))),
        fund_sum_fen=fund_fen + (account if includes else 0),
        fund=fund,
        person_fen=account + cash,
        account_fen=account,
        mutual_aid_fen=draw(st.integers(0, account)),
        cash_fen=cash,
        hospital_fen=hospital,
    )


def test_the_inpatient_sample_is_reproduced_to_the_fen() -> None:
    found = settlement_read(Node(samples.INPATIENT), [], samples.profile())
    assert found.total_fen == 2_344_246
    assert found.split.fund_fen == 1_878_539
    assert found.split.own_account_fen == 17_004
    assert found.split.cash_fen == 398_202
    assert found.split.hospital_part_fen == 50_501
    assert found.split.total_fen == 2_344_246
    assert found.scope == Scope(253_397, 139_689, 70_344, 1_880_816)


def test_the_outpatient_sample_is_paid_from_the_account_alone() -> None:
    found = settlement_read(Node(samples.OUTPATIENT), [], samples.profile())
    assert (found.total_fen, found.split.own_account_fen, found.split.cash_fen) == (452, 452, 0)
    assert (found.deductible_fen, found.scope.first_own_fen, found.balance_fen) == (429, 23, 9548)


@pytest.mark.parametrize("name", [
    "medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt",
    "fund_pay_sumamt", "hifp_pay", "psn_part_amt", "acct_pay", "psn_cash_pay", "hosp_part_amt",
])  # fmt: skip
def test_one_fen_anywhere_refuses_with_both_figures(name: str) -> None:
    fen = fen_from_yuan(str(samples.INPATIENT[name])) + 1
    more = {name: yuan_text(fen)}
    with pytest.raises(IdentityBroken) as refusal:
        settlement_read(Node(samples.INPATIENT | more), [], samples.profile())
    said, counted = refusal.value.said_fen, refusal.value.counted_fen
    assert said != counted
    assert yuan_text(said) in str(refusal.value) and yuan_text(counted) in str(refusal.value)


@given(figures())
def test_whatever_holds_splits_into_five_parts_that_are_the_bill(whole: Figures) -> None:
    split = split_of(whole, fund_includes_account=False)
    assert split.total_fen == whole.total_fen
    assert split.own_account_fen + split.mutual_aid_fen == whole.account_fen


@given(figures(includes=True))
def test_where_the_sum_includes_the_account_it_is_taken_out(whole: Figures) -> None:
    split = split_of(whole, fund_includes_account=True)
    assert split.fund_fen == whole.fund_sum_fen - whole.account_fen
    if whole.account_fen:
        with pytest.raises(IdentityBroken):
            split_of(whole, fund_includes_account=False)


@given(
    figures(),
    st.sampled_from([
        "total_fen", "fund_sum_fen", "person_fen", "account_fen", "cash_fen", "hospital_fen",
    ]),
    st.sampled_from([-1, 1]),
)  # fmt: skip
def test_a_fen_more_or_less_is_always_found(whole: Figures, name: str, by: int) -> None:
    wrong = replace(whole, **{name: getattr(whole, name) + by})
    with pytest.raises(GatewayFault):
        figures_check(wrong, fund_includes_account=False)


@given(figures())
def test_negative_parts_are_refused_even_if_they_add_up(whole: Figures) -> None:
    moved = whole.cash_fen + 1
    wrong = replace(
        whole, cash_fen=-1, account_fen=whole.account_fen + moved, person_fen=whole.person_fen
    )
    with pytest.raises(OutOfRange, match="psn_cash_pay"):
        figures_check(wrong, fund_includes_account=False)


def test_mutual_aid_outside_the_account_is_refused() -> None:
    wrong = samples.INPATIENT | {"acct_mulaid_pay": "170.05"}
    with pytest.raises(OutOfRange, match=r"170\.05.*170\.04"):
        settlement_read(Node(wrong), [], samples.profile())


def line(own: int, over: int, first: int, scope: int, amount: int | None = None) -> LineResult:
    total = own + over + first + scope if amount is None else amount
    return LineResult("1", total, own, over, first, scope, None, "09", None, None)


def test_a_line_is_its_four_parts() -> None:
    line_check(line(0, 0, 23, 429))
    with pytest.raises(IdentityBroken, match=r"4\.52.*4\.51"):
        line_check(line(0, 0, 23, 428, amount=452))
    with pytest.raises(OutOfRange):
        line_check(line(-1, 0, 24, 429))


def test_the_lines_make_the_settlement() -> None:
    found = settlement_read(Node(samples.OUTPATIENT), [], samples.profile())
    lines_check([line(0, 0, 23, 429)], found)
    with pytest.raises(IdentityBroken, match="preselfpay"):
        lines_check([line(0, 0, 22, 430)], found)


def test_a_reversal_is_the_negative_of_every_amount() -> None:
    original = settlement_read(Node(samples.INPATIENT), [], samples.profile())
    row = samples.mirrored(samples.INPATIENT)
    mirror_check(original, settlement_read(Node(row), [], samples.profile(), sign=-1))
    # One fen moved from the fund to the hospital: the row still adds up, but mirrors nothing.
    moved = row | {
        "fund_pay_sumamt": "-18785.38", "hifp_pay": "-18785.38", "hosp_part_amt": "-505.02",
    }  # fmt: skip
    with pytest.raises(IdentityBroken, match="I7"):
        mirror_check(original, settlement_read(Node(moved), [], samples.profile(), sign=-1))


def test_a_settlement_cannot_pass_for_its_reversal() -> None:
    with pytest.raises(OutOfRange):
        settlement_read(Node(samples.INPATIENT), [], samples.profile(), sign=-1)


@given(st.lists(st.tuples(FEN, FEN, FEN), max_size=20))
def test_totals_count_refunds_as_rows_of_their_own(rows: list[tuple[int, int, int]]) -> None:
    both = [*rows, *(tuple(-fen for fen in row) for row in rows)]
    assert totals_of(both) == Totals(0, 0, 0, 2 * len(rows))
