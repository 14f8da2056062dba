"""A wish that nobody confirmed ends by itself, and what was typed ends with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.models import StateChange
from patients.models import Binding, BindingStatus
from patients.tasks import sweep_binding_codes
from tests.factories.accounts import patient_user
from tests.patients.binding_house import Phone, begun, bound, person, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db


def kept(row: Binding) -> list[str]:
    row.refresh_from_db()
    return [row.name, row.card_no, row.code_hash, row.sent_to]


def test_what_was_typed_is_wiped_when_the_time_is_over(
    phone: Phone, still_clock: clock.FrozenClock
) -> None:
    own = person()
    row = begun(patient_user(), own, card_no=own.identifiers.get().value)
    nobody = begun(patient_user(), own, name="无此人")
    still_clock.advance(timedelta(minutes=9, seconds=59))
    sweep_binding_codes()
    assert all(kept(row)) and kept(nobody)[0] == "无此人"
    still_clock.advance(timedelta(seconds=1))
    assert sweep_binding_codes() == 2
    for one in (row, nobody):
        assert kept(one) == ["", "", "", ""]
        assert (one.status, one.outcome, one.ended_at) == (
            BindingStatus.OVER,
            "expired",
            clock.now(),
        )
        change = StateChange.objects.get(entity="patients.binding", entity_id=one.pk)
        assert (change.actor, change.to_status) == ("system:system", "OVER")
    assert sweep_binding_codes() == 0


def test_a_binding_that_was_made_stays_made(phone: Phone, still_clock: clock.FrozenClock) -> None:
    access = bound(phone, patient_user(), person())
    still_clock.advance(timedelta(minutes=11))
    assert sweep_binding_codes() == 0
    access.refresh_from_db()
    assert (Binding.objects.get().status, access.ended_at) == (BindingStatus.BOUND, None)
