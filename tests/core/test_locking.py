from __future__ import annotations

import threading

import pytest
from django.apps import apps
from django.db import connection, transaction

from core.locking import (
    LOCK_ORDER,
    NotLocked,
    PreparedLock,
    advisory_lock,
    advisory_number,
    is_locked,
    lock_in_turn,
    lock_row,
    lock_rows,
    lock_rows_free,
    mark_created,
)
from core.prepared import PreparedQuery
from core.states import transition
from tests.core.shapes import Box
from tests.fixtures.waiting import wait_for_lock

pytestmark = pytest.mark.usefixtures("committed_shapes")


@transaction.atomic
def decorated_lock(box_id: int) -> Box:
    """One Atomic instance serves all calls of a decorated function, so identity proves nothing."""
    return lock_row(Box.objects.filter(pk=box_id))


def test_row_of_an_earlier_transaction_is_refused(box, clerk):
    row = decorated_lock(box().pk)
    assert not is_locked(row)
    with transaction.atomic():
        lock_row(Box.objects.filter(pk=box().pk))  # another row's lock does not revive it
        with pytest.raises(NotLocked):
            transition(row, "SENT", by=clerk)
    assert Box.objects.get(pk=row.pk).status == "OPEN"


def test_same_decorated_transaction_again_is_another_one(box):
    first = decorated_lock(box().pk)

    @transaction.atomic
    def inside() -> tuple[bool, bool]:
        second = lock_row(Box.objects.filter(pk=first.pk))
        return is_locked(first), is_locked(second)

    assert inside() == (False, True)
    assert inside() == (False, True)


def test_rolled_back_transaction_forgets(box):
    row_id = box().pk
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        row = lock_row(Box.objects.filter(pk=row_id))
        raise ZeroDivisionError
    assert not is_locked(row)


def test_savepoints_keep_the_lock(box, clerk):
    with transaction.atomic():
        with transaction.atomic():
            row = lock_row(Box.objects.filter(pk=box().pk))
        with transaction.atomic():
            transition(row, "SENT", by=clerk)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert is_locked(row)
        transition(row, "DONE", by=clerk)
    assert Box.objects.get(pk=row.pk).status == "DONE"


def test_rolled_back_savepoint_gives_its_lock_up(box):
    outer_id, inner_id = box().pk, box().pk
    with transaction.atomic():
        outer = lock_row(Box.objects.filter(pk=outer_id))
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            inner = lock_row(Box.objects.filter(pk=inner_id))
            raise ZeroDivisionError
        # PostgreSQL released the inner row's lock with the savepoint
        assert (is_locked(outer), is_locked(inner)) == (True, False)


def test_mark_of_another_thread_is_refused(box):
    seen = []
    with transaction.atomic():
        row = lock_row(Box.objects.filter(pk=box().pk))

        def look() -> None:
            with transaction.atomic():
                seen.append(is_locked(row))
            connection.close()

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert is_locked(row)
    assert seen == [False]


def test_rows_come_ordered_and_fresh(box):
    rows = [box(), box(), box()]
    Box.objects.filter(pk=rows[1].pk).update(amount_fen=7)
    with transaction.atomic():
        locked = lock_rows(Box.objects.order_by("-pk"))
        assert [row.pk for row in locked] == sorted(row.pk for row in rows)
        assert locked[1].amount_fen == 7


def test_outside_a_transaction(box):
    row = box()
    for attempt in (
        lambda: lock_rows(Box.objects.all()),
        lambda: mark_created(row),
        lambda: advisory_lock("day:2026-11-20"),
    ):
        with pytest.raises(NotLocked):
            attempt()


def test_lock_row_wants_exactly_one(box):
    with transaction.atomic():
        with pytest.raises(Box.DoesNotExist):
            lock_row(Box.objects.all())
        box(), box()
        with pytest.raises(Box.MultipleObjectsReturned):
            lock_row(Box.objects.all())


def test_many_locks_cost_one_hook(box):
    for _ in range(5):
        box()
    with transaction.atomic():
        lock_rows(Box.objects.all())
        lock_rows(Box.objects.all())
        assert len(connection.run_on_commit) == 1


def test_advisory_lock_excludes_and_shares() -> None:
    tries = {}

    def other() -> None:
        with transaction.atomic():
            tries["exclusive"] = advisory_lock("close", wait=False)
            tries["shared"] = advisory_lock("close", shared=True, wait=False)
        connection.close()

    def in_thread() -> dict[str, bool]:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return dict(tries)

    with transaction.atomic():
        assert advisory_lock("close")
        assert in_thread() == {"exclusive": False, "shared": False}
    with transaction.atomic():
        assert advisory_lock("close", shared=True)
        assert in_thread() == {"exclusive": False, "shared": True}
    assert in_thread()["exclusive"]


def test_advisory_number_is_stable() -> None:
    assert advisory_number("close") == advisory_number("close")
    assert -(2**63) <= advisory_number("x" * 500) < 2**63


def test_the_next_of_a_queue_passes_over_what_another_holds(box):
    rows = sorted((box() for _n in range(3)), key=lambda row: row.pk)
    found: list[int] = []

    def other() -> None:
        try:
            with transaction.atomic():
                queue = Box.objects.order_by("pk")
                found.extend(row.pk for row in lock_rows_free(queue, limit=1))
        finally:
            connection.close()

    with transaction.atomic():
        lock_row(Box.objects.filter(pk=rows[0].pk))
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert found == [rows[1].pk]
    with pytest.raises(NotLocked):
        lock_rows_free(Box.objects.order_by("pk"), limit=1)


def test_the_order_of_locks_names_tables_once():
    assert len(set(LOCK_ORDER)) == len(LOCK_ORDER)
    for label in LOCK_ORDER:
        assert apps.get_model(label)._meta.label_lower == label


_box = PreparedLock(Box, lambda key: Box.objects.filter(pk=key), int)
_children = PreparedLock(Box, lambda key: Box.objects.filter(parent=key), int)
_looked_at = PreparedQuery(lambda key: Box.objects.filter(parent=key), int)


def test_locks_in_turn_are_marked_and_what_is_only_read_is_not(box):
    parent = box()
    child = box(parent=parent)
    asked = [(_box, [parent.pk]), (_children, [parent.pk]), (_looked_at, [parent.pk])]
    with transaction.atomic():
        (first,), (second,), (third,) = lock_in_turn(*asked)
        assert (first, second, third) == (parent, child, child)
        assert (is_locked(first), is_locked(second), is_locked(third)) == (True, True, False)
        assert lock_in_turn((_box, [0]), (_children, [0])) == [[], []]
    with pytest.raises(NotLocked):
        lock_in_turn(*asked)


def test_who_waited_for_the_first_lock_reads_by_the_second_what_was_done_meanwhile(box):
    """Both leave in one trip, but the second is only looked for once the first is held."""
    parent = box()
    seen: list[list[Box]] = []
    waits = threading.Event()

    def other() -> None:
        try:
            with transaction.atomic():
                waits.set()
                seen.extend(lock_in_turn((_box, [parent.pk]), (_children, [parent.pk])))
        finally:
            connection.close()

    with transaction.atomic():
        lock_row(Box.objects.filter(pk=parent.pk))
        thread = threading.Thread(target=other)
        thread.start()
        waits.wait()
        wait_for_lock()
        child = box(parent=parent)
        Box.objects.filter(pk=parent.pk).update(note="changed")
    thread.join()
    assert [[row.note for row in rows] for rows in seen] == [["changed"], [""]]
    assert seen[1] == [child]
