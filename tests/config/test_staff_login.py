"""Staff come in by password and app; wrong ones lock out, and a desk left alone locks itself."""

import re
import threading
import time
from datetime import timedelta

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from config import staff_login
from config.demo.codes import demo_codes, demo_totp
from config.roles import roles_sync
from core.models import AuditEvent, StaffLoginTry, User
from core.second_factor import (
    second_factor_code,
    second_factor_counter,
    second_factor_enrol,
    second_factor_secret,
)
from core.staff_login import TRIES_HERE, TRIES_NAME

pytestmark = pytest.mark.django_db
PASSWORD = "right-horse-9"
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def enforced(settings):
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def at(monkeypatch):
    """Authenticator apps live in real time; here it is told."""
    told = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: told[0])
    return told


def clerk(name="cashier", *, factor=True, **values):
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **values)
    roles_sync()
    user.groups.add(Group.objects.get(name="cashier"))
    secret = second_factor_secret()
    if factor:
        second_factor_enrol(user=user, secret=secret)
    return user, secret


def enter(client, name="cashier", password=PASSWORD, code="", **values):
    data = {"username": name, "password": password, "code": code, **values}
    return client.post(LOGIN, data)


def words(response):
    text = response.content.decode().partition("<form")[0]
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>", " ", text))


def inside(client):
    return client.get("/admin/").status_code == 200


def test_password_and_code_open_the_desk(client, at):
    _user, secret = clerk()
    answer = enter(client, code=second_factor_code(secret), next="/admin/desk/search")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/desk/search")
    assert inside(client)
    event = AuditEvent.objects.get(action="staff_logged_in")
    assert (event.actor, event.address) == ("staff:cashier", "127.0.0.1")
    assert not StaffLoginTry.objects.exists()


def test_everything_wrong_has_one_answer(client, at):
    _user, secret = clerk()
    User.objects.create_user("patient-1", password=PASSWORD)
    code = second_factor_code(secret)
    pages = [
        enter(client, "nobody", code=code),
        enter(client, password="wrong", code=code),
        enter(client, code=f"{(int(code) + 1) % 1000000:06d}"),
        enter(client, code=""),
        enter(client, "patient-1", code=code),
    ]
    assert {words(page) for page in pages} == {words(pages[0])}
    assert "不对" in words(pages[0]) or "notright" in words(pages[0])
    assert not inside(client)


def test_a_code_counts_once_and_an_old_one_not_at_all(client, at):
    _user, secret = clerk()
    code = second_factor_code(secret)
    enter(client, code=code)
    again = Client()
    enter(again, code=code)
    assert (inside(client), inside(again)) == (True, False)
    at[0] += 120
    late = Client()
    enter(late, code=code)
    assert not inside(late)
    enter(late, code=second_factor_code(secret))
    assert inside(late)


@pytest.mark.django_db(transaction=True)
def test_one_code_at_many_doors_opens_one(at):
    _user, secret = clerk()
    code, opened = second_factor_code(secret), []

    def knock(door):
        try:
            own = Client(REMOTE_ADDR=f"10.0.0.{door}")
            enter(own, code=code)
            opened.append(inside(own))
        finally:
            connection.close()

    threads = [threading.Thread(target=knock, args=(n,)) for n in range(6)]
    [one.start() for one in threads], [one.join() for one in threads]
    assert sorted(opened) == [False] * 5 + [True]


@pytest.mark.parametrize("name", ["cashier", "nobody"])
def test_wrong_passwords_lock_out_known_and_unknown_names_alike(client, at, still_clock, name):
    _user, secret = clerk()
    for _each in range(TRIES_HERE):
        assert enter(client, name, password="wrong").status_code == 200
    locked = enter(client, name, code=second_factor_code(secret))
    assert "15" in words(locked)
    assert not inside(client)
    assert AuditEvent.objects.filter(action="staff_locked_out").count() == 1
    assert AuditEvent.objects.filter(action="staff_login_refused").count() == TRIES_HERE
    # Somebody else at the same desk, and the same person at another one, still come in.
    _other, other_secret = clerk("cashier2")
    assert enter(Client(), "cashier2", code=second_factor_code(other_secret)).status_code == 302
    still_clock.advance(timedelta(minutes=15, seconds=1))
    at[0] += 901
    if name == "cashier":
        assert enter(client, code=second_factor_code(secret)).status_code == 302


def test_a_name_tried_from_everywhere_locks_everywhere(at):
    _user, secret = clerk()
    for n in range(TRIES_NAME):
        enter(Client(REMOTE_ADDR=f"10.0.1.{n}"), password="wrong")
    elsewhere = Client(REMOTE_ADDR="10.0.2.1")
    assert enter(elsewhere, code=second_factor_code(secret)).status_code == 200
    assert not inside(elsewhere)


@pytest.mark.django_db(transaction=True)
def test_passwords_tried_at_once_are_counted_one_by_one(at, monkeypatch):
    clerk()
    compared = []
    monkeypatch.setattr(
        "core.staff_login.authenticate", lambda *_args, **_values: compared.append(1)
    )

    def guess():
        try:
            enter(Client(), password="wrong")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    [one.start() for one in threads], [one.join() for one in threads]
    assert len(compared) == TRIES_HERE


def test_who_has_no_app_enrols_one_before_anything_else(client, at):
    user, _secret = clerk(factor=False)
    enter(client)
    assert client.get("/admin/")["Location"].startswith("/admin/second-factor")
    page = client.get("/admin/second-factor").content.decode()
    secret = re.search(r"<b>([A-Z2-7 ]+)</b>", page)[1].replace(" ", "")
    assert client.post("/admin/second-factor", {"code": "000000"}).status_code == 400
    code = second_factor_code(secret)
    before = client.session.session_key
    answer = client.post("/admin/second-factor", {"code": code, "next": "//evil.example"})
    assert answer["Location"] == "/admin/"
    assert client.session.session_key != before
    assert inside(client)
    kept = Authenticator.objects.get(user=user)
    assert secret not in str(kept.data)
    assert get_adapter().decrypt(kept.data["secret"]) == secret
    # The code it was enrolled by was used by that.
    enter(again := Client(), code=code)
    assert not inside(again)
    # Nobody enrols a second app behind the back of the first.
    thief = Client()
    thief.force_login(user)
    assert thief.get("/admin/second-factor")["Location"] == LOGIN
    assert not inside(thief)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_enrol_at_once_one_gets_in(at, monkeypatch):
    # given two sessions behind the same password, both on the page, both past its first question
    user, _secret = clerk(factor=False)
    both, inside_now = threading.Barrier(2, timeout=20), {}

    def proven(secret, code):
        counter = second_factor_counter(secret, code)
        both.wait()
        return counter

    monkeypatch.setattr(staff_login, "second_factor_counter", proven)

    def enrol(door):
        try:
            own = Client(REMOTE_ADDR=f"10.0.1.{door}")
            enter(own)
            page = own.get("/admin/second-factor").content.decode()
            secret = re.search(r"<b>([A-Z2-7 ]+)</b>", page)[1].replace(" ", "")
            own.post("/admin/second-factor", {"code": second_factor_code(secret)})
            inside_now[secret] = inside(own)
        finally:
            connection.close()

    # when both prove the app of their own page
    threads = [threading.Thread(target=enrol, args=(n,)) for n in range(2)]
    [one.start() for one in threads], [one.join() for one in threads]
    # then one of them is bound and in, and the other is out
    kept = get_adapter().decrypt(Authenticator.objects.get(user=user).data["secret"])
    assert inside_now.pop(kept) is True
    assert list(inside_now.values()) == [False]


def test_a_desk_left_alone_locks(client, at, still_clock, settings):
    _user, secret = clerk()
    enter(client, code=second_factor_code(secret))
    for _each in range(3):
        still_clock.advance(timedelta(minutes=14))
        assert inside(client)
    still_clock.advance(timedelta(seconds=settings.STAFF_IDLE_S + 1))
    led = client.get("/admin/desk/search?q=x")
    assert led["Location"] == "/admin/login/?locked=1&next=%2Fadmin%2Fdesk%2Fsearch%3Fq%3Dx"
    assert "无人" in words(client.get(led["Location"])) or "Nobody" in words(
        client.get(led["Location"])
    )
    assert not inside(client)


def test_after_the_clock_was_moved_the_apps_real_code_opens_and_the_demo_shows_a_fresh_one(
    client, at, still_clock, settings, tmp_path
):
    settings.VAR_DIR, settings.DEMO = tmp_path, True
    user, _secret = clerk(factor=False)
    second_factor_enrol(user=user, secret=demo_totp("cashier"))
    (first,) = demo_codes()
    enter(client, code=first.code)
    assert inside(client)
    still_clock.advance(timedelta(hours=36))
    assert not inside(client)
    (fresh,) = demo_codes()
    assert fresh.code != first.code
    assert fresh.code in client.get(LOGIN).content.decode()
    enter(client, code=fresh.code)
    assert inside(client)


def test_a_part_of_a_page_leads_the_whole_page_to_the_login(client, at, still_clock, settings):
    _user, secret = clerk()
    enter(client, code=second_factor_code(secret))
    still_clock.advance(timedelta(seconds=settings.STAFF_IDLE_S + 1))
    part = client.get("/admin/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"][:13]) == (200, "/admin/login/")


def test_the_session_before_the_login_is_not_the_one_after(client, at):
    _user, secret = clerk()
    client.get(LOGIN)
    session = client.session
    session["planted"] = "x"
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    enter(client, code=second_factor_code(secret))
    assert client.session.session_key != before


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_login_leads_nowhere_else(client, at, wanted):
    _user, secret = clerk()
    assert enter(client, code=second_factor_code(secret), next=wanted)["Location"] == "/admin/"


def test_patients_have_no_business_at_the_desk(client):
    client.force_login(User.objects.create_user("patient-1"))
    assert client.get("/admin/")["Location"].startswith(LOGIN)


def test_a_lost_app_is_taken_away_by_the_administrator_and_recorded(client, at):
    user, _secret = clerk()
    _boss, secret = clerk("boss", is_superuser=True)
    enter(client, "boss", code=second_factor_code(secret))
    factor = Authenticator.objects.get(user=user)
    page = client.get(f"/admin/mfa/authenticator/{factor.pk}/change/")
    assert "secret" not in page.content.decode()
    client.post(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"})
    assert not Authenticator.objects.filter(user=user).exists()
    assert AuditEvent.objects.filter(
        action="second_factor_taken_away", subject_id=user.pk, actor="staff:boss"
    ).exists()
