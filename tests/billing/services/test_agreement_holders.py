"""An account that changes hands takes no agreement along: whose wallet it is must be certain."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from billing.models import Agreement, Invoice, PaymentInstitution
from core import clock
from core.models import AuditEvent, User
from patients.actors import patient_actor
from patients.models import Patient, PatientAccess
from patients.selectors import phone_index
from patients.services.access import access_end, access_end_at_desk
from tests.billing.services.agreement_house import (
    STAFF,
    Wallet,
    agreed,
    as_was,
    begin,
    family,
    narrow_plan,
    standing,
    told,
    wallet_of,
)
from tests.billing.services.bills import driven
from tests.billing.services.test_agreements import told as notice_told
from tests.factories import payments
from tests.factories.accounts import patient_user
from tests.factories.billing import invoice
from tests.factories.patients import encounter
from tests.fixtures.phone import Gateway, gateway, sign_in
from tests.patients.binding_house import Phone, bound, person, phone

__all__ = ["gateway", "phone"]

pytestmark = pytest.mark.django_db
OLD, NEW = "13812345678", "13855556666"


@pytest.fixture(autouse=True)
def wallet(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    return wallet_of(monkeypatch)


def bill(of: Patient) -> Invoice:
    made = invoice(8_640, of=encounter(of=of))
    payments.collect(made)
    return driven(made)


def on_record(of: Patient, number: str) -> Patient:
    """The hospital's record names another phone now."""
    Patient.objects.filter(pk=of.pk).update(phone=number, phone_index=phone_index(number))
    of.refresh_from_db()
    return of


def moved(messages: Phone, of: Patient) -> User:
    """The person binds their card to an account of their new phone."""
    elsewhere = patient_user(NEW)
    bound(messages, elsewhere, on_record(of, NEW))
    return elsewhere


def holder_of(messages: Phone) -> tuple[User, Patient]:
    """A person who bound their own card by the phone of their account."""
    user, own = patient_user(OLD), person("陈秀兰", phone=OLD)
    bound(messages, user, own)
    agreed(user)
    return user, own


def test_an_own_card_that_moves_ends_the_agreements_of_the_account_it_leaves(phone: Phone) -> None:
    # given an account that pays for its holder and the mother, one agreement paused
    user, own = holder_of(phone)
    mother = person("王芳")
    payments.access(mother, user, "parent")
    active = standing(user, [own, mother], contract_id="202600000001")
    paused = standing(user, [mother], plan=narrow_plan("7"), status="PAUSED")
    # when the holder binds their card to another account
    moved(phone, own)
    # then both have ended, here and soon at the channel, and the account is told
    for row in (active, paused):
        assert (as_was(row).status, row.ended_how) == ("ENDED", "card_left")
        assert (row.unsign_asked_at, row.channel_ended_at) == (clock.now(), None)
        assert row.due_at is not None
    assert told(user) == ["agreement_card_left", "agreement_card_left", "card_moved"]
    # and nothing is deducted for anybody
    assert (bill(own).status, bill(mother).status) == ("ISSUED", "ISSUED")


@pytest.mark.parametrize("how", ["desk", "user"])
def test_every_other_end_of_the_own_card_ends_them_too(phone: Phone, how: str) -> None:
    user, own = holder_of(phone)
    row = standing(user, [own])
    access = PatientAccess.objects.get(user=user)
    if how == "desk":
        access_end_at_desk(access_id=access.pk, reason="证件不符", by=STAFF)
    else:
        access_end(user=user, access_id=access.pk, by=patient_actor(user))
    assert (as_was(row).status, row.ended_how) == ("ENDED", "card_left")
    assert told(user) == ["agreement_card_left"]


def test_the_end_of_a_relatives_card_ends_no_agreement() -> None:
    user, own, mother = family()
    row = standing(user, [own, mother])
    access = PatientAccess.objects.get(user=user, patient=mother)
    access_end(user=user, access_id=access.pk, by=patient_actor(user))
    assert as_was(row).status == "ACTIVE"
    assert bill(own).status == "PAID"


def test_a_mandate_being_signed_ends_without_a_word_and_is_refused_when_signed_after_all(
    phone: Phone,
) -> None:
    user, own = holder_of(phone)
    payments.agrees(user, "privacy")
    row = begin(user, [own])
    moved(phone, own)
    assert (as_was(row).status, row.ended_how) == ("ENDED", "not_signed")
    assert told(user) == ["card_moved"]
    assert notice_told(row, payer_id="oHolder") == "signed after its end"
    assert (row.status, row.due_at) == ("ENDED", clock.now())


def test_whoever_moved_signs_anew_with_the_wallet_of_before(phone: Phone) -> None:
    user, own = holder_of(phone)
    standing(user, [own], payer_id="oHolder", contract_id="202600000009")
    elsewhere = moved(phone, own)
    payments.agrees(elsewhere, "privacy")
    again = begin(elsewhere, [own])
    assert notice_told(again, payer_id="oHolder") == "signed"
    assert bill(own).status == "PAID"


@pytest.mark.parametrize("how", ["moved", "unbound"])
@pytest.mark.parametrize("days", [100, 400])
def test_the_next_owner_of_the_number_never_pays_from_the_wallet_of_the_one_before(
    phone: Phone,
    gateway: Gateway,
    still_clock: clock.FrozenClock,
    how: str,
    days: int,
) -> None:
    # given an account whose own card has left it, and its number with somebody else by now
    user, own = holder_of(phone)
    row = standing(user, [own], payer_id="oHolder")
    if how == "moved":
        moved(phone, own)
    else:
        access = PatientAccess.objects.get(user=user)
        access_end(user=user, access_id=access.pk, by=patient_actor(user))
    on_record(own, NEW)
    PaymentInstitution.objects.update(agreement_until=date(2030, 1, 1))
    still_clock.advance(timedelta(days=days))
    # when they sign in, bind themselves and ask that agreement to pay for them
    sign_in(browser := Client(), gateway, OLD)
    inside = User.objects.get(pk=browser.session["_auth_user_id"])
    stranger = person("李强", date(1985, 1, 2), phone=OLD)
    bound(phone, inside, stranger)
    browser.force_login(User.objects.get(pk=inside.pk))  # binding ended the sessions of before
    payments.agrees(inside, "privacy")
    page = browser.post(f"/agreements/{row.pk}/people", {"people": [stranger.pk]})
    # then it does not, and nothing is taken
    assert page.status_code in {404, 409}
    assert bill(stranger).status == "ISSUED"
    assert not Agreement.objects.filter(pays_for__patient=stranger, status="ACTIVE").exists()


def test_what_ended_with_the_card_is_in_the_audit(phone: Phone) -> None:
    user, own = holder_of(phone)
    row = standing(user, [own])
    moved(phone, own)
    event = AuditEvent.objects.get(action="agreement_lets_go")
    assert (event.subject_id, event.detail) == (str(row.pk), {"patient": own.pk})
