"""A wallet that turns out to be another user's is taken from no more, and a phone that is gone."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction

from billing.models import Agreement, BillingReview, Invoice
from billing.services.agreements.pauses import agreement_switch
from core import clock
from core.errors import Conflict
from core.models import AuditEvent, StateChange, User
from patients.actors import patient_actor
from patients.messages import message_fields
from patients.models import Notification, Patient, PatientAccess, UserPhone
from patients.services.access import access_grant_set
from patients.services.accounts import identity_join, phone_answer, phone_asked
from patients.signin.base import Identity
from tests.billing import portal_house
from tests.billing.services.agreement_house import (
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
from tests.patients.binding_house import person

pytestmark = pytest.mark.django_db
WALLET = "oVictim"
PHONE = "13812345678"


@pytest.fixture(autouse=True)
def wallet(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    return wallet_of(monkeypatch)


def bill(of: Patient) -> Invoice:
    made = invoice(8_640, of=encounter(of=of))
    payments.collect(made)
    return driven(made)


def joins(user: User, subject: str = WALLET, app_id: str = "wx0001") -> None:
    identity_join(user=user, identity=Identity("wechat_pay", app_id, subject))


def signed_by_another() -> tuple[User, Patient, Agreement]:
    """An agreement that a wallet unknown to the house has signed for its holder."""
    user, own, _mother = family()
    agreement = begin(user, [own])
    assert notice_told(agreement, payer_id=WALLET) == "signed"
    return user, own, agreement


def test_a_wallet_proven_anothers_pays_no_more_and_both_are_told() -> None:
    # given an agreement signed by a wallet nobody knew
    user, own, agreement = signed_by_another()
    # when that wallet joins the account of its owner
    owner = patient_user()
    joins(owner)
    # then it rests, the next bill takes nothing from it, both know, and a person looks
    assert as_was(agreement).status == "PAUSED"
    assert bill(own).status == "ISSUED"
    assert told(user)[:2] == ["agreement_signed", "agreement_wallet_taken"]
    assert told(owner) == ["wallet_was_signed"]
    review = BillingReview.objects.get()
    assert (review.reason_code, review.agreement) == ("wallet_taken", agreement)
    assert review.figures == {"number": agreement.contract_code}
    event = AuditEvent.objects.get(action="agreement_wallet_taken")
    assert event.detail == {"holder": user.pk, "user": owner.pk}
    last = StateChange.objects.filter(entity="billing.agreement").latest("pk")
    assert last.reason == "the wallet is another user's"


def test_neither_message_says_who_the_other_is() -> None:
    user, _own, _agreement = signed_by_another()
    owner = patient_user()
    joins(owner)
    for row in Notification.objects.filter(
        kind__in=("agreement_wallet_taken", "wallet_was_signed")
    ):
        said = "".join(message_fields(row.kind, row.facts).values())
        assert "王芳" not in said and user.username not in said and owner.username not in said
        assert row.facts.keys() == {"hospital", "number", "wallet"}


def test_it_does_not_go_on_with_another_users_wallet() -> None:
    user, _own, agreement = signed_by_another()
    joins(patient_user())
    with pytest.raises(Conflict, match="wallet_of_another"):
        agreement_switch(user=user, agreement_id=agreement.pk, on=True, by=patient_actor(user))
    payments.agrees(user, "privacy")
    page = portal_house.signed_in(user).post(f"/agreements/{agreement.pk}/switch", {"on": "yes"})
    assert page.status_code == 409
    assert as_was(agreement).status == "PAUSED"


def test_one_that_rested_before_is_looked_at_too_and_an_ended_one_is_not() -> None:
    user, own, _mother = family()
    paused = standing(user, [own], payer_id=WALLET, status="PAUSED")
    ended = standing(user, [own], plan=narrow_plan("7"), payer_id=WALLET, status="ENDED")
    joins(patient_user())
    assert (as_was(paused).status, as_was(ended).status) == ("PAUSED", "ENDED")
    assert BillingReview.objects.get().agreement == paused
    assert told(user) == ["agreement_wallet_taken"]


def test_two_agreements_of_one_wallet_are_two_questions() -> None:
    for _each in range(2):
        user, own, _mother = family()
        standing(user, [own], payer_id=WALLET)
    joins(patient_user())
    assert set(Agreement.objects.values_list("status", flat=True)) == {"PAUSED"}
    assert BillingReview.objects.count() == 2


def test_the_holders_own_wallet_and_one_of_another_app_change_nothing() -> None:
    user, own, agreement = signed_by_another()
    joins(patient_user(), app_id="wx0002")
    joins(user)
    assert as_was(agreement).status == "ACTIVE"
    assert bill(own).status == "PAID"
    assert not BillingReview.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_wallet_that_joins_while_its_signing_is_told_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wallet's name is held by whoever signs, so who joins it waits and then finds that."""
    user, own, _mother = family()
    agreement = begin(user, [own])
    owner = patient_user()

    def join() -> None:
        joins(owner)
        connections.close_all()

    other = threading.Thread(target=join)
    with transaction.atomic():
        notice_told(agreement, payer_id=WALLET)
        other.start()
        other.join(1)
        assert other.is_alive()
    other.join(10)
    assert as_was(agreement).status == "PAUSED"


def test_a_phone_that_is_let_go_pauses_what_its_holder_cannot_be_told_of(
    still_clock: clock.FrozenClock,
) -> None:
    user = patient_user(PHONE)
    _user, _own, mother = family()  # a record without a number: there is nothing to ask
    payments.access(mother, user, "other")
    row = standing(user, [mother])
    still_clock.advance(timedelta(days=181))
    assert phone_asked(phone=PHONE) is False
    assert not UserPhone.objects.filter(user=user).exists()
    assert as_was(row).status == "PAUSED"
    assert told(user) == ["agreement_paused"]


def test_who_answers_rightly_keeps_phone_and_agreements(still_clock: clock.FrozenClock) -> None:
    user = patient_user(PHONE)
    own = person()
    payments.access(own, user)
    row = standing(user, [own])
    still_clock.advance(timedelta(days=181))
    assert phone_asked(phone=PHONE) is True
    assert phone_answer(phone=PHONE, last=own.id_number[-4:])
    assert as_was(row).status == "ACTIVE"
    still_clock.advance(timedelta(days=181))
    assert not phone_answer(phone=PHONE, last="----")
    assert as_was(row).status == "ACTIVE"
    assert phone_answer(phone=PHONE, last="----")
    assert as_was(row).status == "PAUSED"


def test_whoever_is_paid_for_again_has_their_payer_told() -> None:
    # given a payer whose right to pay was taken back by the patient
    user, _own, mother = family()
    patients_own = patient_user()
    payments.access(mother, patients_own)
    agreed(user)
    standing(user, [mother])
    access = PatientAccess.objects.get(user=user, patient=mother)
    for granted in (False, True):
        access_grant_set(
            user=patients_own,
            access_id=access.pk,
            grant="pay",
            granted=granted,
            by=patient_actor(patients_own),
        )
    # when it is given again, then the payer knows before the next deduction
    assert told(user) == ["access_taken_back", "access_given_back"]
    assert bill(mother).status == "PAID"
