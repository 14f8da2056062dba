"""Filing at the insurer over the wire: filed, refused, silent; asked about, never said twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotOffered, Refusal
from core.models import AuditEvent, StateChange
from insurance.filings import rights_of, ways_of
from insurance.models import Coverage, Entitlement, Filing, Institution, InsuranceMessage
from insurance.services.filings import (
    ChronicWish,
    away_file,
    chronic_file,
    filing_end,
    filing_look,
    rights_ask,
)
from insurance.services.filings.answers import filing_sentence
from insurance.tasks import sweep_filings
from patients.models import Patient
from tests.contracts import nhsa_house
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor("patient", "user-1", "")
NUMBER, NAME, AWAY = patients.id_number(7, region="440300"), "赵敏", "440300"
WAYS = [
    {"way": "long_term", "code": "2", "days": 365},
    {"way": "transfer", "code": "1", "days": 180},
]
TODAY = date(2026, 11, 20)
WISH = ChronicWish("M03900", "高血压", "D330300000001", "李医生", TODAY)


@dataclass
class House:
    sandbox: Sandbox
    place: Institution
    person: Patient

    def enrol(self, **more: Any) -> None:
        given = {"name": NAME, "sex": "female", "birth_date": "1995-12-05", "balance_fen": 0}
        self.sandbox.act("nhsa", "enrol_person", NUMBER, **given | {"insuplc_admdvs": AWAY} | more)

    def file(self, **values: Any) -> Filing:
        return away_file(
            **{"patient": self.person, "way": "long_term", "promised": True, "by": BY} | values
        )

    def chronic(self, **values: Any) -> Filing:
        return chronic_file(
            **{"patient": self.person, "wish": WISH, "promised": True, "by": BY} | values
        )

    def said(self, code: str) -> int:
        return InsuranceMessage.objects.filter(code=code).count()

    def swept(self, seconds: int) -> None:
        """The job comes by then."""
        with clock.freeze(clock.now() + timedelta(seconds=seconds)):
            sweep_filings()

    def fault(self, operation: str, fault: str, times: int = 1) -> str:
        return self.sandbox.fault(operation, fault, "nhsa", times=times)


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    place = nhsa_house.institution(sandbox)
    place.region.filing_ways = WAYS
    place.region.save()
    person = patients.patient(name=NAME, number=NUMBER)
    person.phone = "13900000007"
    person.save()
    made = House(sandbox, place, person)
    made.enrol()
    return made


def test_care_here_is_filed_with_its_term(house: House) -> None:
    row = house.file()
    assert (row.status, row.code, row.insured_area, row.care_area) == (
        "FILED", "2", AWAY, "330300",
    )  # fmt: skip
    assert (row.from_day, row.until_day) == (TODAY, date(2027, 11, 19))
    assert row.filing_no and row.due_at is None
    assert AuditEvent.objects.get(action="insurance_filing_asked").actor == BY.key
    steps = StateChange.objects.filter(entity="insurance.filing").values_list("to_status")
    assert list(steps) == [("FILED",)]
    rights = rights_of(house.person.pk, house.place)
    assert rights.filed is not None and rights.filed.until_day == date(2027, 11, 19)
    assert (rights.home, rights.away, rights.fileable) == ("广东省深圳市", True, False)
    # The number is the very one the insurer lists.
    rights_ask(patient=house.person, place=house.place)
    (told,) = Entitlement.objects.all()
    assert (told.filing_no, told.code, told.care_area) == (row.filing_no, "2", "330300")


def test_what_the_insurer_refuses_is_shown_in_its_words(house: House) -> None:
    house.sandbox.act(
        "nhsa", "file_entitlement", NUMBER, kind="cross_region", code="long_term", region="330300"
    )
    row = house.file()
    assert (row.status, row.filing_no) == ("REFUSED", "")
    assert "不能重复备案" in str(filing_sentence(row))
    # And what it has on file is found by asking.
    rights_ask(patient=house.person, place=house.place)
    assert rights_of(house.person.pk, house.place).filed is not None


@pytest.mark.parametrize("fault", ["drop_after", "http_500_after", "system_error_after"])
def test_a_filing_whose_answer_is_lost_is_found_and_never_said_again(
    house: House, fault: str
) -> None:
    house.fault("filing", fault)
    row = house.file()
    assert (row.status, filing_sentence(row)) == ("ASKED", "")
    with pytest.raises(Conflict) as refused:
        house.file()
    assert refused.value.code == "filing_under_way"
    house.swept(35)
    row.refresh_from_db()
    assert (row.status, bool(row.filing_no)) == ("FILED", True)
    assert (house.said("2501"), house.said("5304")) == (1, 1)
    house.swept(600)
    assert house.said("5304") == 1


@pytest.mark.parametrize("fault", ["drop_before", "http_500_before", "system_error_before"])
def test_a_filing_that_never_arrived_is_not_filed_and_may_be_asked_anew(
    house: House, fault: str
) -> None:
    house.fault("filing", fault)
    row = house.file()
    assert row.status == "ASKED"
    house.swept(35)
    row.refresh_from_db()
    assert (row.status, row.answer_code) == ("REFUSED", "NOT_EXECUTED")
    assert "没有备案" in str(filing_sentence(row))
    assert house.said("2501") == 1
    assert house.file().status == "FILED"
    assert house.said("2501") == 2


def test_a_young_filing_is_not_given_up(house: House) -> None:
    """What is not listed yet may still be on its way."""
    house.fault("filing", "drop_before")
    row = house.file()
    with clock.freeze(clock.now() + timedelta(seconds=5)):
        assert filing_look(filing_id=row.pk).status == "ASKED"
    assert house.said("5304") == 1


def test_while_the_insurer_says_neither_it_stays_open(house: House) -> None:
    house.fault("filing", "drop_after")
    row = house.file()
    standing = house.fault("query", "http_500_before", times=9)
    for seconds in (35, 70):
        house.swept(seconds)
    row.refresh_from_db()
    assert (row.status, row.looks) == ("ASKED", 3)
    house.sandbox.control("DELETE", f"faults/{standing}")
    house.swept(200)
    row.refresh_from_db()
    assert row.status == "FILED" and house.said("2501") == 1


def test_a_line_that_is_down_files_nothing(house: House) -> None:
    house.fault("filing", "refuse_connection")
    row = house.file()
    assert row.status in {"REFUSED", "ASKED"}
    house.swept(35)
    row.refresh_from_db()
    assert row.status == "REFUSED"


@pytest.mark.parametrize("lost", ["", "drop_after", "drop_before"])
def test_a_filing_is_taken_back_once(house: House, lost: str) -> None:
    row = house.file()
    if lost:
        house.fault("filing", lost)
    ended = filing_end(filing_id=row.pk, by=BY)
    assert ended.status == ("ENDING" if lost else "ENDED")
    assert filing_end(filing_id=row.pk, by=BY).status == ended.status
    house.swept(35)
    row.refresh_from_db()
    # What never arrived leaves the filing standing; nothing is said a second time by itself.
    assert row.status == ("FILED" if lost == "drop_before" else "ENDED")
    assert house.said("2502") == 1
    standing = rights_of(house.person.pk, house.place).filed
    assert (standing is None) is (row.status == "ENDED")


def test_only_what_is_filed_is_taken_back(house: House) -> None:
    house.fault("filing", "decline")
    row = house.file()
    assert row.status == "REFUSED"
    with pytest.raises(Conflict):
        filing_end(filing_id=row.pk, by=BY)
    assert house.said("2502") == 0


def test_a_disease_is_filed_by_the_house_and_stands(house: House) -> None:
    row = house.chronic()
    assert (row.status, row.code, row.care_area) == ("FILED", "M03900", "")
    assert rights_of(house.person.pk, house.place).diseases[0].name == "高血压"
    rights_ask(patient=house.person, place=house.place)
    (told,) = Entitlement.objects.all()
    assert (told.kind, told.name, told.filing_no) == ("chronic", "高血压", row.filing_no)
    with pytest.raises(Conflict) as refused:
        house.chronic()
    assert refused.value.code == "filed_already"
    assert filing_end(filing_id=row.pk, by=BY).status == "ENDED"
    assert not Entitlement.objects.exists()


def test_a_lost_disease_is_found_by_its_code(house: House) -> None:
    house.fault("filing", "drop_after")
    row = house.chronic()
    house.swept(35)
    row.refresh_from_db()
    assert (row.status, house.said("2503"), house.said("5301")) == ("FILED", 1, 1)


Change = Callable[[House], object]
REFUSED: dict[str, tuple[Change, dict[str, Any], type[Refusal]]] = {
    "way_unknown": (lambda h: None, {"way": "holiday"}, BadInput),
    "not_promised": (lambda h: None, {"promised": False}, BadInput),
    "no_filing": (lambda h: _region(h, filing_ways=[]), {}, Refusal),
    "no_phone": (lambda h: _person(h, phone=""), {}, Conflict),
    "no_id_number": (lambda h: _person(h, id_number=""), {}, Conflict),
    "not_away": (
        lambda h: (h.enrol(psn_insu_stas="2"), h.enrol(insuplc_admdvs="330300")), {}, Conflict,
    ),
    "not_covered": (lambda h: h.enrol(psn_insu_stas="2"), {}, Conflict),
    "insurer_silent": (lambda h: h.fault("query", "drop_before"), {}, Conflict),
    "insurer_refused": (lambda h: _person(h, name="别人"), {}, Conflict),
}  # fmt: skip


def _region(house: House, **values: Any) -> None:
    for name, value in values.items():
        setattr(house.place.region, name, value)
    house.place.region.save()


def _person(house: House, **values: Any) -> None:
    for name, value in values.items():
        setattr(house.person, name, value)
    house.person.save()


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_filed_is_refused_before_anything_is_said(house: House, code: str) -> None:
    change, values, kind = REFUSED[code]
    change(house)
    with pytest.raises(kind) as refused:
        house.file(**values)
    expected = "way_unknown" if code == "no_filing" else code
    assert refused.value.code == expected and str(refused.value.message)
    assert not Filing.objects.exists() and house.said("2501") == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("disease_code", ""), ("disease_code", "M" * 31), ("disease_name", "高\n血压"),
        ("doctor_code", " "), ("doctor_name", "李" * 101), ("found_on", date(2026, 11, 21)),
    ],
)  # fmt: skip
def test_a_disease_that_no_wire_can_hold_is_refused(
    house: House, field: str, value: object
) -> None:
    told = {name: getattr(WISH, name) for name in WISH.__slots__} | {field: value}
    with pytest.raises(BadInput) as refused:
        house.chronic(wish=ChronicWish(**told))
    assert refused.value.field == field
    assert not Filing.objects.exists() and house.said("2503") == 0


def test_where_it_could_not_be_asked_about_nothing_is_filed(sandbox: Sandbox) -> None:
    place = nhsa_house.institution(sandbox, "path_key")
    place.region.filing_ways = WAYS
    place.region.save()
    person = patients.patient(name=NAME, number=NUMBER)
    with pytest.raises(NotOffered):
        away_file(patient=person, way="long_term", promised=True, by=BY)
    assert not InsuranceMessage.objects.exists()


def test_the_other_gateway_files_as_well(sandbox: Sandbox) -> None:
    place = nhsa_house.institution(sandbox, "path_key")
    place.region.filing_ways = WAYS
    place.region.paths = {
        "2501": "referralService/saveReferral",
        "2502": "referralService/cancelReferral",
        "5304": "referralService/queryReferral",
    }
    place.region.save()
    person = patients.patient(name=NAME, number=NUMBER)
    person.phone = "13900000007"
    person.save()
    house = House(sandbox, place, person)
    house.enrol()
    house.fault("filing", "drop_after")
    row = house.file()
    house.swept(35)
    row.refresh_from_db()
    assert row.status == "FILED"
    assert filing_end(filing_id=row.pk, by=BY).status == "ENDED"


def test_the_database_keeps_one_filing_in_doubt(house: House) -> None:
    house.fault("filing", "drop_after")
    row = house.file()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_way_that_is_none_is_no_way(house: House) -> None:
    house.place.region.filing_ways = [
        *WAYS, {"way": "holiday", "code": "9", "days": 3}, {"way": "transfer", "days": 1}, "x",
        {"way": "emergency", "code": "3", "days": True}, {"way": "transfer", "code": "1"},
    ]  # fmt: skip
    assert [one.way for one in ways_of(house.place.region)] == ["long_term", "transfer"]
    house.place.region.filing_ways = {"way": "transfer"}
    assert ways_of(house.place.region) == ()


def test_coverages_told_no_more_hold_no_more(house: House) -> None:
    rights_ask(patient=house.person, place=house.place)
    assert Coverage.objects.get().active
    house.enrol(psn_insu_stas="2")
    assert rights_ask(patient=house.person, place=house.place) is None
    assert not Coverage.objects.get().active
