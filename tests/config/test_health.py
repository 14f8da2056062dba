"""`/healthz` and doctor: well, ill, and what is told about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from config import probes
from config.findings import Finding, State
from core import clock
from core.models import JobRun


@pytest.mark.django_db
def test_healthz_is_ok_when_everything_answers(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()) == {"status", "database", "broker", "migrations", "beat"}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_healthz_is_503_and_names_no_host(client: Client, settings: object) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["broker"] == "failed"
    assert "127.0.0.1" not in answer.content.decode()


@pytest.mark.django_db
def test_healthz_is_only_read(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


def test_a_silent_database_is_a_finding() -> None:
    def database_probe() -> Finding:
        raise OperationalError("connection refused\nsecond line")

    found = probes.findings([database_probe])

    assert found == [Finding("database", State.FAILED, "connection refused")]


@pytest.mark.django_db
def test_doctor_lists_every_question(monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    # whatever year this is run in
    monkeypatch.setattr(probes, "LAST_KNOWN_YEAR", datetime.now(UTC).year + 1)
    # the clock that stands still elsewhere is here compared with the database's
    with clock.freeze(datetime.now(UTC)):
        call_command("doctor", json=True, stdout=out, stderr=StringIO())
    data = json.loads(out.getvalue())
    assert data["ok"] is True
    names = {finding["name"] for finding in data["findings"]}
    assert {"settings", "database", "broker", "keys", "clock", "calendar", "static"} <= names


@pytest.mark.django_db
def test_doctor_fails_when_the_broker_is_away(settings: object) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as end:
        call_command("doctor", json=True, stdout=StringIO(), stderr=StringIO())
    assert end.value.code == 1


@pytest.mark.parametrize(
    ("day", "state", "said"),
    [
        ("2026-10-31", State.OK, "2026-12-31"),
        ("2026-11-01", State.WARNING, "60 days left"),
        ("2026-12-31", State.WARNING, "0 days left"),
        ("2027-01-01", State.FAILED, "guesses"),
    ],
)
def test_the_workday_calendar_is_missed_before_it_ends(
    monkeypatch: pytest.MonkeyPatch, day: str, state: State, said: str
) -> None:
    monkeypatch.setattr(probes, "LAST_KNOWN_YEAR", 2026)
    with clock.freeze(datetime.fromisoformat(f"{day}T09:00:00+08:00")):
        finding = probes.calendar_probe()
    assert finding.state is state
    assert said in finding.detail


@pytest.mark.django_db
def test_a_beat_that_stopped_is_a_warning_and_payments_go_on(client: Client) -> None:
    run = JobRun.objects.create(key="sweep_invoices", outcome="DONE", started_at=clock.now())
    assert probes.beat_probe().state is State.OK
    JobRun.objects.filter(pk=run.pk).update(started_at=clock.now() - timedelta(minutes=6))
    assert probes.beat_probe() == Finding(
        "beat", State.WARNING, "last job 360 s ago: is beat running?"
    )
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
