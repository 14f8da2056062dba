"""Pages that belong to no app: the bare address, and those that say no."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from config import pages
from core.models import User
from patients.models import Campus
from tests.billing.desk.people import browser
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db


def test_bare_address_leads_staff_to_their_desk_and_others_to_the_sign_in(
    admin_client: Client,
) -> None:
    assert admin_client.get("/").headers["Location"] == "/admin/"
    assert Client().get("/").headers["Location"] == "/accounts/login"


def test_unknown_address_names_the_window_and_its_phone() -> None:
    # given a hospital with a window
    Campus.objects.create(code="x", name="一院", window_text="3 号窗口", phone="0500-1")
    # when an address leads nowhere
    answer = Client().get("/nowhere/at/all")
    # then the page says so in Chinese, and who helps
    body = answer.content.decode()
    assert answer.status_code == 404
    assert "没有这个页面" in body and "3 号窗口" in body and "0500-1" in body


def test_unknown_address_of_an_empty_portal_answers_too() -> None:
    assert Client().get("/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("role", "address", "status", "said"),
    [
        ("cashier", "/admin/nowhere", 404, "没有这个页面"),
        ("cashier", "/admin/core/outboundcall/", 403, "您不能打开这个页面"),
        ("it", "/admin/desk/nowhere/", 404, "没有这个页面"),
    ],
)
def test_staff_who_went_wrong_stay_at_their_desk(
    role: str, address: str, status: int, said: str
) -> None:
    answer = browser(role).get(address)
    body = answer.content.decode()
    assert answer.status_code == status and said in body
    assert "回到服务台" in body and 'href="/admin/"' in body
    assert "长辈版" not in body and "不用手机也能办" not in body


def test_a_patient_who_went_wrong_keeps_the_patients_page(client: Client) -> None:
    client.force_login(User.objects.create_user("p1"))
    for address in ("/nowhere", "/admin/nowhere"):
        answer = client.get(address, follow=True)
        assert "回到服务台" not in answer.content.decode(), address


def test_closed_page_says_so() -> None:
    answer = pages.not_allowed(RequestFactory().get("/admin/x"), PermissionDenied())
    assert answer.status_code == 403 and "您不能打开这个页面" in answer.content.decode()


def test_fault_page_needs_nothing() -> None:
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500 and "页面暂时打不开" in answer.content.decode()


def test_fault_page_says_who_helps_and_asks_nobody(
    settings: Any, django_assert_num_queries: Any
) -> None:
    # given a fault, and the hospital's window in the settings
    settings.HOSPITAL_HELP = {"name": "一院", "window": "3 号窗口", "phone": "0500-8612 0000"}
    with django_assert_num_queries(0):
        answer = pages.failed(RequestFactory().get("/bills"))
    # then the page has its icon, its window and its phone without the database
    body = answer.content.decode()
    assert answer.status_code == 500 and "先不要再付一次" in body
    assert '<link rel="icon" type="image/svg+xml" href="/static/logo.svg">' in body
    assert "3 号窗口" in body and 'href="tel:0500-86120000"' in body


def test_fault_of_a_view_is_told_by_that_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages.pay_right, "hospital", lambda: 1 / 0)
    client = Client(raise_request_exception=False)
    assert "页面暂时打不开" in client.get("/nowhere").content.decode()
    told = client.get("/api/nowhere")
    assert (told.status_code, told["Content-Type"]) == (404, "application/problem+json")


def test_form_without_its_token_says_that_nothing_was_taken() -> None:
    Campus.objects.create(code="x", name="一院", window_text="3 号窗口", phone="0500-1")
    # when a form comes from a page that is too old
    answer = Client(enforce_csrf_checks=True).post("/mode", {"mode": "elder"})
    # then it says in Chinese that nothing happened, what to do, and who helps
    body = answer.content.decode()
    assert answer.status_code == 403
    assert "没有扣款" in body and "重新打开" in body and "3 号窗口" in body
    assert 'rel="icon"' in body and "CSRF" not in body


@pytest.mark.parametrize("path", ["/accounts/login", "/mode", "/p/none/pay"])
def test_a_form_in_another_encoding_is_told_so_and_breaks_nothing(path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login")
    form = "application/x-www-form-urlencoded; charset=utf-16"
    answer = client.post(path, data=b"phone=1", content_type=form)
    body = answer.content.decode()
    assert answer.status_code == 400
    assert "没有扣款" in body and "重新打开" in body and 'rel="icon"' in body


@pytest.mark.parametrize(
    "path",
    [
        "/admin/billing/invoice/?status__exact=%00",
        "/admin/billing/paymenttransaction/?kind__exact=%00",
        "/admin/billing/invoice/?invoice_no=%00",
        "/bills?q=%00",
        "/accounts/login?next=%00",
    ],
)
def test_a_nul_in_an_address_breaks_nothing(admin_client: Client, path: str) -> None:
    assert admin_client.get(path).status_code in (200, 302)


def test_every_page_has_the_icon() -> None:
    listed = subprocess.check_output(["git", "ls-files", "*.html"], cwd=ROOT, text=True).split()
    whole = [path for path in listed if "<html" in (ROOT / path).read_text(encoding="utf8")]
    assert {"templates/base.html", "templates/plain.html"} <= set(whole)
    assert [p for p in whole if 'rel="icon"' not in (ROOT / p).read_text(encoding="utf8")] == []
