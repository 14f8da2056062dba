"""A register with people in it, users, and a phone that keeps the codes."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from core.models import User
from patients.actors import patient_actor
from patients.messengers.base import SENT, Delivered, Message
from patients.models import Binding, IdType, Patient, PatientAccess, Relation
from patients.services import binding_sends
from patients.services.binding_proofs import binding_confirm
from patients.services.binding_sends import binding_code_send
from patients.services.bindings import BindingWanted, binding_begin
from tests.factories.accounts import patient_user
from tests.factories.patients import id_number, patient

ADDRESS = "10.0.0.7"
_numbers = itertools.count(1)


class Phone:
    """The gateway's side: every message, and an answer if one is wanted."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.answers: list[Delivered] = []

    def send(self, message: Message) -> Delivered:
        self.sent.append(message)
        return self.answers.pop(0) if self.answers else SENT

    @property
    def code(self) -> str:
        return self.sent[-1].fields["verify_code"]


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    found = Phone()
    monkeypatch.setattr(binding_sends, "messenger_get", lambda _code: found)
    return found


def person(name: str = "陈秀兰", born: date = date(1952, 10, 24), **values: Any) -> Patient:
    """A person of the register with a number that carries the date of birth."""
    number = id_number(next(_numbers), born)
    return patient(name=name, birth_date=born, number=number, **values)


def wanted(of: Patient, relation: str = Relation.SELF, **values: Any) -> BindingWanted:
    told = {"relation": relation, "name": of.name, "id_number": of.id_number}
    return BindingWanted(**told | {"id_type": IdType.ID_CARD} | values)


def begun(user: User, of: Patient, relation: str = Relation.SELF, **values: Any) -> Binding:
    """A wish whose register has been asked."""
    row = binding_begin(user=user, wanted=wanted(of, relation, **values), address=ADDRESS)
    binding_code_send(binding_id=row.pk)
    row.refresh_from_db()
    return row


def confirm(row: Binding, code: str, user: User | None = None) -> PatientAccess:
    user = user or row.user
    return binding_confirm(
        user=user, binding_id=row.pk, code=code, address=ADDRESS, by=patient_actor(user)
    )


def bound(phone: Phone, user: User, of: Patient, relation: str = Relation.SELF) -> PatientAccess:
    return confirm(begun(user, of, relation), phone.code)


def adult(messages: Phone, name: str = "陈雯", **values: Any) -> tuple[User, Patient]:
    """A user who has bound their own card."""
    user, own = patient_user(), person(name, date(1980, 3, 4), **values)
    bound(messages, user, own)
    return user, own
