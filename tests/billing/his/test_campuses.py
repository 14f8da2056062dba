"""A system of the hospital speaks for its own campuses, and so for their merchants, only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from patients.models import Encounter, HisClient
from tests.billing.his.conftest import His, encounter_body, patient_body
from tests.billing.his.test_bad_input import is_problem
from tests.factories.patients import campus, his_client


@pytest.fixture
def east(his: His, client_row: HisClient) -> His:
    """A second client, bound to the campus `east`; M1 is a patient of both."""
    bound = his_client("east")
    bound.campuses.add(campus("east", name="东院"))
    other = His("test-his-token-east")
    for one in (his, other):
        assert one("PUT", "patients/M1", patient_body())[0] == 201
    return other


def registered(his: His, **changes: Any) -> Any:
    body = json.dumps(encounter_body(**changes)).encode()
    return his.raw("PUT", "encounters/E1", body)


def test_client_without_campuses_registers_everywhere(his: His, east: His) -> None:
    assert registered(his, campus="main").status_code == 201
    assert registered(his, campus="east").status_code == 200


def test_client_with_campuses_registers_there_only(his: His, east: His) -> None:
    # when it registers a visit at a campus that is not its own
    problem = is_problem(registered(east, campus="main"), 403)
    # then it is told why, and there is no visit
    assert problem["type"] == "urn:portal:problem:foreign_campus"
    assert problem["errors"][0]["field"] == "campus"
    assert "院区" in problem["detail"]
    assert not Encounter.objects.exists()
    # and at its own it may
    assert registered(east, campus="east").status_code == 201


def test_visit_does_not_move_to_a_foreign_campus(his: His, east: His) -> None:
    assert registered(east, campus="east").status_code == 201
    is_problem(registered(east, campus="main"), 403)
    assert Encounter.objects.get().campus.code == "east"


def test_unknown_campus_stays_unknown_to_a_bound_client(his: His, east: His) -> None:
    assert is_problem(registered(east, campus="moon"), 404)["type"].endswith("unknown_campus")
