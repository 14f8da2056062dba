"""What a passkey's answer must be before it counts; the browser's side is in tests/e2e."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import STATE_SESSION_KEY
from django.test import Client

from core.models import AuditEvent, User
from core.second_factor import second_factor_enrol, second_factor_secret
from core.staff_login import TRIES_HERE
from tests.billing.desk.people import browser, text

pytestmark = pytest.mark.django_db
LOGIN, OWN = "/admin/login/", "/admin/passkeys"
PASSWORD = "right-horse-9"
GARBAGE = [
    "x",
    "[]",
    "null",
    "{}",
    '{"id": 1}',
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
    "9" * 9000,
]


def clerk(*, app: bool = True, passkey: bool = False) -> User:
    user = User.objects.create_user("clerk", password=PASSWORD, is_staff=True)
    if app:
        second_factor_enrol(user=user, secret=second_factor_secret())
    if passkey:
        Authenticator.objects.create(
            user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "x", "credential": {}}
        )
    return user


def entered(client: Client, **given: Any) -> bool:
    client.post(LOGIN, {"username": "clerk", "password": PASSWORD, "code": "", **given})
    return "_auth_user_id" in client.session


def challenge(client: Client) -> Any:
    return client.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]


def test_a_challenge_names_nobody_and_is_new_each_time(client: Client) -> None:
    clerk(passkey=True)
    first, second = challenge(client)["publicKey"], challenge(client)["publicKey"]
    assert first["challenge"] != second["challenge"]
    assert not first.get("allowCredentials") and first["userVerification"] == "required"


@pytest.mark.parametrize("answer", GARBAGE)
def test_no_malformed_answer_opens(client: Client, answer: str) -> None:
    clerk()
    challenge(client)
    assert not entered(client, passkey=answer)


@pytest.mark.parametrize("answer", GARBAGE[:-1])
def test_a_challenge_is_worth_one_answer_also_a_wrong_one(client: Client, answer: str) -> None:
    clerk(passkey=True)
    challenge(client)
    assert STATE_SESSION_KEY in client.session
    assert not entered(client, passkey=answer)
    assert STATE_SESSION_KEY not in client.session


def test_an_answer_without_a_challenge_opens_nothing(client: Client) -> None:
    clerk(passkey=True)
    assert not entered(client, passkey="{}")


def test_whoever_has_but_a_passkey_does_not_come_in_by_password_alone(client: Client) -> None:
    clerk(app=False, passkey=True)
    assert not entered(client)
    assert not entered(client, code="123456")


@pytest.mark.parametrize("answer", GARBAGE)
def test_no_malformed_passkey_is_kept(answer: str) -> None:
    user = clerk()
    user.set_password(PASSWORD)
    user.save()
    own = browser("", "clerk")
    own.get(OWN)
    assert own.post(OWN, {"password": PASSWORD, "passkey": answer}).status_code == 400
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_adding_one_asks_for_the_password_and_counts_the_wrong_ones() -> None:
    clerk()
    own = browser("", "clerk")
    for _each in range(TRIES_HERE):
        answer = own.post(OWN, {"password": "wrong", "passkey": "{}"})
        assert answer.status_code == 400 and "密码不对" in text(answer)
    assert own.post(OWN, {"password": PASSWORD, "passkey": "{}"}).status_code == 429
    assert AuditEvent.objects.filter(action="staff_locked_out").count() == 1
