"""A day of many settlements compared: every planted difference is found, none is invented, and the
insurer's rows are matched with ours by one statement."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from insurance.models import Claim, InsurerStatement, StatementDifference
from insurance.services.statements import DayReport
from tests.insurance import factories
from tests.insurance.day_books import day_look, day_seed, differences_found

pytestmark = pytest.mark.django_db
SETTLEMENTS = 200  # `make bench FIGURE=statements`: 20,000
EACH = 3
COMPARED_MAX = 30
MATCHES = "INTO insurance_statementdifference"


def compared(settlements: int, each: int) -> tuple[int, int]:
    """A day with so many differences of each kind: statements sent, and those that match."""
    place = factories.institution()
    books = day_seed(place, settlements)
    wrong = books.differ(each)
    assert len(wrong) == 3 * each
    with CaptureQueriesContext(connection) as captured:
        assert day_look(place, books) == DayReport(even=1, different=1)
    assert differences_found() == wrong
    said = [str(one["sql"]) for one in captured.captured_queries]
    sent = [one for one in said if not one.startswith(("SAVEPOINT", "RELEASE"))]
    return len(sent), sum(MATCHES in one for one in sent)


def test_every_planted_difference_of_a_day_is_found_and_none_is_invented() -> None:
    _all, matching = compared(SETTLEMENTS, EACH)
    assert matching == 1
    group = InsurerStatement.objects.get(scheme="310")
    assert (group.status, group.ours_count) == ("DETAILED", SETTLEMENTS + 10)
    # each with its figures on both sides, and the claim where there is one
    for row in StatementDifference.objects.filter(statement=group):
        ours = (row.ours_total_fen, row.ours_fund_fen, row.claim_id)
        theirs = (row.theirs_total_fen, row.theirs_fund_fen)
        if row.kind == "1":
            assert ours == (None, None, None) and None not in theirs
        if row.kind == "2":
            assert None not in ours and theirs == (None, None)
        if row.kind == "3":
            assert row.claim_id is not None and row.theirs_fund_fen == row.ours_fund_fen + 1
        if row.claim_id is not None:
            claim = Claim.objects.get(pk=row.claim_id)
            sign = -1 if row.refund else 1
            assert row.ours_total_fen == sign * claim.amount_fen
            assert row.settlement_no in (claim.settlement_no, claim.reversal_no)


@pytest.mark.parametrize("settlements", [60, 600])
def test_a_day_is_compared_by_as_many_statements_however_many_settlements(
    settlements: int,
) -> None:
    sent, matching = compared(settlements, settlements // 60)
    assert sent <= COMPARED_MAX and matching == 1, sent


def test_what_is_put_right_is_gone_and_comes_back_when_it_is_wrong_again() -> None:
    place = factories.institution()
    books = day_seed(place, 60)
    right = dict(books.rows)
    wrong = books.differ(1)
    day_look(place, books)
    kept = dict(books.rows)
    # one of the three is put right
    (number,) = [number for kind, number in wrong if kind == "2"]
    books.rows[number] = right[number]
    day_look(place, books)
    assert differences_found() == wrong - {("2", number)}
    gone = StatementDifference.objects.get(settlement_no=number)
    assert gone.gone_at == clock.now()
    # and wrong once more: the same row, with the day it was found first
    books.rows = kept
    with clock.freeze(clock.now() + timedelta(hours=1)):
        day_look(place, books)
    assert differences_found() == wrong
    again = StatementDifference.objects.get(settlement_no=number)
    assert (again.pk, again.gone_at, again.found_at) == (gone.pk, None, gone.found_at)


def test_a_number_that_the_insurer_names_twice_is_one_difference() -> None:
    place = factories.institution()
    books = day_seed(place, 60)
    books.repeats = True
    wrong = books.differ(1)
    day_look(place, books)
    assert differences_found() == wrong
