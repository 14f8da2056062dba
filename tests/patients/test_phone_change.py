"""Another phone opens the account only with its own code, and never one that is somebody's."""

from datetime import timedelta

import pytest
from django.test import Client

from core.models import AuditEvent
from patients.models import Notification, PhoneCode, UserPhone
from tests.factories.accounts import patient_client, patient_user
from tests.fixtures.phone import answer, ask, sign_in

pytestmark = pytest.mark.django_db
OLD, NEW = "13700000001", "13800000002"
PAGE, CODE = "/accounts/phone", "/accounts/phone/code"


@pytest.fixture
def person():
    return patient_client(patient_user(OLD))


def change(client, gateway, phone=NEW):
    assert client.post(PAGE, {"phone": phone}).status_code == 303
    return client.post(CODE, {"code": gateway.code(phone)})


def test_the_new_phone_opens_the_account_and_the_old_one_no_more(person, gateway, still_clock):
    assert change(person, gateway)["Location"] == "/settings"
    assert UserPhone.objects.get(user=person.patient).phone == NEW
    assert AuditEvent.objects.get(action="phone_changed").subject_id == str(person.patient.pk)
    assert person.get("/consents").status_code == 200
    still_clock.advance(timedelta(seconds=61))
    browser = Client()
    sign_in(browser, gateway, NEW)
    assert int(browser.session["_auth_user_id"]) == person.patient.pk
    sign_in(other := Client(), gateway, OLD)
    assert int(other.session["_auth_user_id"]) != person.patient.pk


def test_without_its_code_nothing_changes(person, gateway):
    person.post(PAGE, {"phone": NEW})
    assert person.post(CODE, {"code": "x"}).status_code == 400
    assert UserPhone.objects.get().phone == OLD
    assert person.post(PAGE, {"phone": "1"}).status_code == 400
    assert person.get(CODE).status_code == 200


def test_somebody_elses_phone_stays_theirs(person, gateway):
    other = patient_user(NEW)
    page = change(person, gateway)
    assert (page.status_code, UserPhone.objects.get(user=other).phone) == (409, NEW)
    assert UserPhone.objects.get(user=person.patient).phone == OLD
    assert person.get(CODE)["Location"] == PAGE


def test_a_code_for_one_thing_opens_no_other(person, gateway, still_clock):
    stranger = Client()
    ask(stranger, NEW)
    of_sign_in = gateway.code()
    still_clock.advance(timedelta(seconds=61))
    person.post(PAGE, {"phone": NEW})
    assert person.post(CODE, {"code": of_sign_in}).status_code == 400
    assert UserPhone.objects.get().phone == OLD
    assert answer(stranger, gateway.code()).status_code == 400
    assert answer(stranger, of_sign_in).status_code == 303
    assert PhoneCode.objects.count() == 2


def test_only_who_is_signed_in_changes_a_phone(client):
    assert client.get(PAGE)["Location"].startswith("/accounts/login")
    assert client.post(CODE, {"code": "1"})["Location"].startswith("/accounts/login")


def test_a_new_phone_ends_every_other_session_and_tells_the_holder(person, gateway, still_clock):
    """An open session on a phone left lying about must not become an account for good."""
    elsewhere = Client()
    elsewhere.force_login(person.patient)
    assert elsewhere.get("/consents").status_code == 200
    change(person, gateway)
    assert elsewhere.get("/consents").status_code == 302
    assert person.get("/consents").status_code == 200
    assert Notification.objects.get(kind="phone_changed").user == person.patient
