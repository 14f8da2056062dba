"""Rows of several models move in one statement: all of them or none, each with its own trace."""

from __future__ import annotations

import contextlib

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.locking import NotLocked, lock_row
from core.models import StateChange
from core.states import IllegalTransition, Numbered, StaleRow, Step, transition_together
from tests.core.shapes import Box, Question

pytestmark = pytest.mark.usefixtures("shapes")

# A row that takes the next number of the box that moves, and its note.
NUMBERED = """
INSERT INTO core_shapes_box (status, amount_fen, "note text", data, secret, parent_id)
SELECT 'LOST', amount_fen, "note text" || %s, '{}', '', id FROM moved
"""


def locked(row):
    return lock_row(type(row).objects.filter(pk=row.pk))


def question() -> Question:
    return Question.objects.create(
        reason_code="amount", summary="?", opened_by="staff:wang", opened_at=clock.now()
    )


def withdrawn(row: Question) -> Step:
    return Step([row], "WITHDRAWN", {"decided_at": clock.now()})


def numbered() -> Numbered:
    return Numbered("amount_fen", NUMBERED, ["!"], beside=("note text",))


def test_two_models_and_a_number_are_one_statement(box, clerk, django_assert_num_queries):
    with transaction.atomic():
        first, case = locked(box(amount_fen=6)), locked(question())
        sent = Step([first], "SENT", {"note": "it's"}, "posted")
        with django_assert_num_queries(1):
            transition_together(sent, withdrawn(case), by=clerk, numbered=numbered())
    # then: both instances and rows have moved, and the new row has the number of its box
    assert (first.status, first.note, first.amount_fen) == ("SENT", "it's", 7)
    assert (case.status, case.decided_at) == ("WITHDRAWN", clock.now())
    stored = Box.objects.get(pk=first.pk)
    assert (stored.status, stored.note, stored.amount_fen) == ("SENT", "it's", 7)
    assert Question.objects.get().status == "WITHDRAWN"
    written = Box.objects.get(parent=first)
    assert (written.amount_fen, written.note) == (7, "it's!")
    # each its own trace, what led to the first step before it, the counter in neither
    traces = StateChange.objects.order_by("pk").values_list(
        "entity", "entity_id", "from_status", "to_status", "actor", "reason", "fields"
    )
    decided = clock.now().isoformat()
    assert list(traces) == [
        (
            *("core_shapes.question", case.pk, "OPEN", "WITHDRAWN", "staff:wang", ""),
            {"decided_at": decided},
        ),
        ("core_shapes.box", first.pk, "OPEN", "SENT", "staff:wang", "posted", {"note": "it's"}),
    ]


def test_rows_of_one_model_may_go_different_ways(box, clerk):
    rows = [box(), box(), box(status="SENT")]
    with transaction.atomic():
        one, two, three = (locked(row) for row in rows)
        transition_together(Step([one, two], "LOST"), Step([three], "DONE"), by=clerk)
    assert [Box.objects.get(pk=row.pk).status for row in rows] == ["LOST", "LOST", "DONE"]
    assert StateChange.objects.count() == 3


@pytest.mark.parametrize("behind", ["box", "case"])
def test_if_one_is_behind_its_row_none_moves(behind, box, clerk):
    """A caller that swallows the refusal still commits nothing."""
    before, case = box(amount_fen=6), question()
    with transaction.atomic():
        rows = {"box": locked(before), "case": locked(case)}
        other = {"box": "LOST", "case": "REJECTED"}[behind]
        fields = {"decided_by": "staff:li", "decided_at": clock.now()} if behind == "case" else {}
        type(rows[behind]).objects.filter(pk=rows[behind].pk).update(status=other, **fields)
        with contextlib.suppress(StaleRow):
            transition_together(
                Step([rows["box"]], "SENT"), withdrawn(rows["case"]), by=clerk, numbered=numbered()
            )
    assert (rows["box"].status, rows["box"].amount_fen) == ("OPEN", 6)
    assert rows["case"].status == "OPEN"
    assert list(Box.objects.values_list("status", "amount_fen")) == [("OPEN", 6)]
    assert Question.objects.get().status == "OPEN"
    assert not StateChange.objects.exists()


def test_every_row_is_asked_before_anything_is_sent(box, clerk, django_assert_num_queries):
    with transaction.atomic():
        first, second = locked(box()), locked(box(status="LOST"))
        unlocked = question()
        with django_assert_num_queries(0):
            with pytest.raises(IllegalTransition):
                transition_together(Step([first], "SENT"), Step([second], "SENT"), by=clerk)
            with pytest.raises(NotLocked):
                transition_together(Step([first], "SENT"), withdrawn(unlocked), by=clerk)
            with pytest.raises(TypeError, match="moves once"):
                transition_together(Step([first], "SENT"), Step([first], "LOST"), by=clerk)
            with pytest.raises(TypeError, match="one row"):
                transition_together(Step([first, first], "SENT"), by=clerk, numbered=numbered())
            with pytest.raises(TypeError, match="no row"):
                transition_together(Step([], "SENT"), Step([first], "SENT"), by=clerk)
    assert first.status == "OPEN"
    assert not StateChange.objects.exists()


def test_a_row_that_cannot_be_written_leaves_the_others(box, clerk):
    with transaction.atomic():
        first, case = locked(box()), locked(question())
        with pytest.raises(IntegrityError), transaction.atomic():
            # a case that ended says when
            transition_together(
                Step([first], "SENT"), Step([case], "WITHDRAWN"), by=clerk, numbered=numbered()
            )
    assert (first.status, case.status) == ("OPEN", "OPEN")
    assert list(Box.objects.values_list("status", "amount_fen")) == [("OPEN", 0)]
    assert not StateChange.objects.exists()
