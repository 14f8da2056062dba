"""Who is insured and how: chronic care, a child, another region, the HIS's visit, a new day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core import clock
from core.outcomes import Outcome
from insurance.gateway.claim_values import Split
from insurance.gateway.nhsa.visits import register
from insurance.gateway.visit_values import Scheme, Visit
from insurance.models import Claim, ClaimLine, InsuranceRegion, InsuranceSession, InsuredVisit
from insurance.selectors import institution_of
from insurance.services.claims import (
    PricedState,
    claim_price,
    claim_release,
    claim_reverse,
    claim_settle,
)
from insurance.services.credentials import credential_of, credentials_forget
from insurance.services.exchange import message_send
from patients.models import Encounter, EncounterStatus
from tests.contracts.nhsa_claims import (
    CART_SPLIT,
    CLERK,
    DIAGNOSES,
    House,
    again,
    charge,
    fund,
    house_open,
)
from tests.contracts.nhsa_house import DRUG, SERVICE
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db
CHILD, CHILD_NAME = "330300201803150029", "王小明"


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    return house_open(sandbox)


def test_a_chronic_disease_pays_once_it_is_filed(house: House) -> None:
    claim = house.open((DRUG, 10_000), med_type="140104", disease_code="M03900")
    priced = claim_price(claim_id=claim.pk)
    assert (priced.state, priced.code) == (PricedState.NOT_COVERED, "no_benefit")
    assert "未备案" in str(priced.sentence) and "2201" not in house.calls()
    house.sandbox.act(
        "nhsa", "file_entitlement", house.psn_no, kind="chronic", code="M03900", name="高血压"
    )
    priced = claim_price(claim_id=claim.pk)
    # 95.00 in scope at 0.85, no deductible; 5.00 on the account.
    assert priced.split == Split(8_075, 500, 0, 0, 1_425)
    assert claim_settle(claim_id=claim.pk).split == priced.split


def test_two_kinds_of_care_in_one_visit_are_two_registrations(house: House) -> None:
    house.sandbox.act(
        "nhsa", "file_entitlement", house.psn_no, kind="chronic", code="M03900", name="高血压"
    )
    plain = house.priced()
    assert claim_settle(claim_id=plain.pk).split == CART_SPLIT
    chronic = house.priced((DRUG, 10_000), med_type="140104", disease_code="M03900")
    assert chronic.mdtrt_id != plain.mdtrt_id
    assert claim_settle(claim_id=chronic.pk).split == Split(8_075, 0, 0, 0, 1_925)


def family(sandbox: Sandbox, guardian_fen: int) -> House:
    """A child whose guardian's account may pay, at the desk."""
    house = house_open(sandbox, balance_fen=guardian_fen)
    shown = sandbox.act(
        "nhsa", "enrol_person", CHILD, name=CHILD_NAME, sex="male", birth_date="2018-03-15",
        insutype="390", enrolled_by=house.psn_no, card_valid=True,
    )  # fmt: skip
    child_no = str(shown["baseinfo"]["psn_no"])
    sandbox.act("nhsa", "set_used", child_no, insutype="390", deductible_fen=20_000)
    sandbox.act(
        "nhsa", "link_family", house.psn_no, member=child_no, relation="child",
        card_linked=True, family_account=True,
    )  # fmt: skip
    child = patients.patient(number=CHILD, name=CHILD_NAME, birth_date=date(2018, 3, 15))
    encounter = patients.encounter(
        of=child, campus=house.encounter.campus, self_pay=False, diagnoses=DIAGNOSES,
        doctor_national_code="D330300000001",
    )  # fmt: skip
    at_desk = House(sandbox, child_no, encounter, bills=10)
    at_desk.show_code()
    return at_desk


def test_a_childs_bill_is_paid_by_the_guardians_account(sandbox: Sandbox) -> None:
    house = family(sandbox, guardian_fen=500_881)
    claim = house.priced((DRUG, 10_000))
    # 95.00 in scope at 0.35; the rest from the guardian's account, nothing in cash.
    assert claim.priced_split == Split(3_325, 0, 6_675, 0, 0)
    assert claim_settle(claim_id=claim.pk).split == claim.priced_split
    book = house.book()
    assert (book["fund"], book["own_account"], book["mutual_aid"]) == (3_325, 0, 6_675)
    claim_reverse(claim_id=claim.pk, reason="退药", by=CLERK)
    assert (house.book()["fund"], house.book()["mutual_aid"]) == (0, 0)


def test_a_guardian_at_the_threshold_pays_nothing(sandbox: Sandbox) -> None:
    house = family(sandbox, guardian_fen=500_880)
    claim = house.priced((DRUG, 10_000))
    assert claim.priced_split == Split(3_325, 0, 0, 0, 6_675)


def test_an_account_is_left_alone_when_the_patient_says_so(house: House) -> None:
    claim = house.priced(use_account=False)
    assert claim.priced_split == Split(2_452, 0, 0, 0, 1_898)
    assert claim_settle(claim_id=claim.pk).split == claim.priced_split
    assert fund(house) == (2_452, 0)


def test_care_away_from_home_is_paid_by_the_place_of_insurance(sandbox: Sandbox) -> None:
    house = house_open(sandbox, balance_fen=0, insuplc_admdvs="440300")
    claim = house.priced((DRUG, 10_000))
    assert claim.coverage is not None and claim.coverage.insured_area == "440300"
    # Shenzhen's 0.55, unfiled at 0.70 of it: 0.385 of 95.00, half up.
    assert claim.priced_split == Split(3_658, 0, 0, 0, 6_342)
    assert claim_settle(claim_id=claim.pk).split == claim.priced_split
    assert claim_reverse(claim_id=claim.pk, reason="", by=CLERK).outcome is Outcome.SUCCEEDED


def test_a_visit_the_his_registered_is_continued_and_never_taken_back(house: House) -> None:
    proof = credential_of(house.encounter)
    assert proof is not None
    visit = Visit(
        person_no=house.psn_no, credential=proof, scheme=Scheme.EMPLOYEE, visit_no="HIS1",
        begun_at=clock.now(), doctor_code="D330300000001", doctor_name="李医生",
        department_code="A03", department_name="内科", department_kind="A03", med_type="11",
        insured_area="330300",
    )  # fmt: skip
    mdtrt_id = message_send(
        institution=institution_of(house.encounter.campus_id), call=register(visit), subject="his"
    ).known
    claim = house.priced(mdtrt_id=mdtrt_id)
    assert (claim.mdtrt_id, house.calls().count("2201")) == (mdtrt_id, 1)
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT
    second = house.priced((SERVICE, 1_000), mdtrt_id=mdtrt_id)
    assert claim_release(claim_id=second.pk, by=CLERK).outcome is Outcome.SUCCEEDED
    assert house.calls()[-1] == "2205" and InsuredVisit.objects.get().by_his


def test_a_visit_number_the_insurer_does_not_know_is_refused(house: House) -> None:
    claim = house.open(mdtrt_id="NOBODYS")
    priced = claim_price(claim_id=claim.pk)
    assert priced.state is PricedState.REFUSED and "2201" not in house.calls()
    assert claim_release(claim_id=claim.pk, by=CLERK).outcome is Outcome.SUCCEEDED


def test_a_proof_that_has_run_out_is_replaced_and_the_lines_move(house: House) -> None:
    claim = house.priced()
    first = claim.visit_id
    yesterday = clock.now() - timedelta(seconds=1)
    InsuredVisit.objects.update(expires_at=yesterday)
    Claim.objects.filter(pk=claim.pk).update(valid_until=yesterday)
    credentials_forget()
    settled = claim_settle(claim_id=claim.pk)
    assert (settled.outcome, settled.code, settled.status) == (
        Outcome.DECLINED, "NO_CREDENTIAL", "OPEN",
    )  # fmt: skip
    house.show_code()
    before = len(house.calls())
    assert claim_price(claim_id=claim.pk).split == CART_SPLIT
    assert house.calls()[before:] == ["2205", "1101", "2201", "2203A", "2204", "2206"]
    assert again(claim).visit_id != first
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT


def test_a_proof_outlives_the_visit_only_while_a_bill_of_it_waits(house: House) -> None:
    claim = house.priced()
    Encounter.objects.update(status=EncounterStatus.CLOSED)
    credentials_forget()
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT
    credentials_forget()
    visit = InsuredVisit.objects.get()
    assert (visit.held, visit.number) == (False, "")
    # What is settled can be given back without it.
    assert claim_reverse(claim_id=claim.pk, reason="", by=CLERK).outcome is Outcome.SUCCEEDED


def test_a_sign_in_the_platform_forgot_is_renewed(house: House) -> None:
    claim = house.priced()
    InsuranceSession.objects.update(sign_no="VOID")
    Claim.objects.filter(pk=claim.pk).update(valid_until=clock.now())
    assert claim_price(claim_id=claim.pk).split == CART_SPLIT
    assert house.calls()[-3:] == ["2206", "9001", "2206"]
    assert InsuranceSession.objects.get().sign_no != "VOID"


def test_lines_go_in_batches_and_a_lost_batch_is_taken_away_first(house: House) -> None:
    InsuranceRegion.objects.update(lines_per_call=2)
    rows = [charge(str(n), SERVICE, 1_000, "10") for n in range(5)]
    claim = house.open(lines=rows)
    house.sandbox.fault("upload", "drop_after", "nhsa", times=1)
    assert claim_price(claim_id=claim.pk).state is PricedState.UNKNOWN
    before = len(house.calls())
    assert claim_price(claim_id=claim.pk).split == Split(3_000, 500, 0, 0, 1_500)
    assert house.calls()[before:] == ["2205", "2204", "2204", "2204", "2206"]
    assert ClaimLine.objects.filter(claim=claim, in_scope_fen=1_000).count() == 5


@pytest.mark.parametrize(("fault", "registrations"), [("drop_after", 1), ("drop_before", 2)])
def test_a_registration_whose_answer_is_lost_is_looked_for(
    house: House, fault: str, registrations: int
) -> None:
    claim = house.open()
    house.fault("register", fault)
    assert claim_price(claim_id=claim.pk).state is PricedState.UNKNOWN
    # 5201 finds it by the hospital's number; only what is not there is said anew.
    assert claim_price(claim_id=claim.pk).split == CART_SPLIT
    assert (house.calls().count("5201"), house.calls().count("2201")) == (1, registrations)
    assert claim_settle(claim_id=claim.pk).split == CART_SPLIT
