"""Limits of wishes and guesses; two at once for one place or one person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, connections

from core import clock
from core.errors import Conflict, Refusal
from patients.models import Binding, Patient, PatientAccess, Relation
from patients.selectors import access_of, binding_limits, family_places
from patients.services import binding_sends
from patients.services.binding_sends import binding_code_send
from patients.services.bindings import BindingWanted, binding_begin
from tests.factories.accounts import patient_user
from tests.factories.patients import id_number
from tests.patients.binding_house import (
    Phone,
    adult,
    begun,
    bound,
    confirm,
    person,
    phone,
    wanted,
)

__all__ = ["phone"]


def guess(row: Binding, times: int = 1) -> list[str]:
    """Codes that are wrong whatever was sent: seven digits."""
    said = []
    for _ in range(times):
        with pytest.raises(Refusal) as caught:
            confirm(row, "0000000")
        said.append(caught.value.code)
    return said


@pytest.mark.django_db
def test_one_user_guesses_ten_times_a_day(phone: Phone, still_clock: clock.FrozenClock) -> None:
    user = patient_user()
    for n in range(2):
        guess(begun(user, person(f"人{n}")), 5)
    row = begun(user, person())
    with pytest.raises(Conflict, match="too_many_tries"):
        confirm(row, phone.code)  # the right one
    still_clock.advance(timedelta(days=1, seconds=1))
    assert bound(phone, user, person()).may_view


@pytest.mark.django_db
def test_one_target_is_guessed_thirty_times_a_day_by_all_together(phone: Phone) -> None:
    known, unknown = wanted(person()), BindingWanted(Relation.SELF, "无", id_number=id_number(66))
    for told in (known, unknown):
        for _ in range(6):
            guess(binding_begin(user=patient_user(), wanted=told, address=""), 5)
        last = binding_begin(user=patient_user(), wanted=told, address="")
        assert guess(last) == ["too_many_tries"]


@pytest.mark.django_db
def test_one_address_guesses_and_wishes_so_often(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding_limits, "TRIES_PER_ADDRESS", 2)
    first, second = begun(patient_user(), person()), begun(patient_user(), person())
    guess(first, 2)
    assert guess(second) == ["too_many_tries"]
    monkeypatch.setattr(binding_limits, "WISHES_PER_ADDRESS", 2)
    with pytest.raises(Conflict, match="too_many_tries"):
        begun(patient_user(), person())


@pytest.mark.django_db
def test_one_user_wishes_ten_times_a_day_and_all_together_thirty_times_for_one_target(
    phone: Phone,
) -> None:
    own = person()
    for user in (patient_user() for _ in range(3)):
        for _ in range(10):
            begun(user, own)
        with pytest.raises(Conflict, match="too_many_tries"):
            begun(user, person())
    with pytest.raises(Conflict, match="too_many_tries"):
        begun(patient_user(), own)
    assert len(phone.sent) == 30


@pytest.mark.django_db
def test_strangers_use_up_their_own_share_and_not_the_owners(phone: Phone) -> None:
    """Ten wishes under a wrong name were enough to close a number to its owner until tomorrow."""
    own = person(phone="13800001111")
    for _ in range(2):
        stranger = patient_user()
        for _ in range(5):
            binding_begin(user=stranger, wanted=wanted(own, name="不知道"), address="")
        guess(Binding.objects.filter(user=stranger).latest("pk"), 5)
    assert bound(phone, patient_user(), own).may_view


@pytest.mark.django_db
def test_no_crowd_closes_a_number_to_the_phone_on_its_record(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wishes, guesses and codes are all used up; the account of that very phone still binds."""
    for limit in ("WISHES_PER_TARGET", "TRIES_PER_TARGET", "CODES_PER_PERSON"):
        monkeypatch.setattr(binding_limits, limit, 1)
    own = person(phone="13800001111")
    guess(begun(patient_user(), own))
    with pytest.raises(Conflict, match="too_many_tries"):
        begun(patient_user("13922223333"), own)
    owner = patient_user("13800001111")
    row = begun(owner, own)
    assert guess(row) == ["code_wrong"]  # their own share counts on
    assert confirm(row, phone.code).may_view


@pytest.mark.django_db
def test_a_phone_gets_so_many_codes_a_day_whatever_was_typed(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding_limits, "CODES_PER_PERSON", 3)
    own = person()
    for _ in range(3):
        begun(patient_user(), own)
    by_card = begun(patient_user(), own, id_number="", card_no=own.identifiers.get().value)
    assert (by_card.outcome, len(phone.sent)) == ("person_limit", 3)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run all at the same instant, each on a connection of its own; answers or refusals."""
    gate, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        gate.wait()
        try:
            answers[place] = act()
        except Refusal as refusal:
            answers[place] = refusal.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=found) for found in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


def waiting(user: object, whom: Patient, relation: str, phone: Phone) -> Callable[[], object]:
    """A wish with its code in hand. Made beside the others of the user, which it would replace."""
    row = begun(user, whom, relation)  # type: ignore[arg-type]
    code = phone.code
    return lambda: confirm(row, code)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_for_the_fifth_place_make_five(phone: Phone) -> None:
    user, _own = adult(phone)
    for n in range(3):
        bound(phone, user, person(f"家人{n}"), Relation.OTHER)
    first = begun(user, person("第五甲"), Relation.OTHER), phone.code
    # The second wish would replace the first; here both wait, as two old pages could.
    Binding.objects.filter(pk=first[0].pk).update(user=patient_user())
    second = begun(user, person("第五乙"), Relation.OTHER), phone.code
    Binding.objects.filter(pk=first[0].pk).update(user=user)
    first[0].refresh_from_db()
    answers = at_once(
        *(lambda row=row, code=code: confirm(row, code) for row, code in (first, second))
    )
    assert sorted(isinstance(one, PatientAccess) for one in answers) == [False, True]
    assert "family_full" in answers
    assert family_places(user) == 5


@pytest.mark.django_db(transaction=True)
def test_one_person_asked_by_two_users_at_once_ends_with_one(phone: Phone) -> None:
    own, users = person(), [patient_user() for _ in range(4)]
    answers = at_once(*(waiting(user, own, Relation.SELF, phone) for user in users))
    assert all(isinstance(one, PatientAccess) for one in answers)
    live = PatientAccess.objects.filter(patient=own, ended_at=None)
    assert [access_of(one.user) for one in live] == [[live.get()]]
    assert PatientAccess.objects.filter(patient=own, ended_how="handed_over").count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_codes_of_a_person_are_counted_one_after_the_other(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked by five users at the same instant, a phone with one code left gets one."""
    monkeypatch.setattr(binding_limits, "CODES_PER_PERSON", 3)
    own = person()
    for _ in range(2):
        begun(patient_user(), own)
    wishes = [binding_begin(user=patient_user(), wanted=wanted(own), address="") for _ in range(5)]
    counted = binding_sends.codes_reached

    def slowly(wish: Binding, *, patient_id: int) -> bool:
        reached = counted(wish, patient_id=patient_id)
        time.sleep(0.1)
        return reached

    monkeypatch.setattr(binding_sends, "codes_reached", slowly)
    sent = at_once(*(lambda row=row: binding_code_send(binding_id=row.pk) for row in wishes))
    assert (sent.count(True), len(phone.sent)) == (1, 3)
    assert Binding.objects.filter(outcome="person_limit").count() == 4


@pytest.mark.django_db(transaction=True)
def test_one_code_posted_twice_at_once_binds_once(phone: Phone) -> None:
    row = begun(patient_user(), person())
    code = phone.code
    answers = at_once(*[lambda: confirm(row, code)] * 4)
    assert sorted(str(one) for one in answers if isinstance(one, str)) == ["binding_over"] * 3
    assert PatientAccess.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_all_counted(phone: Phone) -> None:
    row = begun(patient_user(), person())
    answers = at_once(*[lambda: confirm(row, "0000000")] * 8)
    assert answers.count("code_wrong") == 4
    assert answers.count("binding_over") == 4
    assert connection.in_atomic_block is False
    assert Binding.objects.get(pk=row.pk).attempts == 5
