"""How much of a line may be given back: to the fen, in any number of steps."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Invoice, InvoiceLine
from billing.services.refunding.return_lines import ReturnInput, line_worth_fen, parts_checked
from core.errors import BadInput, Conflict
from tests.factories.billing import invoice


def line(amount_fen: int, quantity: str, returned: str = "0", returned_fen: int = 0) -> InvoiceLine:
    return InvoiceLine(
        amount_fen=amount_fen,
        quantity=Decimal(quantity),
        returned_quantity=Decimal(returned),
        returned_fen=returned_fen,
    )


@pytest.mark.parametrize(
    ("row", "quantity", "low_fen", "high_fen"),
    [
        (line(1_000, "1"), "1", 1_000, 1_000),
        (line(1_000, "3"), "1", 333, 334),
        (line(1_000, "3", "1", 333), "1", 333, 334),
        (line(1_000, "3", "1", 334), "1", 332, 333),
        (line(1_000, "3", "2", 666), "1", 334, 334),
        (line(100, "7"), "3.5", 50, 50),
        (line(1, "2"), "1", 0, 1),
        (line(100, "1"), "0.0001", 0, 1),
        (line(9_000_000_000_000_000, "1"), "1", 9_000_000_000_000_000, 9_000_000_000_000_000),
    ],
)
def test_a_part_is_worth_its_share_less_what_went_back(
    row: InvoiceLine, quantity: str, low_fen: int, high_fen: int
) -> None:
    assert line_worth_fen(row, Decimal(quantity)) == low_fen
    assert line_worth_fen(row, Decimal(quantity), ROUND_CEILING) == high_fen


@given(
    amount_fen=st.integers(1, 10_000_000),
    steps=st.lists(st.integers(1, 50_000), min_size=1, max_size=12),
)
def test_steps_of_any_size_add_up_to_the_line(amount_fen: int, steps: list[int]) -> None:
    quantities = [Decimal(step) / 10_000 for step in steps]
    row = line(amount_fen, str(sum(quantities)))
    for quantity in quantities:
        worth_fen = line_worth_fen(row, quantity)
        assert 0 <= worth_fen <= row.amount_fen - row.returned_fen
        row.returned_fen += worth_fen
        row.returned_quantity += quantity
    assert row.returned_fen == amount_fen


@pytest.fixture
def bill(db: None) -> Invoice:
    """¥10.00 for three pieces, and ¥2.50 for one."""
    first = invoice(1_000, 250)
    three = first.lines.order_by("pk")[0]
    InvoiceLine.objects.filter(pk=three.pk).update(quantity=Decimal(3))
    return first


def numbers(bill: Invoice) -> list[str]:
    return list(bill.lines.order_by("pk").values_list("charge__charge_no", flat=True))


def checked(bill: Invoice, place: int, quantity: str, amount_fen: int) -> None:
    wanted = ReturnInput(numbers(bill)[place], Decimal(quantity), amount_fen)
    ((row, given_quantity, given_fen),) = parts_checked(bill, [wanted])
    assert (row.charge.charge_no, given_quantity, given_fen) == (
        wanted.charge_no, wanted.quantity, wanted.amount_fen,
    )  # fmt: skip


def given_back(bill: Invoice, place: int, quantity: str, amount_fen: int) -> None:
    pk = bill.lines.order_by("pk").values_list("pk", flat=True)[place]
    InvoiceLine.objects.filter(pk=pk).update(
        returned_quantity=Decimal(quantity), returned_fen=amount_fen
    )


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (("0", 0), ("1", 334)),
        (("0", 0), ("1", 333)),
        (("0", 0), ("1", 1)),  # less than its worth is the caller's affair
        (("1", 334), ("1", 333)),
        (("2", 666), ("1", 334)),
        (("0", 0), ("3", 1_000)),
    ],
)
def test_what_may_be_given_back(
    bill: Invoice, before: tuple[str, int], wanted: tuple[str, int]
) -> None:
    given_back(bill, 0, *before)
    checked(bill, 0, *wanted)


@pytest.mark.parametrize(
    ("before", "wanted", "code", "field"),
    [
        (("0", 0), ("1", 335), "amount_left", "amount_fen"),
        (("1", 334), ("1", 334), "amount_left", "amount_fen"),
        (("0", 0), ("3.0001", 1_000), "quantity_left", "quantity"),
        (("2", 666), ("1.0001", 334), "quantity_left", "quantity"),
        (("0", 0), ("3", 999), "amount_left", "amount_fen"),  # the last one takes the remainder
        (("2", 666), ("1", 333), "amount_left", "amount_fen"),
        (("3", 1_000), ("1", 1), "quantity_left", "quantity"),
    ],
)
def test_what_may_not(
    bill: Invoice, before: tuple[str, int], wanted: tuple[str, int], code: str, field: str
) -> None:
    given_back(bill, 0, *before)
    with pytest.raises(Conflict) as refused:
        checked(bill, 0, *wanted)
    assert (refused.value.code, refused.value.field) == (code, f"lines[0].{field}")


def test_a_charge_that_is_not_on_the_bill_or_named_twice_is_named(bill: Invoice) -> None:
    known = ReturnInput(numbers(bill)[1], Decimal(1), 250)
    strange = ReturnInput(numbers(invoice(500))[0], Decimal(1), 500)
    for wanted in ([known, strange], [known, known]):
        with pytest.raises(BadInput) as refused:
            parts_checked(bill, wanted)
        assert refused.value.field == "lines[1].charge_no"


def test_all_that_is_left(bill: Invoice) -> None:
    given_back(bill, 0, "1", 334)
    left = [(quantity, fen) for _line, quantity, fen in parts_checked(bill, None)]
    assert sorted(left) == [(Decimal(1), 250), (Decimal(2), 666)]
    given_back(bill, 0, "3", 1_000)
    assert [fen for _line, _quantity, fen in parts_checked(bill, None)] == [250]
    given_back(bill, 1, "1", 250)
    with pytest.raises(Conflict) as refused:
        parts_checked(bill, None)
    assert refused.value.code == "nothing_left"
