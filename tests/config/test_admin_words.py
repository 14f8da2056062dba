"""Every page of the staff's side, opened by every role, speaks Chinese and never breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from billing.channels.base.words import Operation as ChannelVerb
from billing.ledger.chart import Event
from billing.models import AgreementPatient, AgreementStatus, BillingReview
from config.roles import ROLES
from config.schedule import JOBS
from core.actors import Actor
from core.admin_values import WORDS, actor_text
from core.audit import record
from insurance.gateway.base import Operation as InsurerVerb
from patients.models import PatientAccess, PatientMerge
from tests.billing.desk.conftest import scripted_channel  # noqa: F401
from tests.billing.desk.people import browser
from tests.config.admin_world import World, world
from tests.config.visible_text import english
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db
STAFF = (*ROLES, "admin")
APPS = ("core", "patients", "insurance", "billing", "credit", "refunds", "config")
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
    yield from of_people(of)


def of_people(of: World) -> Iterator[str]:
    """Bindings, agreements and joined records: what stands, what ended, what is asked before."""
    for patient in (of.patient, of.relative, of.twin):
        yield f"/admin/desk/patients/{patient.pk}"
        yield f"/admin/desk/patients/{patient.pk}/bindings"
    for access in PatientAccess.objects.filter(ended_at=None):
        page = f"/admin/desk/patients/{access.patient_id}/bindings/end"
        yield f"{page}?access={access.pk}"
    for pays in AgreementPatient.objects.exclude(agreement__status=AgreementStatus.ENDED):
        page = f"/admin/desk/patients/{pays.patient_id}/agreements/end"
        yield f"{page}?agreement={pays.agreement_id}"
    yield "/admin/desk/merges"
    for case in PatientMerge.objects.all():
        yield f"/admin/desk/merges/{case.pk}"
    yield "/admin/desk/merges/new"
    yield f"/admin/desk/merges/new?kept={of.patient.pk}"
    yield f"/admin/desk/merges/new?kept={of.patient.pk}&merged={of.relative.pk}"


def refusals(of: World) -> Iterator[str]:
    """Pages that answer why not, to whoever asks."""
    yield f"/admin/desk/bills/{of.paid.pk}/cash"
    yield f"/admin/desk/bills/{of.to_pay.pk}/return"
    yield f"/admin/desk/patients/{of.patient.pk}/bindings/end?access=404404"
    yield f"/admin/desk/patients/{of.patient.pk}/agreements/end?agreement=404404"
    for thing in ("bills", "patients", "reviews", "reviews/people", "merges"):
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


def test_every_act_on_record_has_a_word_for_staff() -> None:
    acts = re.compile(r'(?:action=|_recorded\(\s*\w+,\s*)"([a-z]+[._][a-z_.]+)"')
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    told = {act for path in files for act in acts.findall(path.read_text())}
    # an option of the commands' parser is no act
    assert told - {"store_true"} - WORDS["action"].keys() == set()


def test_every_call_to_the_outside_has_words_for_staff() -> None:
    files = [path.read_text() for app in APPS for path in (ROOT / app).rglob("*.py")]
    for field, said in (
        ("counterparty", r'(?:COUNTERPARTY = |counterparty=)"(\w+)"'),
        ("operation", r'operation="(\w+)"'),
    ):
        told = {code for text in files for code in re.findall(said, text)}
        assert told
        assert told - WORDS[field].keys() == set()
    operations = {one.value for verbs in (ChannelVerb, InsurerVerb) for one in verbs}
    assert operations - WORDS["operation"].keys() == set()


@pytest.mark.parametrize(
    ("key", "name", "said"),
    [
        ("his:BAR", "王收费", "王收费 HIS BAR"),
        ("his:BAR", "", "HIS BAR"),
        ("staff:cashier", "李窗口", "李窗口 员工 cashier"),
        ("channel:wechat_pay", "", "微信支付"),
        ("system:system", "", "系统"),
    ],
)
def test_who_did_it_is_said_in_words(key: str, name: str, said: str) -> None:
    text = re.sub(r"<[^>]+>", "", str(actor_text(key, name)))
    assert text == said


def test_a_trail_is_found_by_the_code_it_shows() -> None:
    record(by=Actor("his", "BAR", "王收费"), action="his_refused", subject="his.call", subject_id=1)
    page = browser("auditor", "auditor07").get("/admin/core/auditevent/?q=HIS BAR")
    assert "王收费" in page.content.decode()


def test_every_entry_and_every_reason_of_ours_has_a_word_for_staff() -> None:
    assert {event.value for event in Event} - WORDS["event"].keys() == set()
    files = [path for app in APPS for path in (ROOT / app).glob("services/**/*.py")]
    told = {why for path in files for why in re.findall(r'reason="([\w ]+)"', path.read_text())}
    assert told
    assert told - WORDS["reason"].keys() == set()
