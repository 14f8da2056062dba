"""A passkey of the staff in a real browser, with Chromium's own virtual authenticator behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from playwright.sync_api import Browser, Page

from config.roles import roles_sync
from core.models import AuditEvent, StaffLoginTry, User
from core.second_factor import second_factor_code, second_factor_enrol, second_factor_secret
from tests.e2e.measures import policy_fault

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLICY = "config.csp.ContentSecurityPolicy"
PASSWORD = "right-horse-9"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def house(live_server: Any, settings: Any) -> str:
    """There are no passkeys for a bare address, so the house has a name here."""
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    settings.STAFF_SECOND_FACTOR = True
    return str(live_server.url).replace("127.0.0.1", "localhost")


@pytest.fixture
def clerk() -> tuple[User, str]:
    user = User.objects.create_user("cashier", password=PASSWORD, is_staff=True)
    roles_sync()
    user.groups.add(Group.objects.get(name="cashier"))
    secret = second_factor_secret()
    second_factor_enrol(user=user, secret=secret)
    return user, secret


@pytest.fixture
def desk(browser: Browser) -> Iterator[Page]:
    """One computer with a fingerprint reader, whose finger is always the right one."""
    context = browser.new_context(locale="zh-CN")
    page: Any = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda line: page.faults.extend(policy_fault(line)))
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    made = device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    def finger(right: bool) -> None:
        whose = {"authenticatorId": made["authenticatorId"], "isUserVerified": right}
        device.send("WebAuthn.setUserVerified", whose)

    page.finger = finger
    yield page
    assert page.faults == []
    context.close()


def fill(page: Page, house: str, password: str = PASSWORD) -> None:
    page.goto(f"{house}/admin/login/")
    page.get_by_label("用户名").fill("cashier")
    page.locator("[name=password]").fill(password)


def log_in(page: Page, house: str, secret: str) -> None:
    fill(page, house)
    page.locator("[name=code]").fill(second_factor_code(secret))
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(f"{house}/admin/")


def log_out(page: Page) -> None:
    page.context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)


def add(page: Page, house: str, password: str = PASSWORD) -> None:
    page.goto(f"{house}/admin/passkeys")
    page.get_by_label("您的密码").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="添加通行密钥").click()


def test_a_passkey_is_added_and_opens_the_desk_instead_of_a_code(
    desk: Page, house: str, clerk: tuple[User, str]
) -> None:
    user, secret = clerk
    log_in(desk, house, secret)
    add(desk, house, "wrong")
    assert "密码不对" in desk.locator(".error-summary").inner_text()
    assert not Authenticator.objects.filter(type="webauthn").exists()
    add(desk, house)
    row = Authenticator.objects.get(user=user, type="webauthn")
    assert row.last_used_at is None
    assert AuditEvent.objects.filter(action="passkey_added", actor="staff:cashier").count() == 1
    log_out(desk)
    fill(desk, house)
    desk.get_by_role("button", name="用通行密钥登录").click()
    desk.wait_for_url(f"{house}/admin/")
    row.refresh_from_db()
    assert row.last_used_at is not None
    entered = AuditEvent.objects.filter(action="staff_logged_in").latest("pk")
    assert entered.detail == {"second_factor": True}
    # The code still opens; the passkey did not replace it.
    log_out(desk)
    a_code_counts_again()
    log_in(desk, house, secret)


def a_code_counts_again() -> None:
    """A code counts once, and half a minute is too long to wait for the next."""
    row = Authenticator.objects.get(type="totp")
    row.data.pop("counter", None)
    row.save(update_fields=["data"])


def test_a_passkey_opens_nothing_with_a_wrong_password_a_wrong_finger_or_anothers_name(
    desk: Page, house: str, clerk: tuple[User, str]
) -> None:
    user, secret = clerk
    log_in(desk, house, secret)
    add(desk, house)
    log_out(desk)
    press: Callable[[], None] = desk.get_by_role("button", name="用通行密钥登录").click
    fill(desk, house, "wrong")
    with desk.expect_navigation():
        press()
    assert "不对" in desk.locator("[role=alert]:visible").first.inner_text()
    # Somebody else who knows a colleague's password holds only a passkey of their own.
    other = User.objects.create_user("boss", password=PASSWORD, is_staff=True, is_superuser=True)
    second_factor_enrol(user=other, secret=second_factor_secret())
    fill(desk, house)
    desk.get_by_label("用户名").fill("boss")
    with desk.expect_navigation():
        press()
    assert "不对" in desk.locator("[role=alert]:visible").first.inner_text()
    desk.finger(False)  # type: ignore[attr-defined]
    fill(desk, house)
    press()
    desk.locator("#passkey_failed:visible").wait_for()
    assert desk.url.startswith(f"{house}/admin/login/")
    assert StaffLoginTry.objects.count() == 2
    assert Authenticator.objects.get(user=user, type="webauthn").last_used_at is None


def test_a_signed_answer_is_worth_one_login(
    desk: Page, house: str, clerk: tuple[User, str]
) -> None:
    _user, secret = clerk
    log_in(desk, house, secret)
    add(desk, house)
    log_out(desk)
    fill(desk, house)
    with desk.expect_request(lambda one: one.method == "POST") as sent:
        desk.get_by_role("button", name="用通行密钥登录").click()
    desk.wait_for_url(f"{house}/admin/")
    answer = dict(sent.value.post_data_json)
    log_out(desk)
    fill(desk, house)
    desk.evaluate("() => fetch('/admin/login/', {headers: {Accept: 'application/json'}})")
    desk.locator("#id_passkey").evaluate("(box, told) => { box.value = told }", answer["passkey"])
    with desk.expect_navigation():
        desk.get_by_role("button", name="登录", exact=True).click()
    assert "不对" in desk.locator("[role=alert]:visible").first.inner_text()


def test_the_button_stays_hidden_under_a_bare_address(
    desk: Page, live_server: Any, clerk: tuple[User, str]
) -> None:
    desk.goto(str(live_server.url).replace("localhost", "127.0.0.1") + "/admin/login/")
    desk.wait_for_load_state()
    assert desk.locator("#passkey_login").is_hidden()
