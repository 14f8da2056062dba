"""A row is written and another moves for it: both in one statement, or neither."""

from __future__ import annotations

import pytest
from django.db import transaction

from core.locking import NotLocked, lock_row
from core.models import StateChange
from core.states import StaleRow, Step, transition_if_new
from tests.core.shapes import Box

pytestmark = pytest.mark.usefixtures("shapes")


def locked(row: Box) -> Box:
    return lock_row(Box.objects.filter(pk=row.pk))


def test_the_new_row_and_the_step_are_one_statement(box, clerk, django_assert_num_queries):
    with transaction.atomic():
        row, new = locked(box()), Box(amount_fen=7)
        with django_assert_num_queries(1):
            assert transition_if_new(new, Step([row], "SENT", {"note": "x"}, "why"), by=clerk)
    assert (row.status, row.note) == ("SENT", "x")
    assert Box.objects.get(pk=row.pk).status == "SENT"
    assert Box.objects.get(pk=new.pk).amount_fen == 7
    traces = StateChange.objects.values_list("entity_id", "to_status", "reason")
    assert list(traces) == [(row.pk, "SENT", "why")]


def test_a_number_that_is_taken_moves_nothing_and_says_so(box, clerk):
    box(number="R1")
    with transaction.atomic():
        row, new = locked(box()), Box(number="R1")
        assert not transition_if_new(new, Step([row], "SENT"), by=clerk)
    # then: the caller's transaction goes on, and nothing has happened in it
    assert (row.status, new.pk) == ("OPEN", None)
    assert Box.objects.get(pk=row.pk).status == "OPEN"
    assert not StateChange.objects.exists()


def test_a_stale_row_takes_the_new_one_with_it(box, clerk):
    with pytest.raises(StaleRow), transaction.atomic():
        row = locked(box())
        Box.objects.filter(pk=row.pk).update(status="LOST")
        try:
            transition_if_new(Box(amount_fen=7), Step([row], "SENT"), by=clerk)
        except StaleRow:
            assert transaction.get_rollback()  # whoever catches it cannot commit the new row
            raise
    assert not Box.objects.filter(amount_fen=7).exists()


def test_the_row_that_moves_must_be_locked(box, clerk):
    row = box()
    with pytest.raises(NotLocked), transaction.atomic():
        transition_if_new(Box(), Step([row], "SENT"), by=clerk)
    assert list(Box.objects.all()) == [row]
