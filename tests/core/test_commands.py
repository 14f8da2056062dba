"""The contract of commands: one object on stdout, people's text on stderr, exit codes."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from core.commands import ExitCode, PortalCommand, Result
from core.errors import BadInput, Conflict
from core.locking import advisory_number


class Counting(PortalCommand):
    writes = True

    def perform(self, **options: Any) -> Result:
        return Result({"count": 2, "dry_run": options["dry_run"]}, "two were counted")


class Refusing(PortalCommand):
    def perform(self, **options: Any) -> Result:
        raise Conflict("closed", "The day is closed.")


class Misled(PortalCommand):
    def perform(self, **options: Any) -> Result:
        raise BadInput("bad_day", "There is no such day.")


class Differing(PortalCommand):
    exclusive = True

    def perform(self, **options: Any) -> Result:
        return Result({"differences": ["a"]}, "1 difference", ExitCode.DIFFERENCES)


def run(command: PortalCommand, **options: Any) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command(command, stdout=out, stderr=err, **options)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_json_goes_to_stdout_and_text_to_stderr() -> None:
    code, out, err = run(Counting(), json=True, dry_run=True)
    assert (code, json.loads(out)) == (0, {"count": 2, "dry_run": True})
    assert "two were counted" in err


def test_without_json_stdout_is_empty() -> None:
    assert run(Counting())[1] == ""


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [(Refusing(), ExitCode.REFUSED, "closed"), (Misled(), ExitCode.USAGE, "bad_day")],
)
def test_a_refusal_is_an_answer(command: PortalCommand, code: int, error: str) -> None:
    ended, out, err = run(command, json=True)
    assert ended == code
    assert json.loads(out)["error"]["code"] == error
    assert json.loads(out)["error"]["message"] in err


@pytest.mark.django_db(transaction=True)
def test_differences_have_their_own_code_and_free_the_lock() -> None:
    for _ in range(2):
        code, out, _err = run(Differing(), json=True)
        assert (code, json.loads(out)) == (ExitCode.DIFFERENCES, {"differences": ["a"]})


@pytest.mark.django_db(transaction=True)
def test_a_second_run_at_once_is_told_so() -> None:
    # given another connection that holds the command's lock
    other = connection.copy()
    name = Differing.__module__.rpartition(".")[2]
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [advisory_number(f"command:{name}")])
    try:
        code, out, _err = run(Differing(), json=True)
    finally:
        other.close()
    assert code == ExitCode.LOCKED
    assert json.loads(out)["error"]["code"] == "locked"
