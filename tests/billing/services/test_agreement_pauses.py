"""Pause and go on, and the consent without which nothing goes on."""

from __future__ import annotations

import pytest

from billing.models import Agreement
from billing.services.agreements.pauses import agreement_prefer, agreement_switch
from core.errors import Conflict, NotFound
from core.models import AuditEvent, StateChange, User
from patients.actors import patient_actor
from patients.services.consents import consent_give, consent_withdraw
from tests.billing.services.agreement_house import (
    as_was,
    begin,
    family,
    standing,
    told,
    wallet_of,
)
from tests.billing.services.test_agreements import told as notice_told
from tests.factories import payments

pytestmark = pytest.mark.django_db


def switched(user: User, agreement: Agreement, *, on: bool) -> Agreement:
    agreement_switch(user=user, agreement_id=agreement.pk, on=on, by=patient_actor(user))
    return as_was(agreement)


def consent(user: User) -> None:
    consent_give(user=user, purpose="deduction", by=patient_actor(user))


def taken_back(user: User) -> None:
    consent_withdraw(user=user, purpose="deduction", by=patient_actor(user))


def test_a_payer_pauses_and_goes_on() -> None:
    user, own, _mother = family()
    consent(user)
    agreement = standing(user, [own])
    assert switched(user, agreement, on=False).status == "PAUSED"
    assert switched(user, agreement, on=False).status == "PAUSED"
    assert switched(user, agreement, on=True).status == "ACTIVE"
    assert switched(user, agreement, on=True).status == "ACTIVE"
    assert told(user) == ["agreement_paused", "agreement_resumed"]
    assert StateChange.objects.filter(entity="billing.agreement").count() == 2


def test_without_the_consent_it_does_not_go_on() -> None:
    user, own, _mother = family()
    agreement = standing(user, [own], status="PAUSED", agreed=False)
    with pytest.raises(Conflict, match="consent_missing"):
        switched(user, agreement, on=True)
    assert as_was(agreement).status == "PAUSED"


@pytest.mark.parametrize("status", ["SIGNING", "ENDED"])
def test_what_does_not_stand_is_not_switched(status: str) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own], status=status)
    with pytest.raises(Conflict, match="agreement_ended"):
        switched(user, agreement, on=False)


def test_nobody_switches_somebody_elses() -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    with pytest.raises(NotFound):
        switched(payments.user(), agreement, on=False)
    assert as_was(agreement).status == "ACTIVE"


def test_taking_the_consent_back_pauses_every_one_at_once() -> None:
    user, own, mother = family()
    consent(user)
    first, second = standing(user, [own]), standing(user, [mother], plan=payments.plan())
    ended = standing(user, [own], status="ENDED")
    other_user, other, _mother = family()
    others = standing(other_user, [other])
    taken_back(user)
    statuses = [as_was(row).status for row in (first, second, ended, others)]
    assert statuses == ["PAUSED", "PAUSED", "ENDED", "ACTIVE"]
    assert told(user) == ["agreement_paused", "agreement_paused"]
    consent(user)  # a new yes starts nothing by itself
    assert [as_was(row).status for row in (first, second)] == ["PAUSED", "PAUSED"]


def test_signed_after_the_consent_was_taken_back_it_begins_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wallet_of(monkeypatch)
    user, own, _mother = family()
    agreement = begin(user, [own])
    taken_back(user)
    assert notice_told(agreement) == "signed"
    assert (agreement.status, agreement.contract_id) == ("PAUSED", "202600000001")
    assert told(user) == ["agreement_signed", "agreement_paused"]


def test_one_comes_first_and_the_others_keep_their_order() -> None:
    user, own, _mother = family()
    plans = [payments.plan(plan_id=str(number)) for number in range(3)]
    rows = [standing(user, [own], plan=plan, preference=1) for plan in plans]
    agreement_prefer(user=user, agreement_id=rows[2].pk, by=patient_actor(user))
    assert [as_was(row).preference for row in rows] == [2, 3, 1]
    agreement_prefer(user=user, agreement_id=rows[1].pk, by=patient_actor(user))
    assert [as_was(row).preference for row in rows] == [3, 1, 2]
    event = AuditEvent.objects.filter(action="agreement_preferred").latest("pk")
    assert event.detail == {"order": [rows[1].pk, rows[2].pk, rows[0].pk]}


def test_only_an_own_standing_one_comes_first() -> None:
    user, own, _mother = family()
    ended = standing(user, [own], status="ENDED")
    with pytest.raises(Conflict):
        agreement_prefer(user=user, agreement_id=ended.pk, by=patient_actor(user))
    other = payments.user()
    with pytest.raises(NotFound):
        agreement_prefer(user=other, agreement_id=ended.pk, by=patient_actor(other))
