from __future__ import annotations

import threading
import time
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction

from core import idempotency
from core.errors import BadInput
from core.idempotency import NumberReused, bind, claim
from core.models import IdempotentCall

HASH = idempotency.input_hash({"amount_fen": 8640})


def take(number: str = "R1", hashed: str = HASH, client: str = "his") -> idempotency.Claim:
    return claim(client_code=client, operation="collect", number=number, input_hash=hashed)


@pytest.mark.django_db
def test_first_call_acts_and_the_second_reads(django_assert_num_queries):
    with transaction.atomic():
        with django_assert_num_queries(1):
            first = take()
        bind(first, 42, {"result": "paid", "amount_fen": 8640})
    with transaction.atomic(), django_assert_num_queries(1):
        second = take()
    assert (first.created, first.subject_id, first.answer) == (True, None, None)
    assert (second.created, second.subject_id) == (False, 42)
    assert second.answer == {"result": "paid", "amount_fen": 8640}
    assert IdempotentCall.objects.count() == 1


@pytest.mark.django_db
def test_other_input_under_the_same_number():
    with transaction.atomic():
        bind(take(), 42)
    with transaction.atomic(), pytest.raises(NumberReused) as refused:
        take(hashed=idempotency.input_hash({"amount_fen": 8641}))
    assert (refused.value.status, refused.value.field) == (409, "number")
    assert IdempotentCall.objects.get().subject_id == 42


@pytest.mark.django_db
def test_numbers_of_clients_do_not_meet():
    with transaction.atomic():
        assert take(client="his-a").created
        assert take(client="his-b").created


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["", "x" * 65])
def test_number_out_of_bounds(number):
    with transaction.atomic(), pytest.raises(BadInput):
        take(number)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction():
    with pytest.raises(RuntimeError):
        take()
    assert not IdempotentCall.objects.exists()


def test_hash_is_of_the_meaning():
    same = idempotency.input_hash({"b": [1, "二"], "a": Decimal("1.10"), "d": date(2026, 11, 20)})
    assert same == idempotency.input_hash(
        {"d": "2026-11-20", "a": "1.10", "b": (1, "二")},
    )
    assert same != idempotency.input_hash({"b": ["二", 1], "a": "1.10", "d": "2026-11-20"})
    with pytest.raises(ValueError):
        idempotency.input_hash({"a": float("nan")})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first_commits", [True, False])
def test_second_waits_for_the_first(first_commits):
    inside, claims = threading.Event(), {}

    def first() -> None:
        try:
            with transaction.atomic():
                claims["first"] = take()
                inside.set()
                time.sleep(0.3)
                bind(claims["first"], 42)
                if not first_commits:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with transaction.atomic():
        second = take()
    thread.join()
    assert claims["first"].created
    expected = (False, 42) if first_commits else (True, None)
    assert (second.created, second.subject_id) == expected


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_one_acts():
    barrier, claims = threading.Barrier(20), []

    def run() -> None:
        barrier.wait()
        try:
            with transaction.atomic():
                mine = take()
                if mine.created:
                    bind(mine, 7)
                claims.append(mine)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(c.created for c in claims) == [False] * 19 + [True]
    assert {c.subject_id for c in claims if not c.created} == {7}
