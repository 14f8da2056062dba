"""Two who change the same people at once: neither waits for the other for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from billing.models import Invoice
from billing.services.charging import invoices
from billing.services.charging.invoices import invoice_issue
from core.actors import Actor
from core.errors import NotFound
from patients.actors import patient_actor
from patients.models import Encounter, Patient, PatientAccess, Relation
from patients.services import encounters, merges
from patients.services.access import access_end
from patients.services.merges import patient_merge_decide, patient_merge_propose
from tests.factories import payments
from tests.factories.accounts import patient_user
from tests.factories.billing import OPERATOR, charge
from tests.factories.patients import encounter, id_number, patient
from tests.patients.binding_house import Phone, begun, bound, confirm, person, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db(transaction=True)
MAKER, CHECKER = Actor("staff", "maker", "甲"), Actor("staff", "checker", "乙")


class Meeting:
    """Two threads wait here until both are in; whoever is alone goes on after a moment."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._barrier = threading.Barrier(2)

    def __call__(self) -> None:
        try:
            self._barrier.wait(timeout=1)
        except threading.BrokenBarrierError:
            return

    def after(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same act, and then the meeting."""

        def met(*args: Any, **kwargs: Any) -> Any:
            answer = act(*args, **kwargs)
            self()
            return answer

        return met


meeting = Meeting()


def follower(**_who: object) -> None:
    """Stands among `settings.ACCESS_FOLLOWERS`: a binding has just ended, its rows are held."""
    meeting()


@pytest.fixture(autouse=True)
def new_meeting() -> None:
    meeting.renew()


@pytest.fixture
def followers(settings: LazySettings) -> None:
    own = "tests.patients.test_people_races.follower"
    settings.ACCESS_FOLLOWERS = (own, *settings.ACCESS_FOLLOWERS)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call answered or raised; a deadlock is an OperationalError."""
    answers: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait(timeout=10)
            answers[place] = call()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


def two_records() -> tuple[Patient, Patient, int]:
    """A person, their duplicate, and the open case that says so."""
    kept = patient("M-KEPT", name="陈秀兰", number=id_number(1))
    merged = patient("M-TWICE", name="陈秀兰")
    merge = patient_merge_propose(kept_id=kept.pk, merged_id=merged.pk, reason="急诊建档", by=MAKER)
    return kept, merged, merge.pk


def joined(merge_id: int) -> Any:
    return patient_merge_decide(merge_id=merge_id, agreed=True, by=CHECKER, comment="核对过证件")


def test_a_bill_is_issued_while_its_patient_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, merged, merge_id = two_records()
    visit = encounter(of=merged)
    charge(visit, 8_640)

    def issue() -> Invoice:
        return invoice_issue(
            client=visit.client,
            encounter_no=visit.encounter_no,
            invoice_no="I-RACE",
            operator=OPERATOR,
            input_hash="",
        ).invoice

    monkeypatch.setattr(invoices, "encounter_hold", meeting.after(invoices.encounter_hold))
    monkeypatch.setattr(merges, "patients_locked", meeting.after(merges.patients_locked))
    bill, merge = at_once(issue, lambda: joined(merge_id))
    assert (getattr(bill, "amount_fen", bill), getattr(merge, "status", merge)) == (
        8_640,
        "APPROVED",
    )
    assert set(Invoice.objects.values_list("patient_id", flat=True)) == {kept.pk}
    assert set(Encounter.objects.values_list("patient_id", flat=True)) == {kept.pk}


def test_a_guardian_ends_the_own_binding_and_the_wards_at_once(followers: None) -> None:
    user = patient_user()
    own = patient(name="王芳")
    child = patient(name="王安", guardian=own)
    # The ward's row is the older one: the own card was bound anew.
    ward = payments.access(child, user, "child")
    mine = payments.access(own, user, may_view=True)
    by = patient_actor(user)
    ends = at_once(
        lambda: access_end(user=user, access_id=mine.pk, by=by),
        lambda: access_end(user=user, access_id=ward.pk, by=by),
    )
    assert not PatientAccess.objects.filter(ended_at=None).exists()
    assert isinstance(ends[0], PatientAccess), ends
    assert isinstance(ends[1], (PatientAccess, NotFound)), ends


def test_a_card_moves_while_its_holder_lets_a_ward_go(followers: None, phone: Phone) -> None:
    own = person(phone="13900001111")
    before, after = patient_user(), patient_user()
    bound(phone, before, own)
    child = patient(name="王安", guardian=own)
    ward = payments.access(child, before, "child")
    wish = begun(after, own)
    code = phone.code
    access, end = at_once(
        lambda: confirm(wish, code),
        lambda: access_end(user=before, access_id=ward.pk, by=patient_actor(before)),
    )
    assert isinstance(access, PatientAccess), access
    assert isinstance(end, (PatientAccess, NotFound)), end
    [live] = PatientAccess.objects.filter(ended_at=None)
    assert (live.user_id, live.patient_id, live.relation) == (after.pk, own.pk, Relation.SELF)


def test_a_visit_registered_while_its_patient_is_joined_is_the_kept_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, _merged, merge_id = two_records()
    visit = encounter(of=patient(name="别人"))
    data = encounters.EncounterInput(
        **{name: getattr(visit, name) for name in encounters.EncounterInput.__slots__ if name
           not in {"mrn", "card_no", "campus"}},
        mrn="M-TWICE", card_no="", campus=visit.campus.code,
    )  # fmt: skip
    found = encounters.patient_by_mrn
    monkeypatch.setattr(encounters, "patient_by_mrn", meeting.after(found))
    monkeypatch.setattr(merges, "patients_locked", meeting.after(merges.patients_locked))
    made, _merge = at_once(
        lambda: encounters.encounter_register(
            client=visit.client, encounter_no="E-RACE", data=data, by=OPERATOR,
            billed=lambda _visit: False,
        ).encounter,
        lambda: joined(merge_id),
    )  # fmt: skip
    assert isinstance(made, Encounter), made
    assert Encounter.objects.get(encounter_no="E-RACE").patient_id == kept.pk
