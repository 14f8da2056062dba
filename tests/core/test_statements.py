"""Hot statements are planned once per connection, and Django's log still sees them."""

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.integrity import constraint_name
from core.statements import one_trip, prepared_cursor

pytestmark = pytest.mark.django_db
TWICE = """
INSERT INTO django_content_type (app_label, model)
SELECT app_label, model FROM django_content_type LIMIT 1
"""
TEXT = "SELECT %s::int + 1 /* statements */"


def planned() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s",
                       ["%/* statements */%"])  # fmt: skip
        return [row[0] for row in cursor.fetchall()]


def test_one_text_is_one_plan_however_often_it_runs():
    before = len(planned())
    for number in range(5):
        with prepared_cursor() as cursor:
            cursor.execute(TEXT, [number])
            assert cursor.fetchone() == (number + 1,)
    assert len(planned()) == max(before, 1)


def test_other_cursors_prepare_nothing():
    before = len(planned())
    with connection.cursor() as cursor:
        for number in range(10):
            cursor.execute("SELECT %s + 2 /* statements */", [number])
    assert len(planned()) == before


def test_the_log_and_the_wrappers_see_it():
    seen: list[str] = []

    def wrapper(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    with (
        CaptureQueriesContext(connection) as log,
        connection.execute_wrapper(wrapper),
        prepared_cursor() as cursor,
    ):
        cursor.execute(TEXT, [1])
    assert seen == [TEXT]
    assert len(log) == 1


def test_the_rule_that_refused_is_named():
    with (
        pytest.raises(IntegrityError) as refused,
        transaction.atomic(),
        prepared_cursor() as cursor,
    ):
        cursor.execute(TWICE, [])
    assert constraint_name(refused.value).startswith("django_content_type_app_label_model")


def test_an_error_without_a_rule_names_none():
    assert constraint_name(IntegrityError("no driver behind it")) == ""


def test_a_statement_inside_another_has_rows_of_its_own():
    with prepared_cursor() as outer:
        outer.execute(TEXT, [1])
        with prepared_cursor() as inner:
            inner.execute(TEXT, [10])
            assert inner.fetchall() == [(11,)]
        assert outer.fetchone() == (2,)
        assert outer.rowcount == 1


def test_after_a_refusal_the_next_statement_has_its_own_answer():
    with pytest.raises(IntegrityError), transaction.atomic(), prepared_cursor() as cursor:
        cursor.execute(TWICE, [])
    with prepared_cursor() as cursor:
        cursor.execute(TEXT, [4])
        assert cursor.fetchone() == (5,)
        assert cursor.fetchone() is None


def test_in_a_broken_transaction_nothing_is_sent():
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        transaction.set_rollback(True)
        with prepared_cursor() as cursor:
            cursor.execute(TEXT, [1])


def test_what_goes_in_one_trip_has_its_answers_in_turn():
    with transaction.atomic(), prepared_cursor() as first, prepared_cursor() as second:
        with one_trip():
            first.execute(TEXT, [1])
            second.execute(TEXT, [10])
        assert first.fetchall() == [(2,)]
        assert second.fetchall() == [(11,)]


def test_after_the_one_that_fails_nothing_of_a_trip_is_done():
    with pytest.raises(DataError), transaction.atomic(), prepared_cursor() as cursor, one_trip():
        cursor.execute("SELECT 1 / %s::int", [0])
        cursor.execute("CREATE TABLE statements_left (id int)", [])
    # then: the connection serves on, and nothing was left behind
    with prepared_cursor() as cursor:
        cursor.execute("SELECT to_regclass('statements_left')")
        assert cursor.fetchone() == (None,)
