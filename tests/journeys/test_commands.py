"""Every command as the one who types it reads it: code, object, words; and the clock."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.demo_process import Demo, Ran, ended

OK, USAGE, REFUSED, LOCKED, TRY_LATER = 0, 2, 4, 5, 75
# Command, exit code, and what its words must say.
COMMANDS = (
    (("doctor", "--json"), OK, "database"),
    (("clock", "--json"), OK, "+08:00"),
    (("clock", "--set", "tomorrow"), USAGE, "2026-12-01T09:00:00+08:00"),
    (("clock", "--advance", "36"), USAGE, "36h"),
    (("clock", "--set", "2020-01-01T00:00:00+08:00"), REFUSED, "only moves forward"),
    (("clock", "--advance", "36h", "--json", "--dry-run"), OK, "would run close_day"),
    (("sync_schedule", "--json", "--dry-run"), OK, "kept"),
    (("run_due", "sweep_invoices", "--json"), OK, "sweep_invoices ran: "),
    (("run_due", "sweep_invoices", "--json", "--dry-run"), OK, "would run sweep_invoices"),
    (("run_due", "sweep_dust"), USAGE, "sweep_invoices"),
    (("run_due",), USAGE, "job"),
    (("check_ledger", "--json"), OK, "sound"),
    (("check_ledger", "--dry-run"), USAGE, "--dry-run"),
    (("compare_books", "--json", "--wait", "30"), OK, "agree"),
    (("compare_books", "--json", "--wait", "30"), OK, "his/hospital"),
    (("compare_books", "--wait", "soon"), USAGE, "--wait"),
    (("compare_books", "--wait", "-5"), USAGE, "--wait"),
    (("resolve_unknown", "--json", "--dry-run"), OK, "would look at 0"),
    (("resolve_unknown", "--number", ""), USAGE, "No open transaction"),
    (("resolve_unknown", "--json", "--number", "TX0"), USAGE, "No open transaction"),
    (("close_day", "--json", "--dry-run"), OK, "no day is due"),
    (("close_day", "--date", "2026-13-01"), USAGE, "2026-13-01"),
    (("close_day", "--date", "2099-01-01"), REFUSED, "2099-01-01"),
    (("demo", "--json"), LOCKED, "demo"),
    (("demo", "--json", "--dry-run"), LOCKED, "demo"),
)


# A start of Python costs more than any of them; these show that it is the same from outside.
OWN_PROCESS = ("doctor", "demo")


def test_every_command_answers_its_reader(demo: Demo) -> None:
    # Given the running demo, with its day closed and nothing under way
    demo.books_agree()
    # When each command is typed, some as a process of their own, the others by the clerk
    alone = [case for case in COMMANDS if case[0][0] in OWN_PROCESS]
    running = [demo.command(*args) for args, *_rest in alone]
    answers = [(case, demo.manage(*case[0])) for case in COMMANDS if case not in alone]
    answers += [(case, ended(one)) for case, one in zip(alone, running, strict=True)]
    # Then its code, its words and its object are those that scripts and people rely on
    for case, ran in answers:
        assert_answer(*case, ran)


def assert_answer(args: tuple[str, ...], code: int, words: str, ran: Ran) -> None:
    assert (args, ran.code) == (args, code), ran
    assert words in ran.said, (args, ran)
    assert "Traceback" not in ran.said, (args, ran)
    assert_object(args, ran.out)


def assert_object(args: tuple[str, ...], out: str) -> None:
    """`--json` prints one object and nothing else; without it nothing is printed there."""
    if "--json" in args:
        assert isinstance(json.loads(out), dict), (args, out)
    else:
        assert out == "", (args, out)


def test_time_passes_on_both_sides_and_closes_days(demo: Demo) -> None:
    # Given a bill paid today
    bill = demo.bill("P0009", 40_00, 2_50)
    assert demo.collect(bill.number)["result"] == "paid"
    demo.books_agree()
    before = demo.now()
    # When a day and a half pass
    ran = demo.manage("clock", "--advance", "36h", "--json")
    # Then both sides are there, and every day before is closed
    assert ran.code == OK, ran
    assert demo.now() - before >= timedelta(hours=36)
    assert demo.now() - before < timedelta(hours=36, minutes=2)
    here = demo.manage("clock", "--json").data["now"]
    assert here[:15] == demo.now().isoformat()[:15]
    days = {str(row[0]) for row in demo.query("SELECT day FROM ledger_closed_day")}
    assert str(before.date()) in days
    assert demo.manage("close_day", "--json", "--dry-run").data == {"would_close": []}
    # And a return of that closed day's bill still comes back to the fen
    assert demo.give_back(bill, 1)["status"] == "accepted"
    assert demo.until(lambda: demo.invoice(bill.number)["refunded_fen"]) == 2_50
    accounts: dict[str, Any] = demo.books_agree()
    assert accounts["refund_payable"]["balance_fen"] == 0


@pytest.mark.parametrize(("step", "code"), [("-1h", REFUSED), ("1w", USAGE), ("", USAGE)])
def test_clock_never_goes_where_it_cannot(demo: Demo, step: str, code: int) -> None:
    before = demo.now()
    ran = demo.manage("clock", f"--advance={step}")
    assert ran.code == code, ran
    assert demo.now() - before < timedelta(minutes=1)
