"""What a claim is before anything is said: opened whole or not at all, and what the database
refuses whoever writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotOffered
from core.locking import NotLocked
from core.states import IllegalTransition, transition
from insurance.gateway.claim_values import (
    ChargeLine,
    FundKind,
    FundParts,
    FundRow,
    Scope,
    Settlement,
    Split,
)
from insurance.gateway.visit_values import Scheme
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimLine, ClaimStatus, Coverage
from insurance.selectors import claim_of_bill
from insurance.services.claims import claim_open, claim_release, claims_due
from insurance.services.claims.frozen import (
    line_thawed,
    settlement_frozen,
    settlement_thawed,
)
from insurance.services.claims.persons import coverage_choose
from patients.models import Encounter
from tests.factories import patients
from tests.insurance import factories
from tests.insurance.samples import line

pytestmark = pytest.mark.django_db
CLERK = Actor("staff", "C1", "收费员")


@pytest.fixture
def encounter() -> Encounter:
    place = factories.institution()
    return patients.encounter(campus=place.campus, self_pay=False)


def rows(count: int = 1, **values: Any) -> list[ChargeLine]:
    filled = {"amount_fen": 1_000, "prescription_no": "RX1"}
    return [replace(line(), number=str(n), **filled | values) for n in range(count)]


def opened(encounter: Encounter, ref: int = 1, **values: Any) -> Claim:
    filled: dict[str, Any] = {"lines": rows(), "med_type": "11"}
    return claim_open(invoice_ref=ref, encounter=encounter, by=CLERK, **filled | values)


def raw(statement: str, *values: Any) -> None:
    """What somebody with the database's console would do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_a_claim_freezes_its_lines(encounter: Encounter) -> None:
    claim = opened(encounter, lines=rows(3, quantity=Decimal("0.5"), unit_price=Decimal("20.125")))
    assert (claim.status, claim.amount_fen, claim.route) == ("OPEN", 3_000, "FSI")
    kept = list(ClaimLine.objects.filter(claim=claim).order_by("pk"))
    assert [row.number for row in kept] == [f"{claim.pk}-{n}" for n in (1, 2, 3)]
    given = rows(3, quantity=Decimal("0.5"), unit_price=Decimal("20.125"))[1]
    thawed = line_thawed(kept[1])
    assert thawed == replace(given, number=f"{claim.pk}-2", ordered_at=thawed.ordered_at)
    assert claim_of_bill(1) == claim


@pytest.mark.parametrize("count", [1, 30, 300])
def test_opening_costs_the_same_for_any_number_of_lines(
    encounter: Encounter, count: int, django_assert_num_queries: Any
) -> None:
    lines = rows(count)
    with django_assert_num_queries(4):
        opened(encounter, lines=lines)


def test_a_place_without_a_contract_offers_no_insurance() -> None:
    with pytest.raises(NotOffered):
        opened(patients.encounter())


WRONG: dict[str, dict[str, Any]] = {
    "lines_missing": {"lines": []},
    "lines_twice": {"lines": rows() * 2},
    "line_amount": {"lines": [replace(line(), amount_fen=0)]},
    "line_decimals": {"lines": rows(1, unit_price=Decimal("0.1234567"))},
    "line_disease": {"lines": rows(1, disease_code="M01")},
    "med_type_unknown": {"med_type": "21"},
    "disease_missing": {"med_type": "140104"},
}


@pytest.mark.parametrize("code", WRONG)
def test_a_claim_that_cannot_be_said_is_refused_whole(encounter: Encounter, code: str) -> None:
    with pytest.raises(BadInput, match=code):
        opened(encounter, **WRONG[code])
    assert not Claim.objects.exists() and not ClaimLine.objects.exists()


def test_a_charge_without_a_national_code_is_refused_by_name(encounter: Encounter) -> None:
    with pytest.raises(Conflict, match="no_national_code"):
        opened(encounter, lines=rows(1, national_code="", hospital_code="H9"))
    with pytest.raises(Conflict, match="no_prescription"):
        opened(encounter, lines=rows(1, prescription_no=""))


def test_one_bill_has_one_standing_claim_whoever_writes(encounter: Encounter) -> None:
    first = opened(encounter)
    with pytest.raises(Conflict, match="claim_stands"):
        opened(encounter)
    copy = (
        "INSERT INTO insurance_claim (invoice_ref, batch_no, status, encounter_id, patient_id,"
        " institution_id, route, amount_fen, med_type, disease_code, use_account, mdtrt_id,"
        " settlement_no, reversal_no, code, message, attempt, settle_tries, looks, lines_sent,"
        " releasing, undoing, family_missed, holds_account, opened_by, occurred_at, created_at)"
        " SELECT invoice_ref, %s, %s, encounter_id, patient_id, institution_id, route,"
        " amount_fen, med_type, disease_code, use_account, mdtrt_id, '', '', '', '', 0, 0, 0,"
        " false, false, false, '[]', false, opened_by, occurred_at, created_at FROM insurance_claim"
        " WHERE id = %s"
    )
    with pytest.raises(IntegrityError, match="claim_one_standing_per_bill"):
        raw(copy, "B2", "OPEN", first.pk)
    raw(copy, "B3", "RELEASED", first.pk)
    claim_release(claim_id=first.pk, by=CLERK)
    assert opened(encounter).pk != first.pk


BROKEN = {
    "claim_amount_positive": "amount_fen = 0",
    "claim_priced_adds_up": "priced_fund_fen = 1",
    "claim_settled_adds_up": "settled_fund_fen = 999, settled_own_account_fen = 0,"
    " settled_mutual_aid_fen = 0, settled_hospital_part_fen = 0, settled_cash_fen = 0",
    "claim_settled_is_known": "status = 'SETTLED'",
    "claim_priced_is_known": "status = 'PRICED'",
    "claim_in_doubt_is_due": "status = 'REVERSING', settlement_no = 'S', settled_at = now(),"
    " settled_fund_fen = 1000, settled_own_account_fen = 0, settled_mutual_aid_fen = 0,"
    " settled_hospital_part_fen = 0, settled_cash_fen = 0",
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_database_refuses_what_is_no_claim(encounter: Encounter, name: str) -> None:
    claim = opened(encounter)
    with pytest.raises(IntegrityError, match=name):
        raw(f"UPDATE insurance_claim SET {BROKEN[name]} WHERE id = %s", claim.pk)


def test_the_database_refuses_a_line_whose_parts_are_not_the_line(encounter: Encounter) -> None:
    claim = opened(encounter)
    short = "own_fen = 999, over_limit_fen = 0, first_own_fen = 0, in_scope_fen = 0"
    for values in ("own_fen = 1000", short):
        with pytest.raises(IntegrityError, match="claim_line_adds_up"):
            raw(f"UPDATE insurance_claimline SET {values} WHERE claim_id = %s", claim.pk)


def test_a_claim_moves_only_along_its_table(encounter: Encounter) -> None:
    claim = opened(encounter)
    with pytest.raises(NotLocked):
        transition(claim, ClaimStatus.RELEASED, by=CLERK)
    with transaction.atomic(), pytest.raises(IllegalTransition):
        transition(claim_lock(claim.pk), ClaimStatus.SETTLED, by=CLERK)
    assert set(Claim.TRANSITIONS) | {"REVERSED", "RELEASED"} == set(ClaimStatus.values)


def test_due_claims_are_leased_to_one_worker(encounter: Encounter) -> None:
    claims = [opened(encounter, ref) for ref in (1, 2, 3)]
    Claim.objects.filter(pk__in=[one.pk for one in claims[:2]]).update(due_at=clock.now())
    assert claims_due(limit=1) == [claims[0].pk]
    assert claims_due(limit=10) == [claims[1].pk]
    assert claims_due(limit=10) == []
    with clock.freeze(clock.now() + timedelta(seconds=61)):
        assert claims_due(limit=10) == [claims[0].pk, claims[1].pk]


def test_a_settlement_is_kept_and_read_back_unchanged() -> None:
    said = Settlement(
        settlement_no="S1", mdtrt_id="V1", person_no="P1", total_fen=4_350,
        split=Split(2_452, 500, 0, 0, 1_398), scope=Scope(100, 0, 163, 4_087),
        fund=FundParts(basic_fen=2_452),
        rows=(FundRow("310101", "基本医疗", FundKind.FUND, 2_452, 1_000_000),),
        scheme=Scheme.EMPLOYEE, person_class="1101", med_type="11", deductible_fen=0,
        fund_ratio=Decimal("0.6000"), balance_fen=0, settled_at=clock.now(), sent_as="M1",
    )  # fmt: skip
    frozen = settlement_frozen(said)
    assert "P1" not in str(frozen)
    assert settlement_thawed(frozen, person_no="P1") == said


def coverage(scheme: str, area: str = "330300", state: str = "1") -> Coverage:
    return Coverage(scheme=scheme, insured_area=area, state=state)


@pytest.mark.parametrize(
    ("held", "area", "chosen"),
    [
        ([("390",), ("310",)], "", ("310", "330300")),
        ([("390",), ("310", "330300", "2")], "", ("390", "330300")),
        ([("390",), ("310", "440300")], "330300", ("390", "330300")),
        ([("390",), ("310", "440300")], "440300", ("310", "440300")),
        ([("390",), ("310", "440300")], "110000", ("310", "440300")),
        ([("510",), ("310", "330300", "")], "", None),
        ([], "", None),
    ],
)
def test_the_coverage_is_chosen(held: Any, area: str, chosen: tuple[str, str] | None) -> None:
    found = coverage_choose([coverage(*one) for one in held], area)
    assert (found and (found.scheme, found.insured_area)) == chosen
