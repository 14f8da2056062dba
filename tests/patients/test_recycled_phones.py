"""A number that was given to somebody else opens no account of the person who had it before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.models import AuditEvent, User
from patients.actors import patient_actor
from patients.models import UserPhone
from patients.services.access import access_end
from tests.factories import payments
from tests.factories.accounts import patient_user
from tests.factories.patients import id_number, patient
from tests.fixtures.phone import Gateway, answer, ask, sign_in

pytestmark = pytest.mark.django_db
PHONE, PAGE = "13812345678", "/accounts/whose"
NUMBER = id_number(7, date(1952, 10, 24))
LONG = timedelta(days=91)


@pytest.fixture
def holder() -> User:
    user = patient_user(PHONE)
    payments.access(patient(name="陈秀兰", number=NUMBER), user)
    payments.access(patient(name="王芳", number=id_number(8)), user, "other")
    return user


def who(client: Client) -> int:
    return int(client.session.get("_auth_user_id", 0))


def asked(gateway: Gateway) -> Client:
    client = Client()
    assert sign_in(client, gateway, PHONE, next="/consents")["Location"] == PAGE
    assert (who(client), client.get(PAGE).status_code) == (0, 200)
    return client


def test_a_phone_in_use_is_asked_nothing(
    gateway: Gateway, holder: User, still_clock: clock.FrozenClock
) -> None:
    for _each in range(3):
        still_clock.advance(timedelta(days=89))
        sign_in(client := Client(), gateway, PHONE)
        assert who(client) == holder.pk
    assert UserPhone.objects.get().used_at == clock.now()


@pytest.mark.parametrize("last", [NUMBER[-4:], f" {NUMBER[-4:].lower()} ", id_number(8)[-4:]])
def test_a_number_of_anybody_bound_opens_it_as_before(
    gateway: Gateway, holder: User, still_clock: clock.FrozenClock, last: str
) -> None:
    still_clock.advance(LONG)
    client = asked(gateway)
    assert client.post(PAGE, {"last": last})["Location"] == "/consents"
    assert who(client) == holder.pk
    still_clock.advance(timedelta(days=1))
    sign_in(again := Client(), gateway, PHONE)
    assert who(again) == holder.pk


def test_two_wrong_answers_over_all_browsers_take_the_phone_away(
    gateway: Gateway, holder: User, still_clock: clock.FrozenClock
) -> None:
    still_clock.advance(LONG)
    page = asked(gateway).post(PAGE, {"last": "0000"})
    assert (page.status_code, "error-summary" in page.content.decode()) == (400, True)
    still_clock.advance(timedelta(minutes=2))
    second = asked(gateway)
    assert second.post(PAGE, {"last": "9999"})["Location"] == "/consents"
    assert who(second) not in {0, holder.pk}
    assert UserPhone.objects.get().user_id == who(second)
    assert holder.patient_access.live().count() == 2
    told = AuditEvent.objects.filter(subject_id=str(holder.pk), actor="system:system")
    actions = list(told.order_by("pk").values_list("action", flat=True))
    assert actions == ["phone_doubted", "phone_let_go"]


@pytest.mark.parametrize("last", ["", "  "])
def test_an_empty_box_is_no_answer(
    gateway: Gateway, holder: User, still_clock: clock.FrozenClock, last: str
) -> None:
    still_clock.advance(LONG)
    page = asked(gateway).post(PAGE, {"last": last})
    assert (page.status_code, "请输入号码的最后四位" in page.content.decode()) == (400, True)
    assert UserPhone.objects.get(user=holder).doubts == 0


@pytest.mark.parametrize("last", ["4", "-", NUMBER, "0" * 400, "\x00\x00\x00\x00", "％％％％"])
def test_what_is_no_answer_is_a_wrong_one(
    gateway: Gateway, holder: User, still_clock: clock.FrozenClock, last: str
) -> None:
    still_clock.advance(LONG)
    assert asked(gateway).post(PAGE, {"last": last}).status_code == 400
    assert UserPhone.objects.get(user=holder).doubts == 1


@pytest.mark.parametrize("bound", ["nobody", "nobody any more", "nobody with a number"])
def test_where_no_number_can_be_asked_the_phone_goes_at_once(
    gateway: Gateway, still_clock: clock.FrozenClock, bound: str
) -> None:
    # given an idle phone whose account may hold a wallet, messages, agreements, but no number
    user = patient_user(PHONE)
    if bound != "nobody":
        access = payments.access(patient(name="陈秀兰"), user)
        if bound == "nobody any more":
            access_end(user=user, access_id=access.pk, by=patient_actor(user))
    still_clock.advance(LONG)
    # when somebody signs in with it, then they get an account of their own, asked nothing
    sign_in(client := Client(), gateway, PHONE)
    assert who(client) not in {0, user.pk}
    assert UserPhone.objects.get().user_id == who(client)
    told = AuditEvent.objects.filter(subject_id=str(user.pk), subject="core.user")
    assert told.filter(action="phone_let_go", actor="system:system").count() == 1


def test_only_the_browser_with_the_right_code_is_asked(
    gateway: Gateway, holder: User, still_clock: clock.FrozenClock
) -> None:
    still_clock.advance(LONG)
    stranger: Any = Client()
    assert stranger.post(PAGE, {"last": NUMBER[-4:]})["Location"] == "/accounts/login"
    ask(stranger, PHONE)
    answer(stranger, "x")
    assert stranger.get(PAGE)["Location"] == "/accounts/login"
    still_clock.advance(timedelta(minutes=2))
    late = asked(gateway)
    still_clock.advance(timedelta(minutes=10, seconds=1))
    assert late.post(PAGE, {"last": NUMBER[-4:]})["Location"] == "/accounts/login"
    assert UserPhone.objects.get(user=holder).doubts == 0
