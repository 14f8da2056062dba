"""The guardian's account and the child's bill: every condition is asked before each trial, and what
is missed is named to the guardian and costs nobody's account anything."""

from __future__ import annotations

import pytest

from insurance.family import SENTENCES
from insurance.models import Claim, FamilyLink, InsuranceMessage
from insurance.services.claims import PricedState, claim_price, claim_settle
from patients.messages import message_fields
from patients.models import Notification
from tests.contracts.nhsa_claims import House, again
from tests.contracts.nhsa_families import (
    CHANGES,
    ENOUGH,
    NOT_PAID,
    PAID,
    account,
    child_open,
    enrol,
    not_here,
)
from tests.contracts.nhsa_house import DRUG
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    return child_open(sandbox)


def test_all_conditions_hold_and_the_account_pays(house: House) -> None:
    claim = house.priced((DRUG, 10_000))
    assert claim.priced_split == PAID
    assert claim.family_missed == [{"payer": FamilyLink.objects.get().payer_id, "missed": []}]
    assert claim_settle(claim_id=claim.pk).split == PAID
    assert house.book()["mutual_aid"] == 6_675
    assert not Notification.objects.filter(kind="family_account_refused").exists()


@pytest.mark.parametrize("code", CHANGES)
def test_each_condition_is_asked_before_the_trial_and_named_to_the_guardian(
    house: House, code: str
) -> None:
    CHANGES[code](house)
    claim = house.priced((DRUG, 10_000))
    assert claim.priced_split == NOT_PAID
    link = FamilyLink.objects.get()
    assert code in link.refused
    assert claim.family_missed == [{"payer": link.payer_id, "missed": link.refused}]
    told = Notification.objects.get(kind="family_account_refused")
    assert told.patient_id == link.payer_id
    said = message_fields(told.kind, told.facts)
    sentence = str(SENTENCES[code]) % {"limit": "¥5,008.80"}
    assert sentence in said["todo"] and said["name"] == "王*明"
    # The settlement is asked as the trial was: no account of anybody pays.
    assert claim_settle(claim_id=claim.pk).split == NOT_PAID
    assert house.book()["mutual_aid"] == 0


def test_what_only_our_record_says_keeps_the_account_as_well(house: House) -> None:
    not_here(house)
    claim = house.priced((DRUG, 10_000))
    assert (claim.priced_split, claim.holds_account) == (NOT_PAID, True)
    assert FamilyLink.objects.get().refused == ["other_guardian"]


def test_what_is_put_right_pays_at_the_next_trial_and_nobody_is_told_twice(house: House) -> None:
    account(house, 0)
    claim = house.priced((DRUG, 10_000))
    Claim.objects.update(valid_until=claim.priced_at)
    assert claim_price(claim_id=claim.pk).split == NOT_PAID
    assert Notification.objects.filter(kind="family_account_refused").count() == 1
    account(house, ENOUGH)
    Claim.objects.update(valid_until=claim.priced_at)
    assert claim_price(claim_id=claim.pk).split == PAID
    assert again(claim).holds_account is False and FamilyLink.objects.get().refused == []


def test_a_silent_insurer_is_asked_again_before_anything_is_priced(house: House) -> None:
    claim = house.open((DRUG, 10_000))
    house.priced((DRUG, 1_000))  # the visit is registered
    house.fault("query", "drop_before")
    priced = claim_price(claim_id=claim.pk)
    assert (priced.state, priced.code) == (PricedState.UNKNOWN, "not_answered")
    assert claim_price(claim_id=claim.pk).split == PAID


def test_who_has_an_own_account_keeps_it(house: House) -> None:
    account(house, 0)
    enrol(house.sandbox, insutype="310", balance_fen=1_000)
    claim = house.priced((DRUG, 10_000))
    assert (claim.holds_account, claim.uses_account) == (False, True)


def test_without_a_link_nothing_is_asked(house: House) -> None:
    FamilyLink.objects.all().delete()
    house.priced((DRUG, 10_000))
    asked = InsuranceMessage.objects.filter(operation="family_query")
    assert asked.count() == 1  # the one of the tap
