"""What commands answer to a value they cannot take: the code, and a sentence that helps."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

import billing.tasks
from config.management.commands import clock as clock_command

USAGE, REFUSED, TRY_LATER = 2, 4, 75


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        (("clock", "--set", "2020-01-01T00:00:00+08:00"), REFUSED, "only moves forward"),
        (("run_due", "nope"), USAGE, "There is no job of this key; there are: "),
        (("compare_books", "--wait=-5"), USAGE, "--wait"),
        (("resolve_unknown", "--number", "NOPE"), USAGE, "No open transaction has this number"),
        (("resolve_unknown", "--number", ""), USAGE, "No open transaction has this number"),
        (("clock", "--advance=-3h"), REFUSED, "only moves forward"),
        (("clock", "--advance="), USAGE, "Write the step as"),
    ],
)
def test_unusable_value_is_refused_in_words(typed: tuple[str, ...], code: int, words: str) -> None:
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*typed, stderr=said)
    assert ended.value.code == code
    assert words in said.getvalue()


@pytest.mark.django_db
def test_a_step_back_is_no_option_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    command = clock_command.Command()
    with pytest.raises(SystemExit) as ended:
        command.run_from_argv(["manage.py", "clock", "--advance", "-3h"])
    assert ended.value.code == REFUSED
    assert "only moves forward" in capsys.readouterr().err


@pytest.mark.django_db
@pytest.mark.parametrize("typed", [("compare_books",), ("clock", "--advance", "1h")])
def test_without_a_demo_it_is_said_how_to_start_one(
    settings: Any, unused_port: int, typed: tuple[str, ...]
) -> None:
    settings.SANDBOX_URL = f"http://127.0.0.1:{unused_port}"
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*typed, stderr=said)
    assert ended.value.code == TRY_LATER
    assert said.getvalue().strip() == "the sandbox is not running: start it with make demo"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("found", "words"),
    [
        (0, "nothing was due"),
        (1, "1 was due"),
        (7, "7 were due"),
        (None, "done"),
        ({"sent": 2, "failed": 1}, "sent 2, failed 1"),
    ],
)
def test_a_job_tells_people_in_words(
    monkeypatch: pytest.MonkeyPatch, found: object, words: str
) -> None:
    monkeypatch.setattr(billing.tasks, "sweep_invoices", lambda: found)
    said = StringIO()
    call_command("run_due", "sweep_invoices", stderr=said)
    assert said.getvalue().strip() == f"sweep_invoices ran: {words}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "order"),
    [
        (("--advance", "36h"), {"advance_s": 129_600}),
        (("--set", "2026-12-01T09:00:00+08:00"), {"now": "2026-12-01T09:00:00+08:00"}),
    ],
)
def test_step_is_added_to_the_clock_that_leads(
    monkeypatch: pytest.MonkeyPatch, typed: tuple[str, str], order: dict[str, object]
) -> None:
    """The portal's clock follows the sandbox's, so a step counted from ours would fall short."""
    sent: list[object] = []

    def moved(_method: str, _path: str, body: object) -> dict[str, str]:
        sent.append(body)
        return {"now": "then"}

    monkeypatch.setattr(clock_command, "sandbox_call", moved)
    call_command("clock", *typed, stderr=StringIO())
    assert sent == [order]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed",
    [
        ("check_ledger",),
        ("clock",),
        ("close_day", "--dry-run"),
        ("close_day", "--date", "2099-01-01"),
        ("doctor",),
        ("nfc_payload",),
        ("nfc_payload", "--location", "NOPE"),
        ("resolve_unknown", "--dry-run"),
        ("run_due", "sweep_invoices", "--dry-run"),
        ("sync_roles", "--dry-run"),
        ("sync_schedule", "--dry-run"),
    ],
)
def test_every_command_speaks_one_language(typed: tuple[str, ...]) -> None:
    said = StringIO()
    with suppress(SystemExit):
        call_command(*typed, stderr=said)
    assert said.getvalue()
    assert re.findall("[\u4e00-\u9fff]+", said.getvalue()) == []
