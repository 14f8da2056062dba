"""Who is paid for, who is told, what a clerk reads; and two acts at the same instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from billing.channels.base import Operation
from billing.checks import followers_check
from billing.models import Agreement, Invoice
from billing.services.agreements.pauses import agreement_switch
from billing.services.invoice_drive import invoice_drive
from core import clock
from core.errors import Refusal
from patients.actors import patient_actor
from patients.messages import message_fields
from patients.models import Notification, Patient, PatientAccess
from patients.selectors import consent_stands
from patients.services.access import access_end
from patients.services.consents import consent_withdraw
from tests import scripted
from tests.billing import portal_house
from tests.billing.services.agreement_house import (
    agreed,
    as_was,
    begin,
    family,
    standing,
    wallet_of,
)
from tests.billing.services.bills import driven
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter

pytestmark = pytest.mark.django_db


def bill(of: Patient, amount_fen: int = 8_640) -> Invoice:
    made = invoice(amount_fen, of=encounter(of=of))
    payments.collect(made)
    return driven(made)


def test_the_payers_message_says_hospital_masked_name_sum_and_number_only() -> None:
    user, own, mother = family()
    standing(user, [own, mother])
    paid = bill(mother)
    assert paid.status == "PAID"
    row = Notification.objects.get(user=user, kind="deducted")
    assert row.facts == {
        "hospital": "主院区",
        "name": "陈*兰",
        "amount_fen": 8_640,
        "number": paid.invoice_no[-6:],
    }
    said = "".join(message_fields(row.kind, row.facts).values())
    assert "¥86.40" in said
    assert "内科" not in said and "陈秀兰" not in said


def test_a_paused_and_an_ended_agreement_deduct_nothing() -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    agreement_switch(user=user, agreement_id=agreement.pk, on=False, by=patient_actor(user))
    assert bill(own).status == "ISSUED"


def test_whoever_is_not_chosen_or_left_the_family_is_not_paid_for() -> None:
    user, own, mother = family()
    standing(user, [mother])
    assert bill(own).status == "ISSUED"
    access = PatientAccess.objects.get(user=user, patient=mother)
    access_end(user=user, access_id=access.pk, by=patient_actor(user))
    assert bill(mother).status == "ISSUED"


def test_own_limits_hold_to_the_fen() -> None:
    user, own, _mother = family()
    standing(user, [own], own_single_fen=8_640, own_daily_fen=8_641)
    assert bill(own, 8_641).status == "ISSUED"
    assert bill(own, 8_640).status == "PAID"
    assert bill(own, 2).status == "ISSUED"
    assert bill(own, 1).status == "PAID"


def test_the_consent_page_pauses_every_agreement() -> None:
    user, own, _mother = portal_house.family()
    agreed(user)
    agreement = standing(user, [own])
    phone = portal_house.signed_in(user)
    phone.post("/consents/deduction", {"answer": "withdraw"})
    assert as_was(agreement).status == "PAUSED"
    Notification.objects.filter(user=user).update(status="SENT")
    assert "免密支付已暂停" in phone.get("/messages").content.decode()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run all at the same instant, each on a connection of its own; answers or refusals."""
    gate, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        gate.wait()
        try:
            answers[place] = act()
        except Refusal as refusal:
            answers[place] = refusal.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=found) for found in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_at_the_same_instant_is_one_agreement() -> None:
    user, own, _mother = family()
    plan = payments.plan(plan_id="5", single_fen=50_000, daily_fen=250_000)
    found = at_once(*[lambda: begin(user, [own], plan=plan).pk] * 4)
    assert len(set(found)) == 1
    assert Agreement.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_going_on_while_the_consent_is_taken_back_ends_paused() -> None:
    user, own, _mother = family()
    by = patient_actor(user)
    agreement = standing(user, [own], status="PAUSED")
    for _round in range(5):
        agreed(user)
        at_once(
            lambda: agreement_switch(user=user, agreement_id=agreement.pk, on=True, by=by),
            lambda: consent_withdraw(user=user, purpose="deduction", by=by),
        )
        assert not consent_stands(user=user, purpose="deduction")
        assert as_was(agreement).status == "PAUSED"


def test_a_cancelled_signing_is_no_more_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet_of(monkeypatch)
    user, own, _mother = portal_house.family()
    agreement = begin(user, [own])
    phone = portal_house.signed_in(user)
    assert phone.post(f"/agreements/{agreement.pk}/end").status_code == 303
    page = phone.get(f"/agreements/{agreement.pk}/result").content.decode()
    assert "您取消了这次签约" in page


def test_a_follower_of_a_consent_that_is_not_there_stops_the_start(settings: Any) -> None:
    assert followers_check(None) == []
    settings.CONSENT_FOLLOWERS = {"deduction": ("billing.services.nowhere.stop",)}
    assert [fault.id for fault in followers_check(None)] == ["billing.E009"]


def test_a_binding_that_ended_leaves_nothing_for_the_next_one() -> None:
    # given an agreement that pays for the holder and the mother, and the mother's binding ended
    user, own, mother = family()
    agreement = standing(user, [own, mother])
    bound = PatientAccess.objects.get(user=user, patient=mother)
    access_end(user=user, access_id=bound.pk, by=patient_actor(user))
    # when the mother is bound again
    payments.access(mother, user, "parent", may_pay=True)
    # then it pays for the holder alone until the mother is chosen again
    assert not Agreement.objects.admitted(mother.pk, None, clock.today()).exists()
    assert Agreement.objects.admitted(own.pk, None, clock.today()).get() == agreement


@pytest.mark.django_db(transaction=True)
def test_a_deduction_that_waited_for_the_end_of_a_binding_is_not_made() -> None:
    # given a bill of the mother, payable by the child's agreement, and that binding being ended
    user, own, mother = family()
    standing(user, [own, mother])
    made = invoice(8_640, of=encounter(of=mother))
    payments.collect(made)
    bound = PatientAccess.objects.get(user=user, patient=mother)

    def drive() -> None:
        invoice_drive(invoice_id=made.pk)
        connections.close_all()

    driver = threading.Thread(target=drive)
    with transaction.atomic():
        access_end(user=user, access_id=bound.pk, by=patient_actor(user))
        # when the drive comes to the agreement while its end is not committed yet
        driver.start()
        driver.join(1)
        assert driver.is_alive()
    driver.join(10)
    # then nothing was asked of the wallet
    assert scripted.calls(Operation.CAPTURE) == []
    made.refresh_from_db()
    assert made.status == "ISSUED"
