"""Hints for workers: after the commit only, and a broker that is away costs a delay, no error."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from core.dispatch import enqueue


class Task:
    """A task as far as `enqueue` knows it."""

    name = "billing.tasks.some_task"

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault, self.sent = fault, []

    def apply_async(self, args: tuple[Any, ...], **how: Any) -> None:
        if self.fault:
            raise self.fault
        self.sent.append((args, how))


@pytest.mark.django_db(transaction=True)
def test_a_task_is_sent_once_and_the_broker_not_waited_for():
    task = Task()
    assert enqueue(task, 7, "x")
    assert task.sent == [((7, "x"), {"retry": False})]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction():
    task = Task()
    with pytest.raises(RuntimeError, match="after the commit"), transaction.atomic():
        enqueue(task, 7)
    assert task.sent == []


@pytest.mark.django_db
def test_a_test_of_its_own_is_no_transaction_but_one_inside_it_is():
    task = Task()
    assert enqueue(task, 7)
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue(task, 8)
    assert [args for args, _how in task.sent] == [(7,)]


@pytest.mark.parametrize("fault", [OperationalError("away"), ConnectionRefusedError("away")])
@pytest.mark.django_db
def test_a_broker_that_is_away_is_a_line_in_the_log(fault, caplog):
    with caplog.at_level(logging.WARNING):
        assert not enqueue(Task(fault), 7)
    assert "billing.tasks.some_task waits for its sweeper" in caplog.text


@pytest.mark.django_db
def test_a_fault_of_ours_is_not_taken_for_the_brokers():
    with pytest.raises(TypeError):
        enqueue(Task(TypeError("cannot be sent")), 7)
