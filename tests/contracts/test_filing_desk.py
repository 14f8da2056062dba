"""The window files for who has no phone: care here, a disease, taken back; every look on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.roles import roles_sync
from core.models import AuditEvent
from insurance.models import Filing
from tests.billing.desk.people import browser
from tests.contracts.test_nhsa_filings import House, house
from tests.factories import patients

__all__ = ["house"]
pytestmark = pytest.mark.django_db(transaction=True)
DISEASE = {
    "act": "chronic", "disease_code": "M03900", "disease_name": "高血压",
    "doctor_code": "D330300000001", "doctor_name": "李医生", "found_on": "2026-11-20",
    "promised": "yes",
}  # fmt: skip


def text(answer: Any) -> str:
    return answer.content.decode()


@pytest.fixture
def clerk(house: House) -> Client:
    roles_sync()
    return browser("cashier")


def page_of(house: House) -> str:
    return f"/admin/desk/patients/{house.person.pk}/insurance"


def act(clerk: Client, house: House, **form: str) -> str:
    """Press a button; the page that follows."""
    return text(clerk.post(f"{page_of(house)}/act", form, follow=True))


def test_the_window_asks_files_and_takes_back(house: House, clerk: Client) -> None:
    assert "还没有查询" in text(clerk.get(page_of(house)))
    page = act(clerk, house, act="ask")
    assert "广东省深圳市" in page and "没有异地就医备案" in page
    page = act(clerk, house, act="away", way="transfer", promised="yes")
    row = Filing.objects.get()
    assert "备案成功" in page and row.filing_no in page
    assert (row.status, row.name, row.asked_by) == ("FILED", "transfer", "staff:cashier")
    assert "备案已撤销" in act(clerk, house, act="end", filing=str(row.pk))
    row.refresh_from_db()
    assert row.status == "ENDED"
    looks = AuditEvent.objects.filter(action="patient_lookup").values_list("detail", flat=True)
    assert {"page": "insurance"} in list(looks) and {"page": "insurance_ask"} in list(looks)


def test_the_window_files_what_a_doctor_found(house: House, clerk: Client) -> None:
    page = act(clerk, house, **DISEASE)
    assert "备案成功" in page and "高血压" in page
    assert Filing.objects.get().kind == "chronic"
    again = clerk.post(f"{page_of(house)}/act", DISEASE)
    assert again.status_code == 409 and "已经备案" in text(again)


def test_what_is_refused_or_not_known_is_said(house: House, clerk: Client) -> None:
    house.fault("filing", "decline")
    assert "医保未通过" in act(clerk, house, **DISEASE)
    house.fault("filing", "drop_after")
    page = act(clerk, house, act="away", way="transfer", promised="yes")
    assert "一直查询到有结果为止" in page


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({}, 400, "没有这个按钮"),
        ({"act": "x"}, 400, "没有这个按钮"),
        ({"act": "away"}, 400, "请选择在这里就医的原因"),
        ({"act": "away", "way": "transfer"}, 400, "请先确认备案内容属实"),
        (DISEASE | {"found_on": "20.11.2026"}, 400, "请填写确诊日期"),
        (DISEASE | {"found_on": "2026-11-21"}, 400, "确诊日期不能晚于今天"),
        (DISEASE | {"disease_code": ""}, 400, "请填写病种编码"),
        (DISEASE | {"disease_name": "高\n血压"}, 400, "含有看不见的字符，请重新输入。"),
        ({"act": "end"}, 404, "没有这位患者的这条备案"),
        ({"act": "end", "filing": "404404"}, 404, "没有这位患者的这条备案"),
    ],
)
def test_odd_forms_file_nothing(
    house: House, clerk: Client, form: dict[str, str], status: int, words: str
) -> None:
    answer = clerk.post(f"{page_of(house)}/act", form)
    assert (answer.status_code, words in text(answer)) == (status, True), text(answer)[-900:]
    assert not Filing.objects.exists()


def test_nobody_takes_back_another_patients_filing(house: House, clerk: Client) -> None:
    act(clerk, house, act="away", way="transfer", promised="yes")
    row, other = Filing.objects.get(), patients.patient(name="别人")
    answer = clerk.post(
        f"/admin/desk/patients/{other.pk}/insurance/act", {"act": "end", "filing": str(row.pk)}
    )
    row.refresh_from_db()
    assert (answer.status_code, row.status) == (404, "FILED")


def test_who_only_reads_files_nothing(house: House, clerk: Client) -> None:
    reviewer = browser("reviewer")
    page = text(reviewer.get(page_of(house)))
    assert 'value="ask"' not in page and 'value="chronic"' not in page
    assert reviewer.post(f"{page_of(house)}/act", DISEASE).status_code == 403
    assert not Filing.objects.exists()
