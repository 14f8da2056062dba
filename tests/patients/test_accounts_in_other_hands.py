"""The number of an account goes to another person: each of the two sees their own bills alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from core import clock
from core.models import AuditEvent, User
from patients.actors import patient_actor
from patients.models import Patient, PatientAccess, Relation, WalletIdentity
from patients.services.access import access_end
from tests.factories import payments
from tests.factories.accounts import patient_client, patient_user
from tests.factories.billing import visit_bill
from tests.factories.patients import encounter
from tests.fixtures.phone import Gateway, sign_in
from tests.patients.binding_house import Phone, begun, bound, person, phone
from tests.patients.test_signin_wallets import come_back, door, identity, leave, user_in

__all__ = ["door", "phone"]

pytestmark = pytest.mark.django_db
PHONE = "13812345678"


@pytest.fixture
def holder(phone: Phone) -> User:
    """Somebody who signs in by WeChat too, and whose own card has left their account."""
    user, own = patient_user(PHONE), person("陈秀兰", phone=PHONE)
    identity(user)
    access = bound(phone, user, own)
    access_end(user=user, access_id=access.pk, by=patient_actor(user))
    Patient.objects.filter(pk=own.pk).update(phone="", phone_index="")
    return user


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("days", [100, 400])
def test_the_wallet_of_before_reads_nothing_of_who_has_the_number_now(
    phone: Phone,
    gateway: Gateway,
    still_clock: clock.FrozenClock,
    holder: User,
    days: int,
) -> None:
    # given a new owner of the number who has signed in and bound their own card
    still_clock.advance(timedelta(days=days))
    sign_in(new := Client(), gateway, PHONE)
    other = person("李强", date(1985, 1, 2), phone=PHONE)
    bound(phone, User.objects.get(pk=user_in(new)), other)
    bill = visit_bill(encounter(of=other))
    # when the holder of before comes by their wallet
    come_back(old := Client(), leave(old), "anna")
    # then they are not in that account, and read none of its bills
    assert PatientAccess.objects.own().get(patient=other).user_id != user_in(old)
    assert old.get(f"/bills/{bill.pk}").status_code in {302, 404}


def test_sessions_and_wallets_of_before_end_when_another_person_binds_themself(
    phone: Phone, still_clock: clock.FrozenClock, holder: User
) -> None:
    left_open, here = patient_client(holder), patient_client(holder)
    other = person("李强", date(1985, 1, 2), phone=PHONE)
    row = begun(holder, other)
    led = here.post(f"/family/add/{row.pk}", {"code": phone.code})
    assert (led.status_code, led["Location"]) == (303, "/family?done=bound")
    assert here.get("/family").status_code == 200
    assert left_open.get("/family").status_code == 302
    assert not WalletIdentity.objects.exists()
    event = AuditEvent.objects.get(action="account_for_another")
    assert event.detail == {"wallets": 1}


def test_whoever_binds_their_own_card_again_keeps_wallet_and_sessions(
    phone: Phone, still_clock: clock.FrozenClock
) -> None:
    user, own = patient_user(PHONE), person("陈秀兰", phone=PHONE)
    identity(user)
    browser = patient_client(user)
    access = bound(phone, user, own)
    access_end(user=user, access_id=access.pk, by=patient_actor(user))
    still_clock.advance(timedelta(minutes=2))
    bound(phone, user, own)
    assert browser.get("/family").status_code == 200
    assert WalletIdentity.objects.get().user == user


def test_what_was_signed_without_an_own_card_ends_when_another_person_comes(
    phone: Phone, still_clock: clock.FrozenClock, holder: User
) -> None:
    # given a holder whose own card has left, and who signed for their mother since
    mother = person("陈老太", date(1950, 1, 2))
    bound(phone, holder, mother, Relation.PARENT)
    agreement = payments.agreement(mother, holder=holder)
    # when another person binds their own card to that account
    bound(phone, holder, person("李强", date(1985, 1, 2), phone=PHONE))
    # then it takes from nobody any more, and its holder signs anew
    agreement.refresh_from_db()
    assert (agreement.status, agreement.ended_how) == ("ENDED", "card_left")
