"""What may be signed: every refusal has its sentence and leaves nothing behind."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from billing.models import Agreement, AgreementPatient, PaymentInstitution
from billing.services.agreements.signing import agreement_sign_url
from billing.services.agreements.terms import Limits, agreement_limits_set, agreement_people_set
from core import clock
from core.errors import BadInput, Conflict, NotFound, NotOffered, Refusal
from core.models import AuditEvent
from patients.actors import patient_actor
from patients.models import Consent, PatientAccess
from patients.services.access import access_end
from tests.billing.services.agreement_house import (
    as_was,
    begin,
    family,
    narrow_plan,
    standing,
    wallet_of,
)
from tests.factories import payments
from tests.factories.patients import patient

pytestmark = pytest.mark.django_db


def refused(code: str, kind: type[Refusal], field: str, **how: Any) -> None:
    """One form that must be refused, and what it must not leave."""
    user, own, _mother = family()
    people = how.pop("people", [own])
    with pytest.raises(kind) as refusal:
        begin(user, people, **how)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Agreement.objects.exists()
    assert not AgreementPatient.objects.exists()
    assert not Consent.objects.filter(purpose="deduction").exists()


def test_what_was_chosen_is_committed_before_the_payer_is_sent_to_sign() -> None:
    user, own, mother = family()
    agreement = begin(user, [own, mother], limits=Limits(20_000, 100_000))
    assert (agreement.status, agreement.holder) == ("SIGNING", user)
    assert (agreement.own_single_fen, agreement.own_daily_fen) == (20_000, 100_000)
    paid_for = agreement.pays_for.filter(active=True).values_list("patient", flat=True)
    assert sorted(paid_for) == [own.pk, mother.pk]
    consent = Consent.objects.get(user=user, purpose="deduction")
    assert (consent.text_version, consent.withdrawn_at) == ("1", None)


@pytest.mark.parametrize(
    ("limits", "code", "field"),
    [
        (Limits(0, None), "limit_too_small", "single"),
        (Limits(-1, None), "limit_too_small", "single"),
        (Limits(None, 0), "limit_too_small", "daily"),
        (Limits(None, -100), "limit_too_small", "daily"),
        (Limits(50_001, None), "limit_too_large", "single"),
        (Limits(None, 250_001), "limit_too_large", "daily"),
        (Limits(20_001, 20_000), "single_above_daily", "single"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(limits: Limits, code: str, field: str) -> None:
    refused(code, BadInput, field, limits=limits)


@pytest.mark.parametrize("limits", [Limits(50_000, 250_000), Limits(1, 1), Limits(None, 1)])
def test_limits_reach_to_the_fen(limits: Limits) -> None:
    user, own, _mother = family()
    agreement = begin(user, [own], limits=limits)
    assert (agreement.own_single_fen, agreement.own_daily_fen) == (
        limits.single_fen,
        limits.daily_fen,
    )


def test_nobody_chosen_is_refused() -> None:
    refused("nobody_chosen", BadInput, "people", people=[])


def test_a_stranger_is_refused_the_same_as_nobody_at_all() -> None:
    stranger = patient(name="周国强")
    refused("not_payable_for", BadInput, "people", people=[stranger])


def test_one_who_may_only_be_seen_is_refused_with_all_the_others() -> None:
    user, own, mother = family()
    PatientAccess.objects.filter(patient=mother).update(may_pay=False, may_view=True)
    with pytest.raises(BadInput, match="not_payable_for"):
        begin(user, [own, mother])
    assert not Agreement.objects.exists()


def test_without_the_consent_nothing_is_signed() -> None:
    refused("consent_missing", BadInput, "agree", text_hash="")


def test_a_consent_to_other_words_is_none() -> None:
    refused("text_changed", BadInput, "", text_hash="0" * 64)


def test_a_consent_that_stands_is_not_asked_again() -> None:
    user, own, mother = family()
    begin(user, [own])
    begin(user, [mother], plan=narrow_plan("100003"), text_hash="")
    assert Consent.objects.filter(user=user, purpose="deduction").count() == 1
    assert Agreement.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"suspended": True},
        {"agreement_until": date(2026, 11, 19)},
        {"agreement_from": date(2026, 11, 21)},
    ],
    ids=["suspended", "over", "not yet"],
)
def test_an_institution_out_of_term_is_not_offered(change: dict[str, Any]) -> None:
    plan = narrow_plan()
    PaymentInstitution.objects.update(**change)
    refused("not_offered", NotOffered, "", plan=plan)


def test_a_plan_there_is_none_of_is_not_offered() -> None:
    refused("not_offered", NotOffered, "", plan_id=987_654)


def test_a_merchant_that_is_closed_or_has_no_adapter_is_not_offered() -> None:
    closed = payments.plan(payments.merchant("1900000003", active=False))
    refused("not_offered", NotOffered, "", plan=closed)
    cash = payments.plan(payments.merchant("1900000004"), plan_id="900")
    cash.merchant.channel = "cash"
    cash.merchant.save()
    refused("not_offered", NotOffered, "", plan=cash)


def test_the_same_form_twice_is_one_agreement_with_the_last_word() -> None:
    user, own, mother = family()
    first = begin(user, [own], limits=Limits(10_000, None))
    again = begin(user, [mother], limits=Limits(20_000, None))
    assert again.pk == first.pk
    assert again.contract_code == first.contract_code
    assert again.own_single_fen == 20_000
    assert list(again.pays_for.filter(active=True).values_list("patient", flat=True)) == [mother.pk]


def test_a_signing_of_hours_ago_is_left_and_begun_anew(still_clock: clock.FrozenClock) -> None:
    user, own, _mother = family()
    first = begin(user, [own])
    still_clock.advance(timedelta(hours=1))
    again = begin(user, [own])
    assert again.pk != first.pk
    assert (as_was(first).status, first.ended_how) == ("ENDED", "not_signed")


def test_a_plan_signed_already_is_refused() -> None:
    user, own, mother = family()
    standing(user, [own], status="PAUSED")
    with pytest.raises(Conflict, match="signed_already"):
        begin(user, [mother])
    assert Agreement.objects.count() == 1


def test_a_second_one_comes_last() -> None:
    user, own, _mother = family()
    first = standing(user, [own], plan=payments.plan())
    second = begin(user, [own])
    assert (first.preference, second.preference) == (1, 2)


def test_the_signing_page_is_the_channels_and_leads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = wallet_of(monkeypatch)
    user, own, _mother = family()
    agreement = begin(user, [own])
    back = "https://pay.hospital.example/agreements/1/result"
    url = agreement_sign_url(agreement=agreement, return_url=back)
    assert url == f"https://wallet.example/sign?code={agreement.contract_code}"
    assert wallet.asked == [("sign_url", agreement.contract_code, back)]


def test_what_is_signed_or_has_ended_has_no_signing_page(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = wallet_of(monkeypatch)
    user, own, _mother = family()
    with pytest.raises(Conflict, match="not_signing"):
        agreement_sign_url(agreement=standing(user, [own]), return_url="")
    assert wallet.asked == []


def test_a_channel_that_gives_no_page_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = wallet_of(monkeypatch)
    monkeypatch.setattr(wallet, "sign_url", None)
    user, own, _mother = family()
    agreement = begin(user, [own])

    def sign_url(_self: object, _order: object) -> str:
        raise ValueError("a periodic plan needs a period rule")

    monkeypatch.setattr("tests.scripted.ScriptedChannel.sign_url", sign_url, raising=False)
    with pytest.raises(NotOffered, match="not_offered"):
        agreement_sign_url(agreement=agreement, return_url="")


def test_other_limits_are_kept_with_an_audit_row() -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    by = patient_actor(user)
    agreement_limits_set(user=user, agreement_id=agreement.pk, limits=Limits(100, 200), by=by)
    assert (as_was(agreement).own_single_fen, agreement.own_daily_fen) == (100, 200)
    event = AuditEvent.objects.get(action="agreement_limits_changed")
    assert (event.actor, event.subject_id) == (by.key, str(agreement.pk))
    assert event.detail == {"before": [None, None], "after": [100, 200]}
    agreement_limits_set(user=user, agreement_id=agreement.pk, limits=Limits(100, 200), by=by)
    assert AuditEvent.objects.filter(action="agreement_limits_changed").count() == 1


def test_a_limit_above_the_plan_changes_nothing() -> None:
    user, own, _mother = family()
    agreement = standing(user, [own], own_single_fen=100)
    with pytest.raises(BadInput, match="limit_too_large"):
        agreement_limits_set(
            user=user, agreement_id=agreement.pk, limits=Limits(50_001), by=patient_actor(user)
        )
    assert as_was(agreement).own_single_fen == 100


def test_other_people_are_kept_with_an_audit_row() -> None:
    user, own, mother = family()
    agreement = standing(user, [own])
    by = patient_actor(user)
    agreement_people_set(user=user, agreement_id=agreement.pk, patient_ids=[mother.pk], by=by)
    rows = dict(agreement.pays_for.values_list("patient", "active"))
    assert rows == {own.pk: False, mother.pk: True}
    agreement_people_set(user=user, agreement_id=agreement.pk, patient_ids=[own.pk], by=by)
    assert agreement.pays_for.count() == 2
    events = AuditEvent.objects.filter(action="agreement_people_changed").order_by("pk")
    assert [event.detail["after"] for event in events] == [[mother.pk], [own.pk]]


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_people_that_cannot_be_paid_for_change_nothing(who: str) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    wanted = [] if who == "nobody" else [patient().pk]
    with pytest.raises(BadInput):
        agreement_people_set(
            user=user, agreement_id=agreement.pk, patient_ids=wanted, by=patient_actor(user)
        )
    assert agreement.pays_for.get().active


def test_somebody_elses_agreement_is_none_at_all() -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    other = payments.user()
    by = patient_actor(other)
    for act in (
        lambda: agreement_limits_set(
            user=other, agreement_id=agreement.pk, limits=Limits(1, 1), by=by
        ),
        lambda: agreement_people_set(
            user=other, agreement_id=agreement.pk, patient_ids=[own.pk], by=by
        ),
    ):
        with pytest.raises(NotFound):
            act()
    assert as_was(agreement).own_single_fen is None


def test_an_ended_agreement_is_not_changed() -> None:
    user, own, _mother = family()
    agreement = standing(user, [own], status="ENDED")
    with pytest.raises(Conflict, match="agreement_ended"):
        agreement_limits_set(
            user=user, agreement_id=agreement.pk, limits=Limits(1, 1), by=patient_actor(user)
        )


def test_whoever_left_the_family_is_not_paid_for() -> None:
    user, _own, mother = family()
    bill_of = standing(user, [mother])
    access = PatientAccess.objects.get(user=user, patient=mother)
    access_end(user=user, access_id=access.pk, by=patient_actor(user))
    with pytest.raises(BadInput, match="not_payable_for"):
        agreement_people_set(
            user=user,
            agreement_id=bill_of.pk,
            patient_ids=[mother.pk],
            by=patient_actor(user),
        )
