"""The guardian's account and the child's bill: every condition is asked before each trial, and what
is missed is named to the guardian and costs nobody's account anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from core.actors import Actor
from insurance.family import SENTENCES
from insurance.gateway.claim_values import Split
from insurance.models import Claim, FamilyLink, FamilyRule, InsuranceMessage
from insurance.services.claims import PricedState, claim_price, claim_settle
from insurance.services.family import family_account_link
from patients.messages import message_fields
from patients.models import Notification, Patient
from tests.contracts.nhsa_claims import ADULT, DIAGNOSES, NAME, House, again, house_open
from tests.contracts.nhsa_house import DRUG
from tests.factories import patients, payments
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db
CHILD, CHILD_NAME, OTHER = "330300201803150029", "王小明", patients.id_number(7, region="330326")
ENOUGH = 500_881
PAID = Split(3_325, 0, 6_675, 0, 0)
NOT_PAID = Split(3_325, 0, 0, 0, 6_675)


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    """A child at the desk whose guardian has filed the family account by a tap here."""
    guardian = house_open(sandbox, balance_fen=ENOUGH)
    place = guardian.encounter.campus.institution
    place.region.family_accounts = True
    place.region.save()
    FamilyRule.objects.create(
        region=place.region, valid_from=date(2018, 1, 1), child_threshold_fen=ENOUGH - 1,
        relations=["child", "spouse"], basis="上年度平均工资的5%",
    )  # fmt: skip
    payer = guardian.encounter.patient
    payments.access(payer, payments.user())
    child = patients.patient(
        number=CHILD, name=CHILD_NAME, birth_date=date(2018, 3, 15), guardian=payer
    )
    enrol(sandbox)
    encounter = patients.encounter(
        of=child, campus=guardian.encounter.campus, self_pay=False, diagnoses=DIAGNOSES,
        doctor_national_code="D330300000001",
    )  # fmt: skip
    family_account_link(
        payer=payer, member=child, relation="child", by=Actor("patient", "user-1", "")
    )
    sandbox.act("nhsa", "set_used", CHILD, insutype="390", deductible_fen=20_000)
    desk = House(sandbox, CHILD, encounter, bills=10)
    desk.show_code()
    return desk


def enrol(sandbox: Sandbox, **more: object) -> None:
    given = {
        "insutype": "390",
        "enrolled_by": ADULT,
        "card_no": "C0000029",
        "card_valid": True,
    } | more
    sandbox.act(
        "nhsa", "enrol_person", CHILD, name=CHILD_NAME, sex="male", birth_date="2018-03-15",
        **given,
    )  # fmt: skip


def account(house: House, fen: int, **more: object) -> None:
    house.sandbox.act(
        "nhsa", "enrol_person", ADULT, name=NAME, sex="female", birth_date="1982-06-18",
        balance_fen=fen, **more,
    )  # fmt: skip


def other_guardian(house: House) -> None:
    given = {"name": "别人", "sex": "male", "birth_date": "1980-01-01"}
    house.sandbox.act("nhsa", "enrol_person", OTHER, **given)
    enrol(house.sandbox, enrolled_by=OTHER)


def unlinked(house: House) -> None:
    house.sandbox.act(
        "nhsa", "link_family", ADULT, member=CHILD, relation="child", card_linked=False
    )


def not_here(_house: House) -> None:
    Patient.objects.filter(name=CHILD_NAME).update(guardian=None)


def test_all_conditions_hold_and_the_account_pays(house: House) -> None:
    claim = house.priced((DRUG, 10_000))
    assert claim.priced_split == PAID
    assert claim.family_missed == [{"payer": FamilyLink.objects.get().payer_id, "missed": []}]
    assert claim_settle(claim_id=claim.pk).split == PAID
    assert house.book()["mutual_aid"] == 6_675
    assert not Notification.objects.filter(kind="family_account_refused").exists()


CHANGES: dict[str, Callable[[House], None]] = {
    "card_invalid": lambda h: enrol(h.sandbox, card_valid=False),
    "card_not_linked": unlinked,
    "no_family_account": lambda h: h.sandbox.act("nhsa", "unlink_family", ADULT, member=CHILD),
    "other_guardian": other_guardian,
    "balance_not_above": lambda h: account(h, ENOUGH - 1),
}


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
