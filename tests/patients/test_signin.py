"""Signing in by phone and code, and everything somebody may try instead (T20)."""

import re
import threading
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from core.models import AuditEvent, OutboundCall, User
from patients.messengers.base import again, refused
from patients.models import PhoneCode, UserPhone
from patients.services import phone_codes
from patients.services.phone_codes import TRIES_MAX, CodeLimits
from tests.factories.accounts import patient_client, patient_user
from tests.fixtures.phone import answer, ask, sign_in

pytestmark = pytest.mark.django_db
PHONE = "13812345678"
A_MINUTE = timedelta(seconds=61)


def words(response):
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>", " ", response.content.decode()))


def signed_in(client):
    return "_auth_user_id" in client.session


def test_a_new_phone_opens_an_account_and_a_known_one_finds_it(client, gateway, still_clock):
    entered = sign_in(client, gateway, "+86 138-1234 5678")
    assert (entered.status_code, entered["Location"]) == (303, "/")
    user = User.objects.get()
    assert (user.is_staff, user.has_usable_password(), user.phone.phone) == (False, False, PHONE)

    other = Client()
    still_clock.advance(A_MINUTE)
    sign_in(other, gateway, "１３８１２３４５６７８")
    assert int(other.session["_auth_user_id"]) == user.pk
    done = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert done == ["account_opened", "patient_signed_in", "patient_signed_in"]


def test_known_and_unknown_phones_get_the_same_answers(gateway):
    patient_user("13900000001")
    pages = []
    for phone in ("13900000001", "13900000002"):
        client = Client()
        asked = ask(client, phone)
        shown = client.get("/accounts/code")
        wrong = answer(client, "000000" if gateway.code() != "000000" else "111111")
        hidden = phone[:3] + "****" + phone[-4:]
        pages.append(
            [asked.status_code, asked["Location"], wrong.status_code]
            + [words(page).replace(hidden, "PHONE") for page in (shown, wrong)]
        )
    assert pages[0] == pages[1]
    assert User.objects.count() == 1


@pytest.mark.parametrize("typed", ["", " \u3000"])
def test_an_empty_box_is_no_guess(client, gateway, typed):
    ask(client, PHONE)
    for _each in range(6):
        page = answer(client, typed)
        assert page.status_code == 400 and "请输入短信里的6位数字" in words(page)
    assert answer(client, gateway.code()).status_code == 303


def test_known_and_unknown_phones_cost_the_same_statements(gateway):
    patient_user("13900000001")
    counts = []
    for phone in ("13900000001", "13900000002"):
        client = Client()
        with connection.execute_wrapper(counter := Counter()):
            ask(client, phone)
            answer(client, "12345")
        counts.append(counter.statements)
    assert counts[0] == counts[1]


class Counter:
    def __init__(self):
        self.statements = 0

    def __call__(self, execute, sql, params, many, context):
        self.statements += 1
        return execute(sql, params, many, context)


@pytest.mark.parametrize("typed", ["", "1381234567", "23812345678", "138123456789", "x", "1" * 400])
def test_what_is_no_mobile_number_is_said_so(client, gateway, typed):
    page = ask(client, typed)
    assert page.status_code == 400
    assert "error-summary" in page.content.decode()
    assert 'aria-invalid="true"' in page.content.decode()
    assert (gateway.sent, PhoneCode.objects.count()) == ([], 0)


def test_a_wrong_code_does_not_open_and_five_end_it(client, gateway):
    ask(client, PHONE)
    right = gateway.code()
    for guess in range(TRIES_MAX):
        page = answer(client, f"{(int(right) + guess + 1) % 1000000:06d}")
        assert (page.status_code, signed_in(client)) == (400, False)
    over = answer(client, right)
    assert (over.status_code, signed_in(client)) == (400, False)
    assert "code_over" not in words(over)
    assert User.objects.count() == 0


@pytest.mark.proof("T20")
@pytest.mark.django_db(transaction=True)
def test_a_thousand_guesses_at_once_are_five(gateway, proof_scale, proof_report):
    client, guesses = Client(), proof_scale(1000, least=64)
    ask(client, PHONE)
    cookie, right = client.cookies["sessionid"].value, gateway.code()
    statuses = []

    def guess(start):
        try:
            for n in range(start, guesses, 8):
                one = Client()
                one.cookies["sessionid"] = cookie
                code = f"{n:06d}"
                statuses.append(answer(one, code if code != right else "999999").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(8)]
    [one.start() for one in threads], [one.join() for one in threads]
    assert (len(statuses), set(statuses)) == (guesses, {400})
    assert PhoneCode.objects.get().tries == TRIES_MAX
    assert answer(client, right).status_code == 400
    proof_report("sign_in_guesses_compared", TRIES_MAX, f"<= {TRIES_MAX} of {guesses}", True)


def test_an_expired_code_and_a_replayed_one_do_not_open(client, gateway, still_clock):
    ask(client, PHONE)
    still_clock.advance(timedelta(minutes=5, seconds=1))
    assert answer(client, gateway.code()).status_code == 400

    client.post("/accounts/code/again")
    code, cookies = gateway.code(), client.cookies["sessionid"].value
    assert answer(client, code).status_code == 303
    thief = Client()
    thief.cookies["sessionid"] = cookies
    assert answer(thief, code).status_code in {302, 303}
    assert not signed_in(thief)


def test_a_newer_code_ends_the_older(client, gateway, still_clock):
    ask(client, PHONE)
    old = gateway.code()
    still_clock.advance(A_MINUTE)
    assert client.post("/accounts/code/again").status_code == 303
    assert (answer(client, old).status_code, signed_in(client)) == (400, False)
    assert answer(client, gateway.code()).status_code == 303


def test_a_code_opens_only_the_browser_that_asked(gateway):
    victim, thief = Client(), Client()
    ask(victim, PHONE)
    assert answer(thief, gateway.code())["Location"] == "/accounts/login"
    assert not signed_in(thief)


def test_a_session_planted_before_signing_in_is_not_the_one_afterwards(gateway):
    planted = Client()
    planted.get("/accounts/login")
    ask(planted, PHONE)
    before = planted.session.session_key
    answer(planted, gateway.code())
    assert planted.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/consents", "/consents"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("\x00//evil.example", "/"),
        ("/" + "a" * 600, "/"),
    ],
)
def test_next_leads_nowhere_else(client, gateway, wanted, reached):
    assert sign_in(client, gateway, PHONE, next=wanted)["Location"] == reached


def test_one_phone_is_sent_five_codes_an_hour(client, gateway, still_clock):
    for _each in range(5):
        assert ask(client, PHONE).status_code == 303
        still_clock.advance(A_MINUTE)
    page = ask(client, PHONE)
    assert (page.status_code, len(gateway.sent)) == (429, 5)
    assert ask(client, "13812345679").status_code == 303


def test_a_second_code_waits_a_minute(client, gateway):
    ask(client, PHONE)
    assert (ask(Client(), PHONE).status_code, len(gateway.sent)) == (429, 1)


def test_one_address_is_not_let_through_the_phone_book(client, gateway, settings):
    settings.PHONE_CODES_ADDRESS_HOUR = 12
    answers = [ask(client, f"139{n:08d}").status_code for n in range(14)]
    assert answers.count(303) == 12
    assert ask(client, "13700000000", HTTP_X_FORWARDED_FOR="9.9.9.9").status_code == 429
    elsewhere = client.post("/accounts/login", {"phone": "13700000000"}, REMOTE_ADDR="10.9.9.9")
    assert elsewhere.status_code == 303


def test_wrong_codes_count_by_address_and_right_ones_do_not(gateway, monkeypatch):
    monkeypatch.setattr(phone_codes, "CodeLimits", partial(CodeLimits, address_wrong_hour=6))
    for n in range(8):
        sign_in(Client(), gateway, f"136{n:08d}")
    for n in range(6):
        thief = Client()
        assert ask(thief, f"139{n:08d}").status_code == 303
        answer(thief, "x")
    assert ask(Client(), "13900000099").status_code == 429


def test_a_gateway_that_says_no_is_told(client, gateway):
    gateway.verdict = refused("MOBILE_NUMBER_ILLEGAL")
    assert ask(client, PHONE).status_code == 400
    gateway.verdict = again("no answer")
    assert ask(client, "13812345670").status_code == 503
    assert not client.session.get("sign_in_code")


def test_neither_phone_nor_code_lies_open(client, gateway):
    ask(client, PHONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone, code_digest FROM patients_phonecode")
        stored = str(cursor.fetchone())
    assert PHONE not in stored
    assert gateway.code() not in stored
    assert PHONE not in str(dict(client.session))
    assert gateway.code() not in str(dict(client.session))
    answer(client, gateway.code())
    assert PHONE not in str(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert OutboundCall.objects.count() == 0


def test_a_closed_account_and_one_of_staff_do_not_open(client, gateway, still_clock):
    closed = patient_user("13900000001", is_active=False)
    page = sign_in(client, gateway, "13900000001")
    assert (page.status_code, signed_in(client)) == (403, False)
    UserPhone.objects.filter(user=closed).update(
        user=User.objects.create_user("clerk", is_staff=True)
    )
    still_clock.advance(A_MINUTE)
    assert sign_in(Client(), gateway, "13900000001").status_code == 403


def test_signing_out_everywhere_ends_the_other_browser(client, gateway):
    user = patient_user(PHONE)
    here, there = patient_client(user), patient_client(user)
    assert there.get("/consents").status_code == 200
    here.post("/accounts/logout", {"everywhere": "yes"})
    for browser in (here, there):
        assert browser.get("/consents")["Location"] == "/accounts/login?next=%2Fconsents"
    assert AuditEvent.objects.get(action="patient_signed_out").detail == {"everywhere": True}


def test_staff_are_no_patients(client):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get("/consents")["Location"].startswith("/accounts/login")
