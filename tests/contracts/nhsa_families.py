"""A child whose guardian has filed the family account, and everything that can keep it from
paying."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from core.actors import Actor
from insurance.gateway.claim_values import Split
from insurance.models import FamilyRule
from insurance.services.family import family_account_link
from patients.models import Patient
from tests.contracts.nhsa_claims import ADULT, DIAGNOSES, NAME, House, house_open
from tests.factories import patients, payments
from tests.fixtures.sandbox_process import Sandbox

CHILD, CHILD_NAME, OTHER = "330300201803150029", "王小明", patients.id_number(7, region="330326")
ENOUGH = 500_881
PAID = Split(3_325, 0, 6_675, 0, 0)
NOT_PAID = Split(3_325, 0, 0, 0, 6_675)


def child_open(sandbox: Sandbox) -> House:
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


CHANGES: dict[str, Callable[[House], None]] = {
    "card_invalid": lambda h: enrol(h.sandbox, card_valid=False),
    "card_not_linked": unlinked,
    "no_family_account": lambda h: h.sandbox.act("nhsa", "unlink_family", ADULT, member=CHILD),
    "other_guardian": other_guardian,
    "balance_not_above": lambda h: account(h, ENOUGH - 1),
}
