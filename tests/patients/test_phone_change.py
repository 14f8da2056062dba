"""Another phone opens the account only with its own code, and never one that is somebody's."""

from datetime import timedelta

import pytest
from django.test import Client

from core.models import AuditEvent
from patients.models import Notification, PhoneCode, UserPhone
from patients.selectors import notification_addresses
from tests.factories.accounts import patient_client, patient_user
from tests.fixtures.phone import answer, ask, sign_in

pytestmark = pytest.mark.django_db
OLD, NEW = "13700000001", "13800000002"
PAGE, CODE, LEAVE = "/accounts/phone", "/accounts/phone/code", "/accounts/phone/old"


@pytest.fixture
def person():
    return patient_client(patient_user(OLD))


@pytest.fixture
def proven(person, gateway):
    """The old phone's code came back."""
    assert person.get(PAGE)["Location"] == LEAVE
    person.post(LEAVE)
    assert person.post(LEAVE, {"code": gateway.code(OLD)})["Location"] == PAGE
    return person


def change(client, gateway, phone=NEW):
    assert client.post(PAGE, {"phone": phone}).status_code == 303
    return client.post(CODE, {"code": gateway.code(phone)})


def test_the_new_phone_opens_the_account_and_the_old_one_no_more(proven, gateway, still_clock):
    assert change(proven, gateway)["Location"] == "/settings"
    assert UserPhone.objects.get(user=proven.patient).phone == NEW
    assert AuditEvent.objects.get(action="phone_changed").subject_id == str(proven.patient.pk)
    assert proven.get("/consents").status_code == 200
    still_clock.advance(timedelta(seconds=61))
    browser = Client()
    sign_in(browser, gateway, NEW)
    assert int(browser.session["_auth_user_id"]) == proven.patient.pk
    sign_in(other := Client(), gateway, OLD)
    assert int(other.session["_auth_user_id"]) != proven.patient.pk


def test_without_its_code_nothing_changes(proven, gateway):
    proven.post(PAGE, {"phone": NEW})
    assert proven.post(CODE, {"code": "x"}).status_code == 400
    assert UserPhone.objects.get().phone == OLD
    assert proven.post(PAGE, {"phone": "1"}).status_code == 400
    assert proven.get(CODE).status_code == 200


def test_somebody_elses_phone_stays_theirs(proven, gateway):
    other = patient_user(NEW)
    page = change(proven, gateway)
    assert (page.status_code, UserPhone.objects.get(user=other).phone) == (409, NEW)
    assert UserPhone.objects.get(user=proven.patient).phone == OLD
    assert proven.get(CODE)["Location"] == PAGE


def test_a_code_for_one_thing_opens_no_other(proven, gateway, still_clock):
    stranger = Client()
    ask(stranger, NEW)
    of_sign_in = gateway.code()
    still_clock.advance(timedelta(seconds=61))
    proven.post(PAGE, {"phone": NEW})
    assert proven.post(CODE, {"code": of_sign_in}).status_code == 400
    assert UserPhone.objects.get().phone == OLD
    assert answer(stranger, gateway.code()).status_code == 400
    assert answer(stranger, of_sign_in).status_code == 303
    assert PhoneCode.objects.count() == 3  # with the one to the old phone


def test_only_who_is_signed_in_changes_a_phone(client):
    assert client.get(PAGE)["Location"].startswith("/accounts/login")
    assert client.post(CODE, {"code": "1"})["Location"].startswith("/accounts/login")


def test_a_new_phone_ends_every_other_session_and_tells_the_holder(proven, gateway, still_clock):
    """An open session on a phone left lying about must not become an account for good."""
    elsewhere = Client()
    elsewhere.force_login(proven.patient)
    assert elsewhere.get("/consents").status_code == 200
    change(proven, gateway)
    assert elsewhere.get("/consents").status_code == 302
    assert proven.get("/consents").status_code == 200
    told = Notification.objects.get(kind="phone_changed")
    assert (told.user, told.messenger, told.address) == (proven.patient, "sms", OLD)
    assert notification_addresses(told) == [("sms", OLD)]


def test_an_open_session_alone_changes_nothing(person, gateway, still_clock):
    assert person.get(LEAVE).status_code == 200
    assert person.post(PAGE, {"phone": NEW})["Location"] == LEAVE
    assert person.post(CODE, {"code": "1"})["Location"] == PAGE
    person.post(LEAVE)
    assert [one.address for one in gateway.sent] == [OLD]
    assert person.post(LEAVE, {"code": "x"}).status_code == 400
    assert person.get(PAGE)["Location"] == LEAVE
    assert person.post(LEAVE, {"code": gateway.code(OLD)}).status_code == 303
    assert person.get(PAGE).status_code == 200
    still_clock.advance(timedelta(minutes=10, seconds=1))
    assert person.post(PAGE, {"phone": NEW})["Location"] == LEAVE
    assert UserPhone.objects.get().phone == OLD


def test_the_old_phones_code_is_good_for_one_change(proven, gateway):
    change(proven, gateway)
    assert proven.get(PAGE)["Location"] == LEAVE


def test_without_a_phone_the_way_leads_to_the_window(person, gateway):
    UserPhone.objects.all().delete()
    page = person.get(LEAVE)
    assert (page.status_code, "primary" in page.content.decode()) == (200, False)
    assert person.post(LEAVE).status_code == 400
    assert gateway.sent == []
