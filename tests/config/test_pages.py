"""Pages that belong to no app: the bare address, and those that say no."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from config import pages
from patients.models import Campus

pytestmark = pytest.mark.django_db


def test_bare_address_leads_staff_to_their_desk() -> None:
    assert Client().get("/").headers["Location"] == "/admin/"


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


def test_closed_page_says_so() -> None:
    answer = pages.not_allowed(RequestFactory().get("/admin/x"), PermissionDenied())
    assert answer.status_code == 403 and "您不能打开这个页面" in answer.content.decode()


def test_fault_page_needs_nothing() -> None:
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500 and "页面暂时打不开" in answer.content.decode()
