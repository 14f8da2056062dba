"""Visits: closed or cancelled once, found by their own client only, held while they change."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from core.actors import Actor
from core.errors import Conflict, NotFound
from core.models import StateChange
from patients.models import Encounter, HisClient
from patients.services.encounters import encounter_cancel, encounter_close, encounter_hold
from tests.factories.patients import encounter, his_client

pytestmark = pytest.mark.django_db
BY = Actor("his", "C1", "收费员")


def close(visit: Encounter, **told: Any) -> Encounter:
    return encounter_close(client=visit.client, encounter_no=visit.encounter_no, by=BY, **told)


def cancel(visit: Encounter, refuse: Any = lambda _visit: None) -> Encounter:
    return encounter_cancel(
        client=visit.client, encounter_no=visit.encounter_no, by=BY, refuse_if_billed=refuse
    )


def test_a_discharge_brings_its_diagnoses_and_outcome() -> None:
    visit = encounter(diagnoses=[{"code": "J00", "name": "感冒", "main": True}])
    discharge = [{"code": "K35", "name": "阑尾炎", "main": True}]
    assert close(visit, diagnoses=discharge, outcome="1").status == "CLOSED"
    visit.refresh_from_db()
    assert visit.diagnoses == discharge
    change = StateChange.objects.get()
    assert (change.to_status, change.reason, change.actor) == ("CLOSED", "1", "his:C1")


def test_closing_without_diagnoses_keeps_those_there_are() -> None:
    known = [{"code": "J00", "name": "感冒", "main": True}]
    visit = encounter(diagnoses=known)
    close(visit)
    visit.refresh_from_db()
    assert visit.diagnoses == known


@pytest.mark.parametrize("end", [close, cancel])
def test_ending_it_again_changes_nothing(end: Any) -> None:
    visit = encounter()
    first = end(visit).status
    assert end(visit).status == first
    assert StateChange.objects.count() == 1


def test_one_end_excludes_the_other() -> None:
    closed, cancelled = encounter(), encounter()
    close(closed)
    cancel(cancelled)
    with pytest.raises(Conflict) as refused:
        cancel(closed)
    assert refused.value.code == "encounter_closed"
    with pytest.raises(Conflict) as refused:
        close(cancelled)
    assert refused.value.code == "encounter_cancelled"


def test_the_bills_are_asked_under_the_visits_lock_and_may_refuse() -> None:
    visit = encounter()
    asked: list[tuple[int, bool]] = []

    def refuse(row: Encounter) -> None:
        asked.append((row.pk, connection.in_atomic_block))
        raise Conflict("visit_billed", "billed")

    with pytest.raises(Conflict, match="billed"):
        cancel(visit, refuse)
    visit.refresh_from_db()
    assert (asked, visit.status) == ([(visit.pk, True)], "OPEN")


@pytest.mark.parametrize("act", [close, cancel])
@pytest.mark.parametrize("number", ["E404", "theirs"])
def test_a_visit_of_nobody_or_of_another_client_is_not_found(act: Any, number: str) -> None:
    own = encounter("mine")
    encounter("theirs", client=his_client("other"))
    own.encounter_no = number
    with pytest.raises(NotFound) as refused:
        act(own)
    assert refused.value.field == "encounter_no"
    assert not StateChange.objects.exists()


def test_a_client_is_not_read_by_its_number_alone() -> None:
    first, second = encounter("E1"), encounter("E1", client=his_client("other"))
    close(second)
    first.refresh_from_db()
    assert first.status == "OPEN"
    assert HisClient.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_who_changes_a_visit_waits_for_who_holds_it() -> None:
    visit = encounter()
    held, order = threading.Event(), []

    def other() -> None:
        held.wait(5)
        close(visit)
        order.append("closed")
        connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    with transaction.atomic():
        encounter_hold(client=visit.client, encounter_no=visit.encounter_no)
        held.set()
        thread.join(0.3)
        order.append("held")
    thread.join(5)
    assert order == ["held", "closed"]
