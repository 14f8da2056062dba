"""Wallets that vouch: the state is this browser's and counts once, an identity is one user's."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from core.models import AuditEvent, User
from patients import doors
from patients.models import WalletIdentity
from patients.signin import registry
from patients.signin.base import Identity, refused, silent
from tests.factories.accounts import patient_client, patient_user
from tests.fixtures.phone import answer, ask, sign_in

pytestmark = pytest.mark.django_db
START, BACK = "/accounts/with/wechat", "/accounts/with/wechat/back"


class FakeDoor:
    """Says of every code that its user is the openid of the same name."""

    answer_name = "code"

    def __init__(self):
        self.asked = []

    def leave_for(self, *, back, state):
        return f"https://open.weixin.qq.com/authorize?back={back}&state={state}"

    def identity(self, *, code, reference):
        self.asked.append(code)
        if isinstance(code, str) and code.startswith("no"):
            raise silent() if code == "no-answer" else refused()
        return Identity("wechat_pay", "wx-app", f"o-{code}")


@pytest.fixture
def door(monkeypatch):
    standing = FakeDoor()
    for place in (registry, doors):
        monkeypatch.setattr(place, "door_get", lambda code: standing if code == "wechat" else None)
    return standing


def leave(client, **values):
    """Press the wallet's button; the state that goes along."""
    led = client.post(START, values)
    assert led.status_code == 303
    return parse_qs(urlsplit(led["Location"]).query)["state"][0]


def come_back(client, state, code="anna"):
    return client.get(BACK, {"code": code, "state": state})


def user_in(client):
    return int(client.session.get("_auth_user_id", 0))


def identity(user, subject="o-anna", channel="wechat_pay"):
    return WalletIdentity.objects.create(
        user=user, channel=channel, app_id="wx-app", subject=subject, created_at=user.date_joined
    )


@pytest.mark.parametrize("channel", ["wechat_pay", "wechat_template"])
def test_a_known_wallet_enters_its_own_account(client, door, channel):
    user = patient_user()
    identity(user, channel=channel)
    client.get("/accounts/login")
    led = come_back(client, leave(client, next="/consents"))
    assert (led["Location"], user_in(client)) == ("/consents", user.pk)
    assert AuditEvent.objects.get(action="patient_signed_in").detail == {"by": "wechat_pay"}


def test_the_first_time_a_phone_is_asked_and_both_are_one_account(client, door, gateway):
    led = come_back(client, leave(client, next="/consents"))
    assert (led["Location"], user_in(client)) == ("/accounts/login?next=%2Fconsents", 0)
    assert "o-anna" not in str(dict(client.session))
    assert (
        sign_in(client, gateway, "13812345678", join="yes", next="/consents")["Location"]
        == "/consents"
    )
    row = WalletIdentity.objects.get()
    assert (row.user_id, row.channel, row.subject) == (user_in(client), "wechat_pay", "o-anna")
    assert row.user.phone.phone == "13812345678"
    again = Client()
    come_back(again, leave(again))
    assert user_in(again) == row.user_id


def test_a_wallet_on_a_lent_phone_is_not_joined_unasked(client, door, gateway):
    """The wallet is the lender's; who types the code is somebody else, and does not tick."""
    come_back(client, leave(client))
    ask(client, "13812345678")
    page = client.get("/accounts/code").content.decode()
    assert 'name="join" value="yes">' in page
    answer(client, gateway.code())
    assert (user_in(client) > 0, WalletIdentity.objects.exists()) == (True, False)
    lender = Client()
    come_back(lender, leave(lender))
    assert user_in(lender) == 0


def test_who_came_without_a_wallet_is_not_asked_about_one(client, gateway):
    ask(client, "13812345678")
    assert 'name="join"' not in client.get("/accounts/code").content.decode()
    answer(client, gateway.code(), join="yes")
    assert not WalletIdentity.objects.exists()


def test_a_wallet_joins_the_account_its_phone_has(client, door, gateway):
    user = patient_user("13812345678")
    come_back(client, leave(client))
    sign_in(client, gateway, "13812345678", join="yes")
    assert WalletIdentity.objects.get().user == user
    assert User.objects.count() == 1


def test_who_is_signed_in_is_asked_before_the_wallet_joins_their_account(door):
    client = patient_client()
    page = come_back(client, leave(client, next="/consents"))
    assert (page.status_code, WalletIdentity.objects.exists()) == (200, False)
    assert "o-anna" not in page.content.decode() + str(dict(client.session))
    led = client.post(BACK, {"join": "yes"})
    assert (led.status_code, led["Location"]) == (303, "/consents")
    assert WalletIdentity.objects.get().user == client.patient
    # known now: nobody is asked again
    assert come_back(client, leave(client, next="/consents"))["Location"] == "/consents"
    # and the answer counts once
    assert client.post(BACK, {"join": "yes"}).status_code == 400


def test_a_session_left_open_on_a_lent_phone_takes_no_wallet(door):
    client = patient_client()
    come_back(client, leave(client, next="/consents"))
    assert client.post(BACK, {"join": "no"})["Location"] == "/consents"
    assert client.post(BACK, {"join": "yes"}).status_code == 400
    assert not WalletIdentity.objects.exists()
    lender = Client()
    come_back(lender, leave(lender))
    assert user_in(lender) == 0


def test_somebody_elses_wallet_is_refused_and_nothing_is_half_done(door):
    holder = patient_user()
    identity(holder)
    client = patient_client()
    page = come_back(client, leave(client))
    assert page.status_code == 409
    assert user_in(client) == client.patient.pk
    assert WalletIdentity.objects.get().user == holder
    assert AuditEvent.objects.filter(action="wallet_identity_refused").count() == 1


def test_a_wallet_taken_meanwhile_opens_no_account(client, door, gateway):
    come_back(client, leave(client))
    ask(client, "13812345678")
    identity(patient_user())
    page = answer(client, gateway.code(), join="yes")
    assert (page.status_code, user_in(client)) == (409, 0)
    assert User.objects.count() == 1


def test_a_state_that_is_not_this_browsers_is_refused(client, door):
    thief = Client()
    of_thief = leave(thief)
    for state in ("", "x", of_thief, of_thief + "x"):
        leave(client)
        page = come_back(client, state)
        assert (page.status_code, user_in(client)) == (400, 0)
    assert door.asked == []
    assert come_back(Client(), of_thief).status_code == 400


def test_a_replayed_callback_is_refused(client, door):
    identity(patient_user())
    state = leave(client)
    assert come_back(client, state).status_code == 303
    client.post("/accounts/logout")
    assert (come_back(client, state).status_code, user_in(client)) == (400, 0)
    assert door.asked == ["anna"]


def test_a_state_that_took_too_long_is_refused(client, door, still_clock):
    state = leave(client)
    still_clock.advance(timedelta(minutes=10, seconds=1))
    assert come_back(client, state).status_code == 400


def test_a_wallet_waits_for_its_phone_only_minutes(client, door, gateway, still_clock):
    come_back(client, leave(client))
    still_clock.advance(timedelta(minutes=15, seconds=1))
    sign_in(client, gateway, "13812345678", join="yes")
    assert not WalletIdentity.objects.exists()


def test_the_state_is_used_up_even_when_the_wallet_says_no(client, door):
    state = leave(client)
    assert come_back(client, state, "no").status_code == 400
    assert come_back(client, state).status_code == 400
    assert come_back(client, leave(client), "no-answer").status_code == 503
    assert user_in(client) == 0


def test_who_says_no_at_the_wallet_is_asked_for_a_phone(client, door):
    state = leave(client)
    assert client.get(BACK, {"state": state})["Location"] == "/accounts/login"


def test_a_link_cannot_start_it_and_there_is_no_other_door(client, door):
    assert client.get(START).status_code == 405
    assert client.post("/accounts/with/dingtalk").status_code == 404
    assert client.get("/accounts/with/dingtalk/back").status_code == 404


def test_next_leads_nowhere_else_after_a_wallet(client, door):
    identity(patient_user())
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert come_back(client, leave(client, next=wanted))["Location"] == "/"
        client.post("/accounts/logout")


def test_a_closed_account_is_not_entered_by_its_wallet(client, door):
    identity(patient_user(is_active=False))
    page = come_back(client, leave(client))
    assert (page.status_code, user_in(client)) == (403, 0)


def test_the_wallets_own_browser_is_offered_its_own_door(client, monkeypatch):
    monkeypatch.setattr(registry, "door_get", lambda _code: FakeDoor())
    agents = {
        "MicroMessenger/8.0": [True, False],
        "AlipayClient/10.5": [False, True],
        "Safari": [True, True],
    }
    for agent, offered in agents.items():
        page = client.get("/accounts/login", headers={"User-Agent": agent}).content.decode()
        assert [f"/accounts/with/{code}" in page for code in ("wechat", "alipay")] == offered
