"""T16, T17, T21: every address of the house, asked by everybody about their own and others'."""

from __future__ import annotations

import pytest

from tests.access.matrix import PARTS, rows
from tests.access.routes import routes
from tests.access.walk import walk
from tests.conftest import ProofReport

# Refused, or led to a login: nothing of the house may differ afterwards.
REFUSED = ("401", "403", "404", "405", "302>/accounts/login", "302>/admin/login/")


@pytest.mark.django_db
@pytest.mark.proof("T16", "T17", "T21")
@pytest.mark.parametrize("part", PARTS)
def test_everybody_is_answered_as_the_tables_say(part: str, proof_report: ProofReport) -> None:
    found = walk(part)
    leaks = found.leaks
    right = found.cells - len(found.wrong)
    proof_report(f"T16.{part}", f"{right}/{found.cells}", "all cells", not found.wrong)
    proof_report(f"T17.{part}_leaks", len(leaks) + len(found.written), 0, not leaks)
    proof_report(f"T21.{part}_faults", len(found.bare), 0, not found.bare)
    assert found.wrong == []
    assert leaks == []
    assert found.written == set()
    assert found.bare == set()


@pytest.mark.proof("T16")
def test_every_address_has_a_row_and_every_row_an_address(proof_report: ProofReport) -> None:
    known = {row.route for part in PARTS for row in rows(part)}
    missing, gone = sorted(set(routes()) - known), sorted(known - set(routes()))
    proof_report("T16.addresses", len(known), len(routes()), not missing and not gone)
    assert missing == [], "an address nobody decided about"
    assert gone == [], "a row without an address"


def test_every_address_is_asked_to_read_and_to_change() -> None:
    """But for the admin's lists and histories, which have nothing to send."""
    asked: dict[str, set[str]] = {}
    for row in (*rows("portal"), *rows("desk"), *rows("api")):
        asked.setdefault(row.route, set()).add(row.method)
    assert {route for route, methods in asked.items() if "GET" not in methods} == set()
    assert {route for route, methods in asked.items() if methods == {"GET"}} == set()


def test_no_row_lets_a_refused_role_change_anything() -> None:
    """The table itself: whoever is refused writes nothing, and nobody meets a fault of ours."""
    for part in PARTS:
        for row in rows(part):
            refused = {role for role, answer in row.answers.items() if answer in REFUSED}
            assert not refused & row.writes, row
            faults = {answer for answer in row.answers.values() if answer[0] == "5"}
            assert faults <= {"503"}, row


def test_the_table_keeps_the_rules_of_the_house() -> None:
    """What no edit of the table may allow: a stranger in, staff as patients, readers who write."""
    for row in rows("portal"):
        inside = {role for role, answer in row.answers.items() if answer[0] == "2"}
        if row.thing[:2] == "A." and not {"<token>", "<plan_id>"} & set(row.route.split("/")):
            out = {"nobody", "stranger", "ended", "unconsented", "admin", "his"}
            assert not inside & out, row
            assert not row.writes & out, row
        if row.thing[:2] == "B.":
            assert inside | row.writes <= {"stranger"}, row
    for row in (*rows("desk"), *rows("admin")):
        for role in ("nobody", "owner", "his", "no_factor"):
            door = "login" in row.route or "second-factor" in row.route or "logout" in row.route
            assert row.answers[role][0] != "2" or door, (row, role)
            assert role not in row.writes, (row, role)
    for row in rows("api"):
        for role in ("nobody", "owner", "cashier", "admin", "his_off", "his_none", "his_elsewhere"):
            assert row.answers[role][:2] == "40", (row, role)
        assert "his_read" not in row.writes, row
