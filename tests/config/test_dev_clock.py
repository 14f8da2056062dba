"""Whoever turns the time of a demo leaves a trace, also where nothing moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from config import dev_clock
from core import clock
from core.models import AuditEvent

pytestmark = pytest.mark.django_db


def put(now: str) -> int:
    answer = Client().put("/_dev/clock", {"now": now}, content_type="application/json")
    return answer.status_code


def test_an_instant_that_is_over_moves_nothing_and_is_on_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dev_clock, "OFFSET_SPREADS_S", 0)
    before = clock.now()
    wanted = (before - timedelta(hours=1)).isoformat()
    assert put(wanted) == 200
    assert clock.now() == before
    event = AuditEvent.objects.get(action="clock_wanted")
    assert event.detail == {"now": before.isoformat(), "wanted": wanted}
    assert event.address == "127.0.0.1"


def test_what_is_no_instant_is_refused_without_one() -> None:
    assert put("yesterday") == 400
    assert put("2026-11-22T10:00:00") == 400
    assert not AuditEvent.objects.exists()
