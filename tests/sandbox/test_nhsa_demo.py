from __future__ import annotations

import pytest
from django.conf import LazySettings

from config.demo.insured import INSURED, person_insure
from config.demo.people import PEOPLE, id_number
from tests.fixtures.sandbox_process import Sandbox


def insure_everybody() -> dict[str, bool]:
    known = {person.mrn: id_number(person, at) for at, person in enumerate(PEOPLE, start=1)}
    return {
        person.mrn: person_insure(
            person.mrn,
            id_no=known[person.mrn],
            name=person.name,
            sex=person.sex,
            born=person.born,
            phone="13900000001",
            known=known,
        )
        for person in PEOPLE
    }


def test_the_demos_insured_people_are_there_once(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.SANDBOX_URL = sandbox.url
    first = insure_everybody()
    assert {mrn for mrn, insured in first.items() if insured} == set(INSURED)
    numbers = {person.mrn: id_number(person, at) for at, person in enumerate(PEOPLE, start=1)}
    mother = sandbox.act("nhsa", "show_person", numbers["P0003"])
    assert sorted(one["relation"] for one in mother["pays_for"]) == ["child", "spouse"]
    child = numbers["P0016"]
    told = sandbox.act("nhsa", "link_family", numbers["P0003"], member=child, relation="child")
    assert told["refused"] == []
    sandbox.act("nhsa", "set_coverage", numbers["P0003"], balance_fen=1)
    insure_everybody()
    kept = sandbox.act("nhsa", "show_person", numbers["P0003"])["insuinfo"][0]
    assert kept["balc"] == 0.01


@pytest.mark.parametrize("mrn", sorted(INSURED))
def test_whose_account_may_pay_is_loaded_before(mrn: str) -> None:
    order = [person.mrn for person in PEOPLE]
    needed = {payer for payer, _ in INSURED[mrn].paid_by} | {INSURED[mrn].enrolled_by} - {""}
    assert all(order.index(one) < order.index(mrn) for one in needed)
