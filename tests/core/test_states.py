from __future__ import annotations

import contextlib
import threading
from datetime import datetime

import pytest
from django.db import IntegrityError, connection, models, transaction

from core import clock
from core.actors import SYSTEM
from core.errors import Conflict
from core.locking import NotLocked, lock_row, lock_rows, mark_created
from core.models import StateChange
from core.states import IllegalTransition, StaleRow, transition, transition_all
from tests.core.shapes import Box

pytestmark = pytest.mark.usefixtures("shapes")


def locked(box: Box) -> Box:
    return lock_row(Box.objects.filter(pk=box.pk))


def test_step_and_trace_are_one_statement(box, clerk, django_assert_num_queries):
    # given
    parent = box()
    with transaction.atomic():
        row = locked(box(amount_fen=5))
        # when
        with django_assert_num_queries(1):
            transition(
                row,
                "SENT",
                by=clerk,
                reason="posted",
                amount_fen=8640,
                note="it's",
                data={"lines": [1, "二"]},
                done_at=clock.now(),
                parent=parent,
                secret="110101199003070012",
            )
    # then: the instance, the row and the trace agree
    stored = Box.objects.get(pk=row.pk)
    for seen in (row, stored):
        assert (seen.status, seen.amount_fen, seen.note) == ("SENT", 8640, "it's")
        assert (seen.data, seen.parent_id) == ({"lines": [1, "二"]}, parent.pk)
        assert (seen.done_at, seen.secret) == (clock.now(), "110101199003070012")
    change = StateChange.objects.get()
    assert (change.entity, change.entity_id) == ("core_shapes.box", row.pk)
    assert (change.from_status, change.to_status) == ("OPEN", "SENT")
    assert (change.actor, change.actor_name, change.reason) == ("staff:wang", "王芳", "posted")
    assert change.fields["amount_fen"] == 8640
    assert change.fields["parent"] == parent.pk
    assert change.created_at == clock.now()


def test_encrypted_values_stay_out_of_the_trace(box, clerk):
    with transaction.atomic():
        transition(locked(box()), "SENT", by=clerk, secret="110101199003070012")
    assert StateChange.objects.get().fields == {"secret": "***"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM core_shapes_box")
        assert cursor.fetchone()[0].startswith("aes256gcm:")


@pytest.mark.parametrize("_case", [("OPEN", "DONE"), ("DONE", "OPEN"), ("LOST", "SENT")])
def test_step_that_is_not_in_the_table(_case, box, clerk):
    before, to = _case
    with transaction.atomic():
        row = locked(box(status=before))
        with pytest.raises(IllegalTransition) as refused:
            transition(row, to, by=clerk, note="no")
    assert isinstance(refused.value, Conflict)
    assert refused.value.status == 409
    assert (row.status, row.note) == (before, "")
    assert Box.objects.get().status == before
    assert not StateChange.objects.exists()


def test_row_that_was_only_read_is_refused(box, clerk):
    row = box()
    with transaction.atomic(), pytest.raises(NotLocked):
        transition(row, "SENT", by=clerk)
    assert not StateChange.objects.exists()


def test_created_row_may_move_in_its_transaction(box, clerk):
    with transaction.atomic():
        row = mark_created(box())
        transition(row, "SENT", by=clerk)
        transition(row, "DONE", by=SYSTEM)
    assert Box.objects.get().status == "DONE"
    assert StateChange.objects.count() == 2


def test_instance_that_is_behind_its_row(box, clerk):
    with transaction.atomic():
        row = locked(box())
        Box.objects.filter(pk=row.pk).update(status="LOST")
        with pytest.raises(StaleRow):
            transition(row, "SENT", by=clerk, note="mine")
    assert (row.status, row.note) == ("OPEN", "")
    assert not StateChange.objects.exists()


@pytest.mark.parametrize(
    "_case",
    [
        {"amount_fen": models.F("amount_fen") + 1},
        {"status": "DONE"},
        {"id": 7},
    ],
)
def test_only_plain_values_of_other_columns_are_written(_case, box, clerk):
    with transaction.atomic():
        row = locked(box())
        with pytest.raises(TypeError):
            transition(row, "SENT", by=clerk, **_case)
    assert not StateChange.objects.exists()


def test_constraint_that_refuses_leaves_nothing(box, clerk):
    with transaction.atomic():
        row = locked(box())
        with pytest.raises(IntegrityError), transaction.atomic():
            transition(row, "SENT", by=clerk, amount_fen=None)
        # the lock was taken outside the savepoint that broke, so the row is still ours
        assert row.status == "OPEN"
        transition(row, "LOST", by=clerk)
    assert [c.to_status for c in StateChange.objects.all()] == ["LOST"]


def test_long_reason_is_cut_not_refused(box, clerk):
    with transaction.atomic():
        transition(locked(box()), "SENT", by=clerk, reason="因" * 600)
    assert StateChange.objects.get().reason == "因" * 499 + "…"


def test_many_rows_move_in_one_statement(box, clerk, django_assert_num_queries):
    for _ in range(3):
        box()
    with transaction.atomic():
        rows = lock_rows(Box.objects.all())
        with django_assert_num_queries(1):
            transition_all(rows, "SENT", by=clerk, amount_fen=5)
        with django_assert_num_queries(0):
            transition_all([], "SENT", by=clerk)
    assert {(row.status, row.amount_fen) for row in rows} == {("SENT", 5)}
    assert set(Box.objects.values_list("status", "amount_fen")) == {("SENT", 5)}
    assert set(StateChange.objects.values_list("entity_id", flat=True)) == {r.pk for r in rows}


def test_many_rows_move_together_or_not_at_all(box, clerk):
    for _ in range(3):
        box()
    with transaction.atomic():
        rows = lock_rows(Box.objects.all())
    Box.objects.filter(pk=rows[2].pk).update(status="LOST")
    # a caller that swallows the refusal still commits nothing
    with transaction.atomic():
        stale = lock_rows(Box.objects.all())
        stale[2].status = "OPEN"
        with contextlib.suppress(StaleRow):
            transition_all(stale, "SENT", by=clerk)
    assert sorted(Box.objects.values_list("status", flat=True)) == ["LOST", "OPEN", "OPEN"]
    assert not StateChange.objects.exists()


def test_rows_that_differ_do_not_move_together(box, clerk):
    box(), box(status="SENT")
    with transaction.atomic():
        rows = lock_rows(Box.objects.all())
        with pytest.raises(TypeError):
            transition_all(rows, "SENT", by=clerk)
    assert not StateChange.objects.exists()


@pytest.mark.usefixtures("committed_shapes")
def test_two_at_once_one_wins(box, clerk):
    row_id = box().pk
    barrier, ends = threading.Barrier(2), []

    def step() -> None:
        barrier.wait()
        try:
            with transaction.atomic():
                transition(lock_row(Box.objects.filter(pk=row_id)), "SENT", by=clerk)
            ends.append("moved")
        except IllegalTransition:
            ends.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=step) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["moved", "refused"]
    assert StateChange.objects.filter(entity_id=row_id, entity="core_shapes.box").count() == 1


def test_pinned_clock() -> None:
    assert clock.now() == datetime(2026, 11, 20, 10, tzinfo=clock.ZONE)
