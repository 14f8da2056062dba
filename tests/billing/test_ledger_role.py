"""What the role that serves can do to the books: its rights are those of docs/deployment.md."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseError

from billing.ledger.accounts import accounts_resolve
from billing.ledger.checking import ledger_check
from billing.ledger.closing import day_close
from core import clock
from core.actors import SYSTEM
from core.audit import record
from core.checks import production_database_is_safe
from core.triggers import append_only_tables
from tests.billing.ledger_books import WECHAT, capture, give_back, issue
from tests.billing.test_ledger_routes import FUND, fund_pays_most
from tests.billing.test_ledger_rules import raw_entry, raw_legs

pytestmark = pytest.mark.django_db

ROLE = f"portal_app_{os.getpid()}"  # roles are of the whole cluster, tests of one process
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "deployment.md"
ALL_RIGHTS = (
    f"CREATE ROLE {ROLE}",
    f"GRANT USAGE ON SCHEMA public TO {ROLE}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}",
    f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE}",
)


def revoked() -> str:
    """The statement of the guide that takes the rights away."""
    found = re.search(r"DO \$\$.*?END \$\$;", GUIDE.read_text(encoding="utf8"), re.DOTALL)
    assert found is not None
    return found.group().replace("portal_app", ROLE)


@pytest.fixture
def serving() -> Iterator[CursorWrapper]:
    """A cursor as the role that serves, before the guide's REVOKE; the role ends with the test."""
    fund_pays_most()
    record(by=SYSTEM, action="a", subject="s", subject_id=1)
    accounts_resolve({WECHAT, FUND, "bank"})
    with connection.cursor() as cursor:
        for statement in ALL_RIGHTS:
            cursor.execute(statement)
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        yield cursor
        cursor.execute("RESET ROLE")


def by_the_guide(cursor: CursorWrapper) -> None:
    cursor.execute("RESET ROLE")
    cursor.execute(revoked())
    cursor.execute(f"SET LOCAL ROLE {ROLE}")


@pytest.mark.parametrize("table", append_only_tables())
def test_no_setting_of_a_session_opens_what_is_append_only(
    table: str, serving: CursorWrapper
) -> None:
    serving.execute(
        "SELECT string_agg(tgname, ',') FROM pg_trigger WHERE tgrelid = %s::regclass", [table]
    )
    serving.execute(f"SET LOCAL pgtrigger.ignore = '{{{serving.fetchone()[0]}}}'")
    serving.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table]
    )
    column = serving.fetchone()[0]
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            serving.execute(statement)


@pytest.mark.parametrize("table", append_only_tables())
def test_by_the_guide_the_right_is_not_there(table: str, serving: CursorWrapper) -> None:
    by_the_guide(serving)
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            serving.execute(statement)


def test_the_start_names_what_the_role_may_still_change(
    settings: object, serving: CursorWrapper
) -> None:
    settings.PRODUCTION = True  # type: ignore[attr-defined]
    (message,) = production_database_is_safe(["default"])
    assert message.id == "core.E014"
    assert all(table in message.msg for table in append_only_tables())

    by_the_guide(serving)
    assert production_database_is_safe(["default"]) == []

    serving.execute("RESET ROLE")
    serving.execute(f"GRANT DELETE ON core_auditevent TO {ROLE}")
    serving.execute(f"SET LOCAL ROLE {ROLE}")
    (message,) = production_database_is_safe(["default"])
    assert message.msg.endswith(": core_auditevent")


def test_by_the_guide_the_books_are_kept(serving: CursorWrapper) -> None:
    by_the_guide(serving)
    issue(9, 100)
    capture(9, 100)
    give_back(9, 3, 40)
    record(by=SYSTEM, action="b", subject="s", subject_id=1)
    with clock.freeze(clock.now() + timedelta(days=1)):
        day_close(clock.today() - timedelta(days=1))
    assert ledger_check().sound


def test_a_temporary_table_stands_in_for_no_account(serving: CursorWrapper) -> None:
    sql = raw_entry(2) + raw_legs((1, FUND, 4, 70), (2, WECHAT, 0, -70))
    serving.execute(
        "CREATE TEMP TABLE ledger_account AS SELECT id, code, 'x'::text AS family, kind,"
        " false AS needs_subject FROM public.ledger_account"
    )
    with pytest.raises(IntegrityError, match="fund_stays_apart"), transaction.atomic():
        serving.execute(sql)


def test_a_temporary_table_opens_no_closed_day(serving: CursorWrapper) -> None:
    sql = raw_entry(2) + raw_legs((1, "bank", 0, 70), (2, WECHAT, 0, -70))
    serving.execute(
        "INSERT INTO ledger_closed_day VALUES ('2026-11-25', now(), 0, 0, 0, 0);"
        "CREATE TEMP TABLE ledger_closed_day (LIKE public.ledger_closed_day)"
    )
    serving.execute(f"{sql} RETURNING business_day::text")
    assert set(serving.fetchall()) == {("2026-11-26",)}


@pytest.mark.parametrize("name", ["ledger_entry", "ledger_posting", "date", "text", "record"])
def test_no_other_name_is_shadowed(name: str, serving: CursorWrapper) -> None:
    sql = raw_entry(2) + raw_legs((1, FUND, 4, 70), (2, WECHAT, 0, -70))
    sql = sql.replace("INTO ledger_", "INTO public.ledger_").replace("date '", "'")
    serving.execute(f"CREATE TEMP TABLE {name} (nothing int)")
    with pytest.raises(IntegrityError, match="fund_stays_apart"), transaction.atomic():
        serving.execute(sql)


def test_the_check_reads_no_temporary_table(serving: CursorWrapper) -> None:
    serving.execute("CREATE TEMP TABLE ledger_posting (LIKE public.ledger_posting)")
    report = ledger_check()
    assert (report.sound, report.postings) == (True, 10)


def test_no_function_of_the_ledger_uses_a_plain_name() -> None:
    """Tables, functions and types of every ledger function: a new one must not reopen this."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'ledger\\_%'"
            " AND pronamespace = 'public'::regnamespace"
        )
        sources = dict(cursor.fetchall())
    assert len(sources) == 12
    for name, source in sources.items():
        code = re.sub(r"--[^\n]*|'[^']*'", "", source)
        assert re.findall(r"(?<![\w.])ledger_\w+", code) == [], name
        assert re.findall(r"(?<![\w.])(?:date|text|record|timestamptz)\s*[;\[]", code) == [], name


@pytest.mark.django_db(transaction=True)
def test_by_the_guide_a_day_is_closed(still_clock: clock.FrozenClock) -> None:
    """With real commits: what follows the closing transaction is no owner's work either."""
    with connection.cursor() as cursor:
        for statement in (*ALL_RIGHTS, revoked()):
            cursor.execute(statement)
        try:
            cursor.execute(f"SET ROLE {ROLE}")
            issue(9, 100)
            day = clock.today()
            still_clock.advance(timedelta(days=1))
            assert day_close(day).posting_count == 2
        finally:
            cursor.execute(f"RESET ROLE; DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
