"""The code page and the insurer's own: allowed on the phone, kept for the visit, nothing shown."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import AuditEvent
from insurance.models import HeldCredential, Institution, InsuranceMessage
from insurance.services.credentials import credential_of
from patients.models import Encounter, Patient
from tests.billing.portal_house import signed_in
from tests.contracts import nhsa_house
from tests.contracts.nhsa_house import ADULT, NAME
from tests.factories import patients, payments
from tests.fixtures.sandbox_process import CLIENT, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/code/insurance"


@pytest.fixture
def place(sandbox: Sandbox) -> Institution:
    found = nhsa_house.institution(sandbox)
    told = sandbox.nhsa["ec"]
    found.region.wallet_url, found.region.authorise_url = told["wallet_url"], told["authorise_url"]
    found.region.save()
    return found


@pytest.fixture
def own(place: Institution) -> Client:
    """王芳, signed in, with her own record."""
    user = payments.user()
    row = patients.patient(name=NAME, number=ADULT, birth_date=date(1982, 6, 18))
    payments.access(row, user)
    return signed_in(user)


def person_no(sandbox: Sandbox, number: str = ADULT, name: str = NAME) -> str:
    given = {"name": name, "sex": "female", "birth_date": "1982-06-18"}
    return str(sandbox.act("nhsa", "enrol_person", number, **given)["baseinfo"]["psn_no"])


def visit(**values: Any) -> Encounter:
    own = Patient.objects.get(name=NAME)
    return patients.encounter(of=own, **{"self_pay": False, "self_pay_operator": ""} | values)


def allowed(client: Client, **form: str) -> str:
    """Press the button, answer at the insurer's page, and come back: the address it led to."""
    asked = client.get(f"{PAGE}/ask")
    assert asked.status_code == 302
    assert CLIENT.get(asked["Location"]).is_success
    answer = CLIENT.post(asked["Location"], data=form)
    assert answer.status_code == 302
    back = urlsplit(answer.headers["Location"])
    assert back.path == f"{PAGE}/back"
    return f"{back.path}?{back.query}"


def text(answer: Any) -> str:
    return answer.content.decode()


def test_a_visit_is_insured_by_one_permission(sandbox: Sandbox, own: Client) -> None:
    # given a visit that waits
    row = visit()
    assert "这次就诊还没有使用医保" in text(own.get(PAGE))
    # when it is allowed on the phone
    back = allowed(own, person=person_no(sandbox))
    answer = own.get(back, follow=True)
    # then the visit bears the token, and nothing more is asked
    assert "本次就诊已可用医保" in text(answer)
    held = credential_of(row)
    assert held is not None and len(held.number) == 40 and held.insured_area == "330300"
    assert InsuranceMessage.objects.get().operation == "face_identity"
    # and the same address again does nothing
    assert own.get(back)["Location"] == PAGE
    assert InsuranceMessage.objects.count() == 1


def test_a_permission_of_somebody_else_is_refused_and_recorded(
    sandbox: Sandbox, own: Client
) -> None:
    visit()
    answer = own.get(allowed(own, person=person_no(sandbox, "330300199001010017", "别人")))
    assert answer.status_code == 403 and "不是本次就诊登记患者本人" in text(answer)
    assert not HeldCredential.objects.exists()
    assert AuditEvent.objects.filter(action="insurance_other_person").count() == 1


def test_refused_on_the_phone_is_a_choice(sandbox: Sandbox, own: Client) -> None:
    visit()
    person_no(sandbox)
    assert own.get(allowed(own, answer="refuse"))["Location"].startswith(PAGE)
    assert not InsuranceMessage.objects.exists() and not HeldCredential.objects.exists()


def test_an_insurer_that_is_silent_may_be_asked_again(sandbox: Sandbox, own: Client) -> None:
    visit()
    back = allowed(own, person=person_no(sandbox))
    sandbox.fault("decode", "drop_after", "nhsa", times=1)
    answer = own.get(back)
    assert answer.status_code == 409 and "医保暂时没有应答" in text(answer)
    assert not HeldCredential.objects.exists()
    assert "本次就诊已可用医保" in text(
        own.get(allowed(own, person=person_no(sandbox)), follow=True)
    )


@pytest.mark.parametrize("sent", ["", "?outBizNo=EC1&authNo=A1", "?authNo=A1"])
def test_an_answer_nobody_asked_for_says_nothing(own: Client, sent: str) -> None:
    visit()
    assert own.get(f"{PAGE}/back{sent}")["Location"] == PAGE
    assert not InsuranceMessage.objects.exists()


def test_visits_that_pay_themselves_or_are_over_ask_nobody(own: Client) -> None:
    visit(self_pay=True)
    visit(status="CLOSED", encounter_no="E2")
    assert "钱包里有您的医保码" in text(own.get(PAGE))
    assert own.get(f"{PAGE}/ask")["Location"].startswith(f"{PAGE}?person=")


def test_a_house_without_insurance_shows_its_own_code(place: Institution, own: Client) -> None:
    assert PAGE in text(own.get("/code"))
    Institution.objects.update(active=False)
    assert PAGE not in text(own.get("/code"))
    assert own.get(PAGE)["Location"].startswith("/code")


def test_nobody_asks_for_a_person_that_is_not_theirs(own: Client) -> None:
    other = patients.patient(name="别人")
    for page in (PAGE, f"{PAGE}/ask"):
        assert own.get(f"{page}?person={other.pk}").status_code == 404


def test_the_page_costs_few_statements(own: Client) -> None:
    visit()
    with CaptureQueriesContext(connection) as seen:
        assert own.get(PAGE).status_code == 200
    assert len(seen) <= 12
