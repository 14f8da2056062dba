"""Nothing is deducted without the holder's yes to the words of today."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from billing.channels.base import Operation
from billing.models import Agreement, Invoice
from billing.selectors.agreements import wallets_standing
from billing.services.agreements.pauses import agreement_switch
from billing.services.agreements.sweeps import agreement_look
from billing.services.invoice_drive import invoice_drive
from core.errors import Conflict
from core.models import User
from patients.actors import patient_actor
from patients.messages import message_fields
from patients.models import Consent, Notification, Patient
from patients.services.consents import consent_give, consent_withdraw
from tests import scripted
from tests.billing import portal_house
from tests.billing.services.agreement_house import (
    STANDS,
    as_was,
    begin,
    family,
    standing,
    told,
    wallet_of,
)
from tests.billing.services.bills import driven
from tests.billing.services.test_agreements import told as notice_told
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter
from tests.factories.texts import new_text

pytestmark = pytest.mark.django_db


def bill(of: Patient, amount_fen: int = 8_640) -> Invoice:
    made = invoice(amount_fen, of=encounter(of=of))
    payments.collect(made)
    return driven(made)


def taken_back(user: User, purpose: str) -> None:
    consent_withdraw(user=user, purpose=purpose, by=patient_actor(user))


def test_without_the_holders_yes_the_bill_falls_to_the_pay_link() -> None:
    user, own, _mother = family()
    standing(user, [own], agreed=False)
    assert bill(own).status == "ISSUED"
    assert scripted.calls(Operation.CAPTURE) == []
    payments.agrees(user)
    assert bill(own).status == "PAID"


def test_nothing_is_signed_without_the_yes_to_use_personal_data() -> None:
    """The service refuses, whoever calls it; the page's own door is not what protects."""
    user, own, _mother = family()
    taken_back(user, "privacy")
    with pytest.raises(Conflict) as refused:
        begin(user, [own])
    assert refused.value.code == "privacy_missing"
    assert not Agreement.objects.exists()
    assert not Consent.objects.filter(user=user, purpose="deduction").exists()


def test_a_yes_to_older_words_deducts_nothing_until_the_new_ones_are_read() -> None:
    # given an agreement that deducts
    user, own, _mother = family()
    agreement = standing(user, [own])
    assert bill(own).status == "PAID"
    # when the text on deductions changes
    with new_text("deduction") as version:
        # then it is skipped as if paused, and its holder is told once, whatever else comes
        assert [bill(own).status, bill(own).status] == ["ISSUED", "ISSUED"]
        assert as_was(agreement).status == "ACTIVE"
        assert told(user).count("agreement_text_changed") == 1
        row = Notification.objects.get(kind="agreement_text_changed")
        assert row.key == f"agreement_text_changed/{user.pk}/{version}"
        assert "同意" in message_fields(row.kind, row.facts)["todo"]
        # and it goes on with the yes to the new words, without a switch
        consent_give(user=user, purpose="deduction", by=patient_actor(user))
        assert bill(own).status == "PAID"


def test_only_whose_agreement_would_have_paid_is_told() -> None:
    user, own, mother = family()
    standing(user, [mother])
    standing(user, [own], plan=payments.plan(), status="PAUSED")
    with new_text("deduction"):
        assert bill(own).status == "ISSUED"
        assert told(user).count("agreement_text_changed") == 0


def test_another_payer_who_agreed_pays_in_their_place() -> None:
    user, own, _mother = family()
    standing(user, [own], preference=1)
    with new_text("deduction"):
        other = payments.agreement(own, relation="child", preference=2)
        paid = bill(own)
        assert paid.status == "PAID"
        assert paid.payments.get().agreement == other


def test_a_new_text_shows_on_the_pages_as_a_pause_that_reading_ends() -> None:
    user, own, _mother = portal_house.family()
    agreement = standing(user, [own])
    phone = portal_house.signed_in(user)
    assert wallets_standing(user)[1]
    with new_text("deduction"):
        page = phone.get("/agreements").content.decode()
        assert "请阅读新的说明" in page
        assert "/consents/deduction?next=/agreements" in page
        assert "已暂停" in page
        assert not wallets_standing(user)[1]
        switch = phone.post(f"/agreements/{agreement.pk}/switch", {"on": "yes"})
        assert switch["Location"].startswith("/consents/deduction")
        with pytest.raises(Conflict, match="consent_missing"):
            agreement_switch(user=user, agreement_id=agreement.pk, on=True, by=patient_actor(user))


@pytest.mark.django_db(transaction=True)
def test_a_deduction_that_waited_for_the_consent_to_be_taken_back_is_not_made() -> None:
    # given a bill, and the yes being taken back without anybody pausing the agreement
    user, own, _mother = family()
    agreement = standing(user, [own])
    made = invoice(8_640, of=encounter(of=own))
    payments.collect(made)

    def drive() -> None:
        invoice_drive(invoice_id=made.pk)
        connections.close_all()

    driver = threading.Thread(target=drive)
    with transaction.atomic():
        Agreement.objects.select_for_update().get(pk=agreement.pk)
        Consent.objects.filter(user=user, purpose="deduction").delete()
        driver.start()
        driver.join(1)
        assert driver.is_alive()
    driver.join(10)
    # then nothing was asked of the wallet
    assert scripted.calls(Operation.CAPTURE) == []
    made.refresh_from_db()
    assert made.status == "ISSUED"


def test_who_has_no_bill_hears_of_new_words_at_the_daily_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wallet = wallet_of(monkeypatch)
    user, own, _mother = family()
    agreement = standing(user, [own], payer_id="oHolder", contract_id="202600000001")
    with new_text("deduction"):
        for _day in range(2):
            wallet.queries.append(STANDS)
            agreement_look(agreement_id=agreement.pk)
    assert told(user) == ["agreement_text_changed"]


def test_without_the_consent_to_use_data_nothing_is_deducted_and_all_can_be_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given two agreements, and the first consent of all taken back on its page
    wallet_of(monkeypatch)
    user, own, mother = portal_house.family()
    first = standing(user, [own])
    second = standing(user, [mother], plan=payments.plan())
    phone = portal_house.signed_in(user)
    assert phone.post("/consents/privacy", {"answer": "withdraw"})["Location"] == (
        "/consents/refused"
    )
    # then both are paused, and a bill falls to the pay link
    assert [as_was(row).status for row in (first, second)] == ["PAUSED", "PAUSED"]
    assert bill(own).status == "ISSUED"
    # and the pages that take back or end stay open, the others ask first
    for page in ("/consents", "/consents/deduction", "/agreements", f"/agreements/{first.pk}"):
        assert phone.get(page).status_code == 200, page
    for page in ("/", "/agreements/new", f"/agreements/{first.pk}/limits"):
        assert phone.get(page)["Location"].startswith("/consents/first"), page
    # and going on asks for the consent, while ending asks for nothing
    goes_on = phone.post(f"/agreements/{first.pk}/switch", {"on": "yes"})
    assert goes_on["Location"] == "/consents/first?next=/agreements"
    assert phone.post(f"/agreements/{second.pk}/end").status_code == 303
    assert [as_was(row).status for row in (first, second)] == ["PAUSED", "ENDED"]


def test_signed_after_the_first_consent_was_taken_back_it_begins_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wallet_of(monkeypatch)
    user, own, _mother = family()
    agreement = begin(user, [own])
    taken_back(user, "privacy")
    assert notice_told(agreement) == "signed"
    assert as_was(agreement).status == "PAUSED"
