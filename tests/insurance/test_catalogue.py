"""The hospital's items and their national codes: read, merged, again, wrong, unmapped."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.actors import SYSTEM
from core.errors import BadInput
from core.models import AuditEvent
from insurance.catalogue import codes_at, items_with_code
from insurance.items_file import items_read
from insurance.models import CatalogueItem, Institution, ItemImport, ItemMapping
from insurance.services.catalogue import ItemsReport, items_import, items_upload
from tests.billing.desk.people import browser
from tests.insurance import factories

HEADING = "医院项目编码,项目名称,费用类别,国家编码,目录等级,限价,生效日期,失效日期"
DRUG = "D001,阿莫西林胶囊,西药费,XJ01CAA040E001010100001,甲,12.5,2026-01-01,"
SERVICE = "S001,普通门诊诊查费,2,001102000010000,01,999999,2026-01-01,"
BARE = "S900,院内自定项目,14,,,,,"


def content(*rows: str, heading: str = HEADING, encoding: str = "utf-8-sig") -> bytes:
    return "\r\n".join([heading, *rows]).encode(encoding)


def take(institution: Institution, *rows: str, **options: Any) -> ItemsReport:
    return items_import(institution=institution, content=content(*rows), by=SYSTEM, **options)


def spans(code: str = "D001") -> list[tuple[str, str, str]]:
    rows = ItemMapping.objects.filter(item__hospital_code=code).order_by("valid_from")
    return [(row.national_code, str(row.valid_from), str(row.valid_until or "")) for row in rows]


@pytest.fixture
def place(db: None) -> Institution:
    return factories.institution()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_spreadsheet_is_read_as_it_was_meant(encoding: str) -> None:
    read = items_read(content(DRUG, SERVICE, BARE, "", encoding=encoding))
    assert read.faults == ()
    drug, service, bare = read.rows
    assert (drug.number, drug.category, drug.level, drug.price_limit) == (
        2, "09", "01", Decimal("12.5"),
    )  # fmt: skip
    assert drug.valid_from == date(2026, 1, 1)
    assert (service.category, service.price_limit) == ("02", None)
    assert (bare.national_code, bare.valid_from) == ("", None)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",名,09,,,,,", "医院项目编码"),
        (f"D1,{'长' * 201},09,,,,,", "项目名称"),
        ("D1,名,15,,,,,", "15"),
        ("D1,名,09,1.1E+14,,,,", "1.1E+14"),
        ("D1,名,09,短,,,,", "短"),
        ("D1,名,09,XJ01CAA040E001010100001,丁,,,", "丁"),
        ("D1,名,09,XJ01CAA040E001010100001,甲,-1,,", "-1"),
        ("D1,名,09,XJ01CAA040E001010100001,甲,0,,", "0"),
        ("D1,名,09,XJ01CAA040E001010100001,甲,1.1234567,,", "1.1234567"),
        ("D1,名,09,XJ01CAA040E001010100001,甲,,2026-02-30,", "2026-02-30"),
        ("D1,名,09,XJ01CAA040E001010100001,甲,,2026-03-01,2026-03-01", "早于"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(row: str, said: str) -> None:
    read = items_read(content(DRUG, row))
    assert len(read.faults) == 1
    assert "3" in read.faults[0] and said in read.faults[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00\x01",
        b"hospital_code,name\nD1,x",
        HEADING.encode(),
        (HEADING + '\n"D1,x').encode(),
        b"a" * (16 * 1024 * 1024 + 1),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(body: bytes) -> None:
    read = items_read(body)
    assert read.rows == () and len(read.faults) == 1


def test_rows_that_contradict_one_another_are_refused() -> None:
    read = items_read(content(DRUG, DRUG, DRUG.replace("阿莫西林胶囊", "别名")))
    assert len(read.faults) == 2 and "2" in read.faults[0]


def test_a_list_comes_in_and_again_changes_nothing(place: Institution) -> None:
    first = take(place, DRUG, SERVICE, BARE)
    assert (first.items_added, first.codes_added) == (3, 2)
    assert first.unmapped == (("S900", "院内自定项目"),)
    again = take(place, DRUG, SERVICE, BARE)
    assert not again.changed and again.unmapped == first.unmapped
    event = AuditEvent.objects.get(action="items_imported")
    assert event.detail["codes_added"] == 2


def test_a_dry_run_says_the_same_and_leaves_nothing(place: Institution) -> None:
    report = take(place, DRUG, dry_run=True)
    assert report.items_added == 1
    assert not CatalogueItem.objects.exists() and not AuditEvent.objects.exists()


def test_a_new_code_ends_the_old_one_where_it_begins(place: Institution) -> None:
    take(place, DRUG)
    take(place, "D001,阿莫西林胶囊,09,XJ01CAA040E001010100002,乙,,2026-12-01,")
    assert spans() == [
        ("XJ01CAA040E001010100001", "2026-01-01", "2026-12-01"),
        ("XJ01CAA040E001010100002", "2026-12-01", ""),
    ]
    # A span that is filed late ends where the next one begins.
    take(place, "D001,阿莫西林胶囊,09,XJ01CAA040E001010100003,乙,,2026-06-01,")
    assert [span[2] for span in spans()] == ["2026-06-01", "2026-12-01", ""]
    old = codes_at(place, ["D001"], date(2026, 5, 31))["D001"]
    assert (old.national_code, old.price_limit) == ("XJ01CAA040E001010100001", Decimal("12.5"))
    assert codes_at(place, ["D001"], date(2026, 6, 1))["D001"].national_code[-1] == "3"
    assert codes_at(place, ["D001"], date(2025, 12, 31)) == {}


def test_a_row_without_a_day_begins_today_once(place: Institution) -> None:
    row = "D001,阿莫西林胶囊,09,XJ01CAA040E001010100001,甲,,,"
    with clock.freeze(datetime(2026, 11, 20, 2, tzinfo=UTC)):
        assert take(place, row).codes_added == 1
    with clock.freeze(datetime(2026, 11, 21, 2, tzinfo=UTC)):
        assert not take(place, row).changed
        assert take(place, row.replace("00001,", "00002,")).codes_added == 1
    assert [span[1:] for span in spans()] == [("2026-11-20", "2026-11-21"), ("2026-11-21", "")]


def test_an_ended_code_leaves_the_item_without_one(place: Institution) -> None:
    report = take(place, DRUG + "2026-11-01")
    assert report.unmapped == (("D001", "阿莫西林胶囊"),)
    assert codes_at(place, ["D001"], date(2026, 11, 1)) == {}
    assert [item.coded for item in items_with_code(date(2026, 11, 1))] == [False]
    assert [item.coded for item in items_with_code(date(2026, 10, 31))] == [True]


def test_a_faulty_list_imports_nothing_and_names_every_fault(place: Institution) -> None:
    with pytest.raises(BadInput) as refused:
        take(place, DRUG, "D2,名,99,,,,,", "D3,名,09,短,,,,")
    message = str(refused.value.message)
    assert "99" in message and "短" in message
    assert not CatalogueItem.objects.exists()


def test_statements_do_not_grow_with_the_list(place: Institution) -> None:
    seen = []
    for count in (2, 300):
        rows = [f"N{count}-{n},项目{n},05,{n:015d},甲,,2026-01-01," for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            assert take(place, *rows).codes_added == count
        seen.append(len(queries))
    assert seen[0] == seen[1]


def test_an_upload_is_kept_with_what_it_would_do(place: Institution) -> None:
    row = items_upload(institution=place, name="项目.csv", content=content(DRUG, BARE), by=SYSTEM)
    assert row.preview["items_added"] == 2 and row.preview["unmapped"] == [["S900", "院内自定项目"]]
    assert not CatalogueItem.objects.exists()
    assert bytes(ItemImport.objects.get().content) == content(DRUG, BARE)


@pytest.mark.django_db(transaction=True)
def test_the_command_ends_as_its_contract_says(tmp_path: Path, capsys: Any) -> None:
    place = factories.institution()
    file = tmp_path / "items.csv"
    file.write_bytes(content(DRUG, SERVICE))
    call_command("import_item_mapping", file, "--json", "--dry-run")
    assert json.loads(capsys.readouterr().out)["items_added"] == 2
    assert not CatalogueItem.objects.exists()
    call_command("import_item_mapping", file, "--json", "--institution", "H44010000001")
    data = json.loads(capsys.readouterr().out)
    assert (data["items_added"], data["codes_added"], data["unmapped"]) == (2, 2, [])
    file.write_bytes(content(DRUG, SERVICE, BARE))
    assert ended(file, "--json") == 3
    assert json.loads(capsys.readouterr().out)["unmapped"] == [["S900", "院内自定项目"]]
    file.write_bytes(content("D1,名,99,,,,,"))
    assert ended(file) == 2
    assert ended(tmp_path / "missing.csv") == 2
    assert ended(file, "--institution", "H00000000000") == 2
    Institution.objects.filter(pk=place.pk).update(active=False)
    assert ended(file) == 2


def ended(*arguments: Any) -> int:
    with pytest.raises(SystemExit) as end:
        call_command("import_item_mapping", *arguments)
    return int(end.value.code or 0)


def test_an_upload_is_shown_first_and_taken_by_one_button(place: Institution) -> None:
    client = browser("finance")
    page = "/admin/insurance/catalogueitem/upload/"
    assert "国家编码" in client.get(page).content.decode()
    file = SimpleUploadedFile("项目.csv", content(DRUG, BARE))
    shown = client.post(page, {"institution": place.pk, "file": file})
    assert "院内自定项目" in shown.content.decode() and not CatalogueItem.objects.exists()
    taken = client.post(page, {"take": ItemImport.objects.get().pk}, follow=True)
    said = taken.content.decode()
    assert "新增或变更 2 个项目、1 条编码对照" in said and "XJ01CAA040E001010100001" in said
    client.post(page, {"take": ItemImport.objects.get().pk})
    assert AuditEvent.objects.filter(action="items_imported").count() == 1
    listed = client.get("/admin/insurance/catalogueitem/?coded=no").content.decode()
    assert "S900" in listed and "D001" not in listed


@pytest.mark.parametrize("sent", [{}, {"institution": "1"}, {"take": "0"}, {"take": "x"}])
def test_an_odd_upload_is_answered_in_words(place: Institution, sent: dict[str, str]) -> None:
    answer = browser("finance").post("/admin/insurance/catalogueitem/upload/", sent)
    assert answer.status_code in (400, 404) and "error-summary" in answer.content.decode()


def test_a_faulty_upload_names_its_rows_and_keeps_nothing(place: Institution) -> None:
    file = SimpleUploadedFile("a.csv", content("D2,名,99,,,,,"))
    sent = {"institution": place.pk, "file": file}
    answer = browser("finance").post("/admin/insurance/catalogueitem/upload/", sent)
    assert answer.status_code == 400 and "第 2 行" in answer.content.decode()
    assert not ItemImport.objects.exists()
    assert browser("it").get("/admin/insurance/catalogueitem/upload/").status_code == 403
