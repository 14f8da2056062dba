"""Every page of the staff's side, opened by every role, speaks Chinese and never breaks."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from billing.models import BillingReview
from config.roles import ROLES
from config.schedule import JOBS
from core.admin_values import WORDS
from tests.billing.desk.conftest import scripted_channel  # noqa: F401
from tests.billing.desk.people import browser
from tests.config.admin_world import World, world
from tests.config.visible_text import english

pytestmark = pytest.mark.django_db
STAFF = (*ROLES, "admin")
SHOWN_OR_REFUSED = frozenset({HTTPStatus.OK, HTTPStatus.FORBIDDEN})
REFUSED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})
ROWS_A_TABLE = 1


def admin_pages() -> Iterator[str]:
    """Every list, and the page and the history of its newest rows."""
    yield from (reverse("admin:index"), reverse("admin:password_change"))
    for model, pages in admin.site._registry.items():
        at = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{at}_changelist")
        rows = list(model._default_manager.order_by("-pk")[:ROWS_A_TABLE])
        assert rows, f"the world holds no {model.__name__}"
        for row in rows:
            yield reverse(f"{at}_change", args=[row.pk])
            yield reverse(f"{at}_history", args=[row.pk])
        for name in pages.list_filter:
            if isinstance(name, str) and "__" not in name:
                yield reverse(f"{at}_changelist") + f"?{name}__exact={getattr(rows[0], name)}"


def desk_pages(of: World) -> Iterator[str]:
    yield f"/admin/desk/patients/{of.patient.pk}"
    for bill in (of.to_pay, of.running, of.paid):
        yield f"/admin/desk/bills/{bill.pk}"
    yield f"/admin/desk/bills/{of.to_pay.pk}/cash"
    yield f"/admin/desk/bills/{of.paid.pk}/return"
    for tab in ("open", "people", "decided"):
        yield f"/admin/desk/reviews?tab={tab}"
    for review in BillingReview.objects.all():
        yield f"/admin/desk/reviews/{review.pk}"
    yield f"/admin/desk/reviews/people/{of.person_review.pk}"


def refusals(of: World) -> Iterator[str]:
    """Pages that answer why not, to whoever asks."""
    yield f"/admin/desk/bills/{of.paid.pk}/cash"
    yield f"/admin/desk/bills/{of.to_pay.pk}/return"
    for thing in ("bills", "patients", "reviews", "reviews/people"):
        yield f"/admin/desk/{thing}/404404"


def answer_of(client: Client, page: str) -> tuple[int, list[str]]:
    answer = client.get(page, follow=True)
    return answer.status_code, english(answer.content.decode())


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.usefixtures("scripted_channel")
def test_every_page_of_a_role_is_in_chinese(role: str) -> None:
    # given a world with something in every table
    of = world()
    allowed = dict.fromkeys([*desk_pages(of), *admin_pages()], SHOWN_OR_REFUSED)
    allowed |= dict.fromkeys(refusals(of), REFUSED)
    client = browser(role, f"{role}02")
    # when the role opens everything there is
    answers = {page: answer_of(client, page) for page in allowed}
    # then each page is shown or refused, and leaves no word in English
    assert {p: said for p, (_status, said) in answers.items() if said} == {}
    assert {p: status for p, (status, _said) in answers.items() if status not in allowed[p]} == {}


def test_an_untranslated_word_is_found() -> None:
    page = '<p title="Close">账单 <b>Journal entrys</b><code>wechat_pay</code> WeChat I9001</p>'
    assert english(page) == ["Close", "Journal entrys"]


def test_every_job_has_a_name_for_staff() -> None:
    assert {job.key for job in JOBS} - WORDS["key"].keys() == set()
