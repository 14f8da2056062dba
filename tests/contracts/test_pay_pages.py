"""The pay page against both wallets over real sockets: inside WeChat, and from one to the other."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client

from billing.models import Invoice, InvoiceStatus, PaymentNotice, PaymentTransaction
from billing.services.collecting.pay_links import pay_link_offer
from billing.services.notices.applying import notice_apply
from core import clock, outbound_clients
from core.models import User
from patients.models import Patient, WalletIdentity
from patients.signin import registry
from tests.billing import portal_house
from tests.billing.portal_house import PHONE, bill, text_of
from tests.contracts.test_agreement_journeys import merchant_of
from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.wechat_client import Inbox

pytestmark = pytest.mark.django_db
WECHAT = f"{PHONE} MicroMessenger/8.0.49"
KEYS = {"wechat_pay": "openid", "alipay": "user_id"}


@dataclass
class World:
    """A house with a merchant of each wallet, a bill, its reader and the reader's two wallets."""

    sandbox: Sandbox
    inbox: Inbox
    user: User
    own: Patient
    bill: Invoice
    openid: str
    user_id: str
    seen: int = 0

    def choose(self, phone: Client, way: str, page: str = "") -> Any:
        """Press the form as it stands."""
        page = page or f"/bills/{self.bill.pk}/pay"
        key = re.findall(r'name="form_key" value="(\w+)"', phone.get(page).content.decode())
        return phone.post(page, {"way": way, "form_key": key[0] if key else "late"})

    def pay(self, link: str) -> str:
        """Open a link in the payer's browser, say yes there; the page that follows."""
        opened = CLIENT.get(link, follow_redirects=True)
        assert opened.status_code == httpx.codes.OK, opened.text
        name = "user_id" if "/alipay/" in str(opened.url) else "openid"
        answer = {"answer": "yes", name: getattr(self, name)}
        done = CLIENT.post(str(opened.url), data=answer, follow_redirects=True)
        assert done.status_code == httpx.codes.OK, done.text
        return html.unescape(done.text)

    def deliver(self) -> None:
        """The channel's next notice, through our door, applied."""
        self.seen += 1
        told = self.inbox.await_count(self.seen)[self.seen - 1]
        headers = {name: value for name, value in told.headers.items() if name != "Host"}
        kind = told.headers.get("Content-Type", "")
        answer = Client(headers=headers).post(told.path, told.body, content_type=kind)
        assert answer.status_code == httpx.codes.OK, answer.content
        for notice in PaymentNotice.objects.filter(applied_at=None):
            notice_apply(notice_id=notice.pk)

    def orders(self) -> list[tuple[str, str, str]]:
        rows = PaymentTransaction.objects.filter(payment__invoice=self.bill).order_by("pk")
        return list(rows.values_list("payment__channel", "payment__mode", "status"))

    def paid(self) -> bool:
        self.bill.refresh_from_db()
        return self.bill.status == InvoiceStatus.PAID


@pytest.fixture
def world(
    sandbox: Sandbox, inbox: Inbox, settings: Any, still_clock: clock.FrozenClock
) -> Iterator[World]:
    settings.PORTAL_URL = inbox.url
    settings.SIGN_IN_DOORS = {
        "wechat": {
            "app_id": "wx5a0db0c0ffee0001",
            "secret": "sandbox-wechat-app-secret",
            "authorize_url": f"{sandbox.url}/wechat/connect/oauth2/authorize",
            "token_url": f"{sandbox.url}/wechat/sns/oauth2/access_token",
        }
    }
    registry.door_get.cache_clear()
    inbox.answer = lambda _received: (200, b"success")
    for channel in KEYS:
        merchant_of(channel, sandbox)
    user, own, _mother = portal_house.family()
    now = datetime.fromisoformat(sandbox.control("GET", "clock")["now"])
    still_clock.at = now.astimezone(clock.ZONE)
    openid = sandbox.act("payer", "create_wallet", "", name="王秀兰", balance_fen=10_000_00)
    user_id = sandbox.act("alipay_payer", "create_wallet", "", name="王秀兰", balance_fen=10_000_00)
    yield World(
        *(sandbox, inbox, user, own, bill(own, 8640)),
        openid=openid["openid"],
        user_id=user_id["user_id"],
    )
    outbound_clients.forget_clients()
    registry.door_get.cache_clear()


def signed_in_with_wechat(world: World, phone: Client, led_to: str) -> str:
    """At WeChat's page with this phone, and back through our door; where that leads."""
    asked = CLIENT.get(led_to.partition("#")[0] + f"&as={world.openid}")
    assert asked.status_code == httpx.codes.FOUND, asked.text
    back = urlsplit(asked.headers["location"])
    question = phone.get(f"{back.path}?{back.query}")
    assert "这是您本人的钱包吗" in text_of(question)
    answer = phone.post(back.path, {"join": "yes"})
    assert answer.status_code == 303, answer.content.decode()
    return str(answer.url)


def asked_of_wechat(world: World, page: str) -> str:
    """Where WeChat leads when the page asks it as static/wechat_pay.js does."""
    [request] = re.findall(r'data-request="([^"]+)"', page)
    params = json.loads(html.unescape(request))
    return str(httpx.Request("GET", f"{world.sandbox.url}/phone/wechat/bridge", params=params).url)


@pytest.mark.parametrize("by", ["number", "link"])
def test_inside_wechat_a_sign_in_makes_the_payer_known_and_the_bill_is_paid(
    world: World, by: str
) -> None:
    # Given a signed-in patient inside WeChat whose openid nobody knows
    phone = portal_house.signed_in(world.user, WECHAT)
    pages = f"/bills/{world.bill.pk}"
    if by == "link":
        pages = f"/p/{pay_link_offer(invoice=world.bill).token}"
    first = phone.get(f"{pages}/pay")
    assert "用微信登录后支付" in text_of(first) and "jsapi" not in first.content.decode()

    # When they press that, and WeChat knows them
    led_to = phone.post(f"{pages}/pay", {"way": "sign-in-wechat"})
    assert signed_in_with_wechat(world, phone, led_to.url) == f"{pages}/pay"
    assert WalletIdentity.objects.get(user=world.user).subject == world.openid

    # Then the same page pays inside WeChat
    assert 'value="wechat_pay.jsapi"' in phone.get(f"{pages}/pay").content.decode()
    chosen = world.choose(phone, "wechat_pay.jsapi", f"{pages}/pay")
    assert chosen.url == f"{pages}/code"
    code = phone.get(chosen.url).content.decode()
    assert "wechat_pay.js" in code and "请在微信里付款" in code
    world.pay(asked_of_wechat(world, code))
    world.deliver()
    assert world.paid() and world.orders() == [("wechat_pay", "jsapi", "SUCCEEDED")]
    assert "已支付" in text_of(phone.get(f"{pages}/result"))


def test_a_request_inside_wechat_is_of_no_use_to_another_payer(world: World) -> None:
    phone = portal_house.signed_in(world.user, WECHAT)
    WalletIdentity.objects.create(
        user=world.user,
        channel="wechat_pay",
        app_id="wx5a0db0c0ffee0001",
        subject=world.openid,
        created_at=clock.now(),
    )
    code = phone.get(world.choose(phone, "wechat_pay.jsapi").url).content.decode()
    thief = world.sandbox.act("payer", "create_wallet", "", balance_fen=1_00)["openid"]
    opened = CLIENT.get(asked_of_wechat(world, code), follow_redirects=True)
    refused = CLIENT.post(str(opened.url), data={"answer": "yes", "openid": thief})
    assert refused.status_code == httpx.codes.CONFLICT and not world.paid()


def test_wechats_order_is_closed_before_alipays_is_made_and_alipay_leads_back(
    world: World,
) -> None:
    # Given a form with both ways, and WeChat's order opened from another tab of it
    phone = portal_house.signed_in(world.user)
    key = re.findall(
        r'name="form_key" value="(\w+)"',
        phone.get(f"/bills/{world.bill.pk}/pay").content.decode(),
    )[0]
    link = world.choose(phone, "wechat_pay.h5").url
    assert f"redirect_url=http%3A%2F%2Ftestserver%2Fbills%2F{world.bill.pk}%2Fresult" in link

    # When the first tab chooses Alipay
    page = f"/bills/{world.bill.pk}/pay"
    chosen = phone.post(page, {"way": "alipay.h5", "form_key": key})

    # Then WeChat takes no money any more
    assert world.orders() == [("wechat_pay", "h5", "CLOSED"), ("alipay", "h5", "PENDING")]
    dead = CLIENT.post(link, data={"answer": "yes", "openid": world.openid})
    assert "付款" in dead.text and world.sandbox.book()["captured"]["fen"] == 0

    # And Alipay's page pays and leads back to the result
    after = world.pay(chosen.url)
    assert f"http://testserver/bills/{world.bill.pk}/result" in after
    world.deliver()
    assert world.paid()
    assert "支付宝" in text_of(phone.get(f"/bills/{world.bill.pk}/result"))


def test_a_wechat_order_found_paid_ends_at_the_result_and_asks_alipay_for_nothing(
    world: World,
) -> None:
    # Given a code paid at WeChat whose notice is lost
    desk = portal_house.signed_in(world.user, "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0")
    page = f"/bills/{world.bill.pk}/pay"
    key = re.findall(r'name="form_key" value="(\w+)"', desk.get(page).content.decode())[0]
    world.choose(desk, "wechat_pay.native")
    row = PaymentTransaction.objects.get()
    assert row.action is not None
    world.sandbox.fault("capture", "lose_notice", times=1)
    world.sandbox.act("payer", "confirm", world.openid, link=row.action["value"])

    # When another tab chooses Alipay
    chosen = desk.post(page, {"way": "alipay.native", "form_key": key})

    # Then it is paid, once
    assert chosen.url == f"/bills/{world.bill.pk}/result" and world.paid()
    assert world.orders() == [("wechat_pay", "native", "SUCCEEDED")]
    assert "微信" in text_of(desk.get(chosen.url))
    assert world.sandbox.book()["captured"] == {"count": 1, "fen": 8640}
    books = world.sandbox.book("alipay", world.sandbox.alipay["pid"])
    assert books["captured"]["fen"] == 0
