"""`--dry-run`: every command that writes can say what it would do, and then does nothing."""

from __future__ import annotations

import json
from datetime import UTC
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command, load_command_class
from django_celery_beat.models import PeriodicTask

from config.demo import announce, sandbox_client
from config.demo.hospital import CAMPUSES
from config.demo.tags import TAGS, tags_load
from config.management.commands import clock as clock_command
from core import clock
from core.commands import PortalCommand
from core.models import JobRun
from patients.models import Campus, Location, LocationKind
from patients.selectors.cards import location_find
from tests.conftest import ROOT

READERS = {"check_ledger", "compare_books", "doctor", "translations"}
NAMES = {path.stem for path in (ROOT / "config/management/commands").glob("[!_]*.py")}


@pytest.fixture(autouse=True)
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("a dry run asks nobody to do anything")

    monkeypatch.setattr(sandbox_client.httpx, "request", called)
    monkeypatch.setattr(clock_command, "sandbox_call", called)


def dry(name: str, *args: str) -> tuple[Any, str]:
    out, said = StringIO(), StringIO()
    call_command(name, *args, "--dry-run", "--json", stdout=out, stderr=said)
    return json.loads(out.getvalue()), said.getvalue()


def test_every_command_that_writes_offers_it() -> None:
    for name in NAMES:
        command = load_command_class("config", name)
        assert isinstance(command, PortalCommand), name
        assert command.writes is (name not in READERS), name


@pytest.mark.django_db
def test_job_is_named_with_its_reason_and_not_run() -> None:
    data, said = dry("run_due", "sweep_invoices")
    assert (data["ran"], data["dry_run"], data["last_run_at"]) == (False, True, None)
    assert "would run sweep_invoices: a bill whose task was lost" in said
    assert "has not run yet" in said
    assert not JobRun.objects.exists()


@pytest.mark.django_db
def test_job_says_when_it_last_ran_in_the_house_s_time() -> None:
    JobRun.objects.create(key="sweep_invoices", started_at=clock.now().astimezone(UTC))
    data, said = dry("run_due", "sweep_invoices")
    assert "last run 2026-11-20T10:00:00+08:00" in said
    assert data["last_run_at"] == "2026-11-20T10:00:00+08:00"


@pytest.mark.django_db
def test_clock_says_how_far_and_what_falls_due() -> None:
    data, said = dry("clock", "--advance", "2d")
    assert data["would_be"].startswith("2026-11-22T10:00:00")
    assert data["jobs"]["close_day"] == 2
    assert "would run close_day 2 ×" in said
    assert clock.now().isoformat() == data["now"]


@pytest.mark.django_db(transaction=True)
def test_schedule_is_shown_and_not_written() -> None:
    data, said = dry("sync_schedule")
    assert "sweep_invoices" in data["added"] and "nothing is written" in said
    assert not PeriodicTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_resolver_says_whom_it_would_ask() -> None:
    data, said = dry("resolve_unknown")
    assert (data["looked_at"], data["numbers"]) == (0, [])
    assert said.strip() == "dry run, would look at 0: none, nothing is open"


@pytest.mark.django_db(transaction=True)
def test_demo_says_what_it_would_start(settings: Any) -> None:
    data, said = dry("demo")
    assert data["would_migrate"] == 0
    assert data["would_start"]["portal"] == settings.PORTAL_URL
    assert data["would_load"]["patients"] >= 10
    assert f"would write {announce.demo_file()}" in said
    assert not announce.demo_file().exists()


def test_demo_tells_people_of_low_limits_and_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    people = [
        {"mrn": "P1", "name": "陈秀兰", "agreements": ["wechat_pay"]},
        {"mrn": "P2", "name": "钱学文", "agreements": ["wechat_pay"], "low_limit": True},
    ]
    announce.demo_print([], people, [("3 号窗口", "http://127.0.0.1:8000/t/W103")])
    told = capsys.readouterr().err
    assert "low limit" in next(line for line in told.splitlines() if "P2" in line)
    assert "low limit" not in next(line for line in told.splitlines() if "P1" in line)
    assert str(announce.demo_file()) in told.replace("\n", "")
    assert any("3 号窗口" in line and "/t/W103" in line for line in told.splitlines())


@pytest.mark.django_db
def test_demo_has_tags_of_every_kind_and_leaves_what_the_admin_changed() -> None:
    for code, name, *_rest in CAMPUSES:
        Campus.objects.create(code=code, name=name, institution_code=f"H{code}")
    loaded = tags_load()
    kinds = set(Location.objects.filter(active=True).values_list("kind", flat=True))
    assert kinds == set(LocationKind.values)
    assert all(address.startswith("http") and "/t/" in address for _name, address in loaded)
    assert all(location_find(code) is not None for code, *_rest in TAGS)
    Location.objects.filter(code="W103").update(name="挪到 4 号窗口")
    Location.objects.filter(code="R208").update(active=False)
    again = dict(tags_load())
    assert "挪到 4 号窗口" in again and len(again) == len(loaded) - 1
