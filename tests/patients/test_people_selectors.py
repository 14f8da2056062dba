"""Small questions about people and places that many parts ask."""

from __future__ import annotations

from typing import Any

import pytest

from core import clock
from patients.models import PatientAccess
from patients.selectors import hospital_name
from tests.factories.accounts import patient_user
from tests.factories.patients import campus, patient

pytestmark = pytest.mark.django_db


def test_only_what_lives_is_held_and_only_the_own_person_is_oneself() -> None:
    user, own, child = patient_user(), patient(), patient()
    made = {
        name: PatientAccess.objects.create(
            user=user, patient=whom, relation=relation, created_at=clock.now(), **ended
        )
        for name, whom, relation, ended in (
            ("before", own, "self", {"ended_at": clock.now(), "ended_how": "user"}),
            ("own", own, "self", {}),
            ("child", child, "child", {}),
        )
    }
    assert set(PatientAccess.objects.live()) == {made["own"], made["child"]}
    assert set(PatientAccess.objects.own()) == {made["own"]}
    assert set(own.access.own()) == {made["own"]}


def test_a_message_names_the_hospital_and_not_its_first_campus(settings: Any) -> None:
    settings.HOSPITAL_HELP = settings.HOSPITAL_HELP | {"name": ""}
    assert hospital_name() == ""
    east = campus("east", name="云溪市第一医院东院区")
    assert hospital_name() == "云溪市第一医院东院区"
    west = campus("west", name="云溪市第一医院西院区")
    settings.HOSPITAL_HELP = settings.HOSPITAL_HELP | {"name": "云溪市第一医院"}
    assert hospital_name() == "云溪市第一医院"
    assert [hospital_name(one.pk) for one in (west, east)] == [west.name, east.name]
    assert hospital_name(0) == "云溪市第一医院"
