"""The visit code: who may show one, what it resolves to, and for how long."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from patients.card_codes import GRACE, LENGTH, LIFETIME, card_code_new, card_code_read
from patients.models import PatientAccess, Relation
from patients.selectors import card_code_resolve
from patients.selectors.cards import card_people
from tests.patients.binding_house import Phone, adult, bound, person, phone

__all__ = ["phone"]


@pytest.mark.django_db
def test_a_code_resolves_to_its_person_until_it_ends(still_clock: clock.FrozenClock) -> None:
    own = person()
    code = card_code_new(own.pk)
    assert (len(code), code) == (LENGTH, code.upper())
    for typed in (code, code.lower(), f" {code}\r\n"):
        assert card_code_resolve(typed) == own
    still_clock.advance(LIFETIME + GRACE - timedelta(seconds=1))
    assert card_code_resolve(code) == own
    still_clock.advance(timedelta(seconds=1))
    assert card_code_resolve(code) is None


@pytest.mark.django_db
def test_no_other_text_resolves_or_costs_a_statement() -> None:
    code = card_code_new(person().pk)
    flipped = [code[:n] + ("A" if code[n] != "A" else "B") + code[n + 1 :] for n in range(LENGTH)]
    others = ["", "HC1", "110101199001010010", "HC1" + "1" * 32, "HC1" + "中" * 32, code + "A"]
    with CaptureQueriesContext(connection) as asked:
        assert [text for text in flipped + others if card_code_resolve(text)] == []
    assert len(asked) == 0


def test_codes_of_two_instants_differ_and_hold_large_numbers(
    still_clock: clock.FrozenClock,
) -> None:
    first = card_code_new(2**47)
    still_clock.advance(timedelta(seconds=1))
    assert card_code_new(2**47) != first
    assert card_code_read(first) == 2**47


@pytest.mark.django_db
def test_the_right_to_pay_alone_shows_no_code(phone: Phone) -> None:
    user, own = adult(phone)
    father = bound(phone, user, person("陈国"), Relation.PARENT)
    child = person("陈安", date(2018, 5, 6), guardian=own)
    teen = person("陈宁", date(2011, 5, 6), guardian=own)
    bound(phone, user, child, Relation.CHILD)
    bound(phone, user, teen, Relation.CHILD)
    assert [one.patient for one in card_people(user)] == [own, child]
    PatientAccess.objects.filter(pk=father.pk).update(may_view=True)
    assert [one.patient for one in card_people(user)] == [own, father.patient, child]
