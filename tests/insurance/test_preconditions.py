"""Z4 and C5: codes, prescriptions, doctors and prices before any insurance payment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import SYSTEM
from core.errors import Conflict
from insurance.gateway.claim_values import ChargeLine
from insurance.models import Institution
from insurance.services.catalogue import items_import
from insurance.services.claims import claim_open, claim_warnings
from insurance.services.preconditions import LineFault, lines_check, lines_coded
from tests.factories import patients
from tests.insurance import factories
from tests.insurance.samples import AT, line

CODE = "XJ01CAA040E001010100001"
LIST = f"""hospital_code,name,category,national_code,level,price_limit,valid_from,valid_until
D001,阿莫西林胶囊,09,{CODE},甲,12.5,2026-01-01,
S001,普通门诊诊查费,02,001102000010000,甲,,2026-01-01,
S900,院内自定项目,14,,,,,
"""


@pytest.fixture
def place(db: None) -> Institution:
    found = factories.institution()
    items_import(institution=found, content=LIST.encode(), by=SYSTEM)
    return found


def drug(number: str = "1", **values: Any) -> ChargeLine:
    known = {"name": "阿莫西林胶囊", "national_code": CODE, "prescription_no": "RX1"}
    return line(number, 1_250, **known | values)


def service(number: str = "2", **values: Any) -> ChargeLine:
    known = {"hospital_code": "S001", "name": "普通门诊诊查费", "category": "02"}
    known |= {"national_code": "", "doctor_code": ""}
    return line(number, 1_000, **known | values)


def faults(place: Institution, *lines: ChargeLine) -> dict[str, LineFault]:
    return {one.code: one for one in lines_check(institution=place, lines=lines, at=AT)}


def test_a_right_bill_passes_and_bears_the_catalogue_s_codes(place: Institution) -> None:
    lines = (drug(national_code=""), service())
    assert faults(place, *lines) == {}
    coded = lines_coded(institution=place, lines=lines, at=AT)
    assert [one.national_code for one in coded] == [CODE, "001102000010000"]
    assert [one.amount_fen for one in coded] == [1_250, 1_000]


def test_items_without_a_code_are_refused_with_the_whole_list(place: Institution) -> None:
    own = service("3", hospital_code="S900", name="院内自定项目")
    unknown = service("4", hospital_code="S901", name="从未登记")
    found = faults(
        place, drug(), own, unknown, service("5", hospital_code="S900", name="院内自定项目")
    )
    fault = found.pop("no_national_code")
    assert found == {}
    assert fault.refuses and fault.lines == ("3", "4", "5")
    assert fault.message.count("S900") == 1 and "从未登记 (S901)" in fault.message
    with pytest.raises(Conflict) as refused:
        lines_coded(institution=place, lines=(own, unknown), at=AT)
    assert refused.value.code == "no_national_code" and "S901" in str(refused.value.message)


def test_a_code_outside_its_span_does_not_count(place: Institution) -> None:
    early = AT.replace(year=2025)
    lines = (service(ordered_at=early),)
    assert [one.code for one in lines_check(institution=place, lines=lines, at=early)] == [
        "no_national_code"
    ]


def test_another_code_than_the_catalogue_s_is_refused(place: Institution) -> None:
    assert set(faults(place, drug(national_code="XJ01CAA040E001010100009"))) == {
        "other_national_code"
    }


@pytest.mark.parametrize("category", ["09", "10", "11", "05"])
def test_no_drug_is_paid_without_a_prescription_and_a_known_doctor(
    place: Institution, category: str
) -> None:
    """05 with a drug's code is a drug all the same."""
    found = faults(place, drug(category=category, prescription_no=" ", doctor_code=""))
    assert set(found) == {"no_prescription", "no_doctor_code"}
    assert all(one.lines == ("1",) and "D001" in one.message for one in found.values())


def test_services_need_neither(place: Institution) -> None:
    assert faults(place, service(prescription_no="", doctor_code="")) == {}


@pytest.mark.parametrize("doctor", ["D001", "测试医师", "d440100000001", "D44010000000X"])
def test_a_local_code_is_no_doctor_of_the_insurer_s(place: Institution, doctor: str) -> None:
    assert set(faults(place, drug(doctor_code=doctor))) == {"no_doctor_code"}


def test_the_order_comes_before_the_charge(place: Institution) -> None:
    assert faults(place, drug(ordered_at=AT + timedelta(minutes=5))) == {}
    assert set(faults(place, drug(ordered_at=AT + timedelta(minutes=6)))) == {"ordered_ahead"}


def test_a_price_over_the_limit_is_named_and_refuses_nothing(place: Institution) -> None:
    found = faults(place, drug(unit_price=Decimal("12.500001")))
    assert set(found) == {"over_price_limit"}
    fault = found["over_price_limit"]
    assert not fault.refuses and "¥12.500001 > ¥12.50" in fault.message
    assert lines_coded(institution=place, lines=(drug(unit_price=Decimal(13)),), at=AT)
    assert faults(place, drug(unit_price=Decimal("12.5"))) == {}


def test_who_issues_the_bill_is_told_what_is_over_the_limit(place: Institution) -> None:
    # given a claim of one drug within its limit and one above it
    lines = [drug("1"), drug("2", unit_price=Decimal(13))]
    visit = patients.encounter(campus=place.campus, self_pay=False)
    claim = claim_open(invoice_ref=1, encounter=visit, lines=lines, med_type="11", by=SYSTEM)
    # then one sentence names the second, in five statements
    with CaptureQueriesContext(connection) as seen:
        (told,) = claim_warnings(claim_id=claim.pk)
    assert "¥13.00 > ¥12.50" in told and len(seen) == 5
    within = claim_open(invoice_ref=2, encounter=visit, lines=[drug()], med_type="11", by=SYSTEM)
    assert claim_warnings(claim_id=within.pk) == []


def test_one_statement_for_any_number_of_lines(place: Institution) -> None:
    lines = [drug(str(n)) for n in range(30)] + [service(str(n)) for n in range(30, 60)]
    for some in (lines[:1], lines):
        with CaptureQueriesContext(connection) as seen:
            lines_check(institution=place, lines=some, at=AT)
        assert len(seen) == 1


def test_a_long_list_is_cut_and_counted(place: Institution) -> None:
    many = [service(str(n), hospital_code=f"U{n}", name="无码") for n in range(23)]
    message = faults(place, *many)["no_national_code"].message
    assert "U19" in message and "U20" not in message and "3" in message


def test_another_institution_has_its_own_codes(place: Institution) -> None:
    """A pharmacy under its own code is asked for its own list."""
    other = Institution(pk=place.pk + 1)
    assert set(faults(other, service())) == {"no_national_code"}
