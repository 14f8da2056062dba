"""The patient's pages against the wallets' own pages over real sockets: signed, ended by either
side, refused for another wallet. One story for every channel that has agreements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from django.test import Client

from billing.models import (
    Agreement,
    AgreementPlan,
    BillingReview,
    Merchant,
    PaymentInstitution,
    PaymentNotice,
)
from billing.services.agreements.sweeps import agreement_look, agreements_due
from billing.services.notices.applying import notice_apply
from config.demo.alipay import seller_secrets
from config.demo.hospital import merchant_secrets
from core import clock, outbound_clients
from core.models import User
from patients.models import Notification, Patient, WalletIdentity
from tests.billing import portal_house
from tests.billing.portal_house import text_of
from tests.billing.services.agreement_house import text_hash
from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.wechat_client import Inbox

pytestmark = pytest.mark.django_db
CHANNELS = ("wechat_pay", "alipay")
PAYERS = {"wechat_pay": ("payer", "openid"), "alipay": ("alipay_payer", "user_id")}


@dataclass
class World:
    """A payer at the portal, a rich wallet, and the notices the wallet's house sends us."""

    channel: str
    sandbox: Sandbox
    inbox: Inbox
    plan: AgreementPlan
    user: User
    own: Patient
    phone: Client
    wallet: str
    seen: int = 0

    def new_wallet(self) -> str:
        actor, name = PAYERS[self.channel]
        made = self.sandbox.act(actor, "create_wallet", "", name="王秀兰", balance_fen=10_000_00)
        return str(made[name])

    def ask(self) -> Agreement:
        """The form, and the page that leads to the channel."""
        sent = {"people": self.own.pk, "single": "100", "agree": "yes", "text": text_hash()}
        page = self.phone.post(f"/agreements/new/{self.plan.pk}", sent)
        assert page.status_code == 303, page.content.decode()
        return Agreement.objects.latest("pk")

    def sign(self, agreement: Agreement, wallet: str = "") -> str:
        """Press the link, say yes with a wallet; returns where the wallet leads back to."""
        here = f"{self.inbox.url}/agreements/{agreement.pk}/sign"
        body = self.phone.get(f"/agreements/{agreement.pk}/sign").content.decode()
        link = body.split('class="button primary" href="')[1].split('"')[0].replace("&amp;", "&")
        page = httpx.get(link, headers={"Referer": here}, follow_redirects=True)
        assert page.status_code == 200, page.text
        answer = {"answer": "yes", PAYERS[self.channel][1]: wallet or self.wallet}
        done = httpx.post(page.url, data=answer, follow_redirects=False)
        self.deliver()
        if done.is_redirect:
            return urljoin(str(page.url), done.headers["Location"])
        return done.text

    def unsign(self, agreement: Agreement) -> None:
        """The payer ends it in the wallet, without asking us."""
        actor = PAYERS[self.channel][0]
        name = "contract_id" if self.channel == "wechat_pay" else "agreement_no"
        self.sandbox.act(actor, "unsign", self.wallet, **{name: agreement.contract_id})
        self.deliver()

    def deliver(self) -> None:
        """The next notice of the channel, through our door, applied."""
        self.seen += 1
        told = self.inbox.await_count(self.seen)[self.seen - 1]
        headers = {name: value for name, value in told.headers.items() if name != "Host"}
        kind = told.headers.get("Content-Type", "")
        answer = Client(headers=headers).post(told.path, told.body, content_type=kind)
        assert answer.status_code == 200, answer.content
        for notice in PaymentNotice.objects.filter(applied_at=None):
            notice_apply(notice_id=notice.pk)


def merchant_of(channel: str, sandbox: Sandbox) -> tuple[Merchant, dict[str, Any]]:
    wechat = channel == "wechat_pay"
    known = sandbox.credentials if wechat else sandbox.alipay
    secrets = merchant_secrets(known) if wechat else seller_secrets(known)
    institution = PaymentInstitution.objects.create(
        code=channel,
        name=channel,
        agreement_from=date(2026, 1, 1),
        agreement_until=date(2027, 12, 31),
    )
    merchant = Merchant.objects.create(
        institution=institution,
        channel=channel,
        merchant_no=known["mchid" if wechat else "pid"],
        app_id=known["appid" if wechat else "app_id"],
        base_url=known["base_url"],
        secrets=json.dumps(secrets),
    )
    return merchant, known["plans"][0]


@pytest.fixture(params=CHANNELS)
def world(
    request: Any, sandbox: Sandbox, inbox: Inbox, settings: Any, still_clock: clock.FrozenClock
) -> Iterator[World]:
    settings.PORTAL_URL = inbox.url
    inbox.answer = lambda _received: (200, b"success")
    merchant, plan = merchant_of(request.param, sandbox)
    user, own, _mother = portal_house.family()
    now = datetime.fromisoformat(sandbox.control("GET", "clock")["now"])
    still_clock.at = now.astimezone(clock.ZONE)
    world = World(
        channel=request.param,
        sandbox=sandbox,
        inbox=inbox,
        plan=AgreementPlan.objects.create(
            merchant=merchant,
            plan_id=plan["plan_id"],
            single_fen=plan["single_fen"],
            daily_fen=plan["daily_fen"],
            daily_count=plan["daily_count"],
            hours_from=time(0),
            hours_until=time(0),
        ),
        user=user,
        own=own,
        phone=portal_house.signed_in(user),
        wallet="",
    )
    world.wallet = world.new_wallet()
    yield world
    outbound_clients.forget_clients()


def as_was(agreement: Agreement) -> Agreement:
    agreement.refresh_from_db()
    return agreement


def told(user: User) -> list[str]:
    rows = Notification.objects.filter(user=user, kind__startswith="agreement")
    return list(rows.order_by("pk").values_list("kind", flat=True))


def test_signed_on_the_wallets_page_and_ended_here(world: World) -> None:
    agreement = world.ask()
    back = world.sign(agreement)
    assert f"/agreements/{agreement.pk}/" in back
    assert (as_was(agreement).status, agreement.payer_id) == ("ACTIVE", world.wallet)
    assert not WalletIdentity.objects.exists()  # signing opens no account
    assert "已签约" in text_of(world.phone.get(f"/agreements/{agreement.pk}/result"))
    world.phone.post(f"/agreements/{agreement.pk}/end")
    assert (as_was(agreement).status, agreement.ended_how) == ("ENDED", "holder")
    assert agreement.channel_ended_at is not None
    world.deliver()  # the channel's own word about the end that we asked for
    assert as_was(agreement).due_at is None
    assert told(world.user) == ["agreement_signed", "agreement_ended"]


def test_ended_in_the_wallet_it_is_shown_and_told(world: World) -> None:
    agreement = world.ask()
    world.sign(agreement)
    world.unsign(as_was(agreement))
    assert (as_was(agreement).status, agreement.ended_how) == ("ENDED", "wallet")
    assert "在支付账户里解约" in text_of(world.phone.get("/agreements"))
    assert told(world.user) == ["agreement_signed", "agreement_unsigned"]


def test_another_wallet_is_refused_and_its_contract_ended(world: World) -> None:
    WalletIdentity.objects.create(
        user=world.user,
        channel=world.channel,
        app_id=world.plan.merchant.app_id,
        subject=world.wallet,
        created_at=clock.now(),
    )
    agreement = world.ask()
    world.sign(agreement, world.new_wallet())
    assert (as_was(agreement).status, agreement.ended_how) == ("ENDED", "refused")
    assert BillingReview.objects.get().figures == {"differs": "another wallet"}
    page = text_of(world.phone.get(f"/agreements/{agreement.pk}/result"))
    assert "没有签约" in page and "签约的不是您本人的账户" in page
    assert agreements_due(limit=10) == [agreement.pk]
    agreement_look(agreement_id=agreement.pk)
    assert as_was(agreement).channel_ended_at is not None
    again = world.ask()
    world.seen += 1  # the stranger's contract has ended there
    world.sign(again)
    assert as_was(again).status == "ACTIVE"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "bad_signature", "http_500_after"])
def test_an_end_the_channel_does_not_answer_is_asked_about_until_it_is_true(
    world: World, still_clock: clock.FrozenClock, fault: str
) -> None:
    agreement = world.ask()
    world.sign(agreement)
    number = world.sandbox.fault("unsign", fault, world.channel, times=1)
    world.phone.post(f"/agreements/{agreement.pk}/end")
    assert (as_was(agreement).status, agreement.channel_ended_at) == ("ENDED", None)
    world.sandbox.control("DELETE", f"faults/{number}")
    assert agreement.due_at is not None
    still_clock.at = agreement.due_at
    assert agreements_due(limit=10) == [agreement.pk]
    agreement_look(agreement_id=agreement.pk)
    assert as_was(agreement).channel_ended_at is not None
