"""A stranger who knows a phone takes neither its owner's code nor its owner's day away (T20)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from core import clock
from patients.models import PhoneCode
from patients.services.phone_codes import TRIES_MAX, CodeLimits
from tests.fixtures.phone import Gateway, answer, ask

pytestmark = pytest.mark.django_db
PHONE = "13812345678"
A_MINUTE = timedelta(seconds=61)


def ask_from(client: Client, address: str) -> int:
    sent = client.post("/accounts/login", {"phone": PHONE}, REMOTE_ADDR=address)
    return int(sent.status_code)


def test_a_strangers_request_and_guesses_leave_the_owners_code_alive(gateway: Gateway) -> None:
    owner, stranger = Client(), Client()
    ask(owner, PHONE)
    code = gateway.code()
    assert ask_from(stranger, "203.0.113.1") == 303
    for _each in range(TRIES_MAX + 1):
        assert answer(stranger, "x").status_code == 400
    assert answer(owner, code).status_code == 303


def test_a_stranger_uses_up_only_their_own_share_of_a_phone(
    gateway: Gateway, still_clock: clock.FrozenClock
) -> None:
    limits = CodeLimits()
    for _each in range(limits.phone_hour):
        assert ask_from(Client(), "203.0.113.1") == 303
        still_clock.advance(A_MINUTE)
    assert ask_from(Client(), "203.0.113.1") == 429
    owner = Client()
    assert ask_from(owner, "198.51.100.7") == 303
    assert answer(owner, gateway.code()).status_code == 303


def test_strangers_at_many_addresses_have_thirty_codes_a_day(
    gateway: Gateway, still_clock: clock.FrozenClock
) -> None:
    limit = CodeLimits().phone_day_all
    told = [ask_from(Client(), f"203.0.113.{n}") for n in range(limit + 3)]
    assert (told.count(303), told.count(429)) == (limit, 3)
    assert PhoneCode.objects.count() * TRIES_MAX <= 150
    still_clock.advance(timedelta(days=1, seconds=1))
    assert ask_from(Client(), "203.0.113.1") == 303


def test_a_browsers_next_code_ends_its_own_earlier_one(
    gateway: Gateway, still_clock: clock.FrozenClock
) -> None:
    owner = Client()
    ask(owner, PHONE)
    first = PhoneCode.objects.get()
    still_clock.advance(A_MINUTE)
    ask(owner, PHONE)
    first.refresh_from_db()
    assert first.expires_at <= clock.now()
