"""Tags as the hospital manages them: the admin's list, the printed sheets, the command."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from core.models import AuditEvent, User
from patients.models import Location
from patients.ndef import tag_memory, uri_record
from tests.factories.patients import campus
from tests.patients.test_tags import location

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def run(*words: str) -> dict[str, object]:
    out = StringIO()
    call_command("nfc_payload", *words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def test_a_location_is_added_and_its_code_is_never_changed(admin: Client) -> None:
    told = {"code": "W03", "name": "3 号窗口", "kind": "window", "campus": campus().pk}
    assert admin.post("/admin/patients/location/add/", told | {"active": "on"}).status_code == 302
    row = Location.objects.get(code="W03")
    edit = f"/admin/patients/location/{row.pk}/change/"
    assert admin.post(edit, told | {"code": "W99", "name": "新窗口"}).status_code == 302
    row.refresh_from_db()
    assert (row.code, row.name, row.active) == ("W03", "新窗口", False)
    actions = AuditEvent.objects.filter(subject="patients.location").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["location_added", "location_changed"]
    assert admin.post(f"/admin/patients/location/{row.pk}/delete/").status_code == 403


@pytest.mark.parametrize("code", ["w03", "W 03", "-W", "窗口", "W/3", "X" * 25])
def test_a_code_that_fits_no_address_is_refused(admin: Client, code: str) -> None:
    told = {"code": code, "name": "3 号窗口", "kind": "window", "campus": campus().pk}
    assert admin.post("/admin/patients/location/add/", told).status_code == 200
    assert not Location.objects.exists()


def test_sheets_show_the_places_that_were_chosen(admin: Client) -> None:
    first, other = location("W01", name="1 号窗口"), location("W02", name="2 号窗口")
    location("OLD", active=False)
    asked = admin.post(
        "/admin/patients/location/", {"action": "print_tags", "_selected_action": [first.pk]}
    )
    assert asked["Location"] == "/admin/patients/location/print/?code=W01"
    page = admin.get(asked["Location"]).content.decode()
    assert "1 号窗口" in page and other.name not in page and 'class="qr"' in page
    assert admin.get("/admin/patients/location/print/").content.decode().count('class="sheet"') == 2


def test_sheets_are_for_those_who_manage_places() -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get("/admin/patients/location/print/").status_code == 403


def test_the_command_tells_every_tag_in_use() -> None:
    location("W01")
    location("OLD", active=False)
    found = run()["tags"]
    assert [one["code"] for one in found] == ["W01"]  # type: ignore[attr-defined]
    address = found[0]["address"]  # type: ignore[index]
    assert address.endswith("/t/W01")
    assert found[0]["ndef_hex"] == uri_record(address).hex()  # type: ignore[index]


def test_the_command_writes_records_memory_and_list(tmp_path: Path) -> None:
    location("W01", name="=1 号窗口")
    location("W02")
    run("--out", str(tmp_path), "--dry-run")
    assert list(tmp_path.iterdir()) == []
    address = run("--out", str(tmp_path), "--location", "W01")["tags"][0]["address"]
    assert {one.name for one in tmp_path.iterdir()} == {"W01.ndef", "W01.bin", "tags.csv"}
    record = (tmp_path / "W01.ndef").read_bytes()
    assert record == uri_record(address)
    assert (tmp_path / "W01.bin").read_bytes() == tag_memory(record)
    rows = list(csv.reader((tmp_path / "tags.csv").read_text("utf-8-sig").splitlines()))
    assert rows[1][0] == "W01" and not rows[1][1].startswith("=")


@pytest.mark.parametrize("words", [("--location", "NO"), ("--out", "/proc/nowhere")])
def test_what_the_command_cannot_do_ends_with_two(words: tuple[str, ...]) -> None:
    location("W01")
    with pytest.raises(SystemExit) as caught:
        run(*words)
    assert caught.value.code == 2
