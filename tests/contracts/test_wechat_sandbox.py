"""The adapter against the sandbox over real sockets: two readings of the same references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import httpx
import pytest

from billing.channels.base import (
    AgreementOrder,
    AgreementReference,
    CaptureOrder,
    MerchantAccount,
    Mode,
    Notice,
    NoticeKind,
    OrderReference,
    RefundOrder,
)
from billing.channels.wechat_pay import WechatPay
from core import clock, outbound_clients
from core.ids import business_number
from core.outcomes import Outcome
from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.wechat_client import Inbox, Received

pytestmark = pytest.mark.django_db

AMOUNT = 8640
YES, NO, OPEN, LOST = Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING, Outcome.UNKNOWN


@dataclass
class House:
    """The portal's side: one merchant account, one adapter, one payer with a rich wallet."""

    sandbox: Sandbox
    inbox: Inbox
    still: clock.FrozenClock
    account: MerchantAccount
    openid: str
    channel: WechatPay

    def order(self, mode: Mode, amount_fen: int = AMOUNT, **more: str) -> CaptureOrder:
        now = clock.now()
        return CaptureOrder(
            merchant=self.account,
            number=business_number("TX"),
            amount_fen=amount_fen,
            description="市第一医院 账单 000123",
            mode=mode,
            created_at=now,
            expires_at=now + timedelta(minutes=30),
            payer_address="203.0.113.9",
            **more,
        )

    def reference(self, order: CaptureOrder) -> OrderReference:
        return OrderReference(self.account, order.number, order.mode, order.amount_fen)

    def refund(self, order: CaptureOrder, amount_fen: int) -> RefundOrder:
        number = business_number("RF")
        return RefundOrder(self.account, number, amount_fen, self.reference(order), "退一项检查")

    def scan(self, amount_fen: int = AMOUNT) -> CaptureOrder:
        code = self.sandbox.act("payer", "show_code", self.openid)["auth_code"]
        return self.order(Mode.SCAN, amount_fen, auth_code=code)

    def advance(self, seconds: int) -> None:
        """Both clocks, as in the demo."""
        moved = self.sandbox.control("POST", "clock", {"advance_s": seconds})["now"]
        self.still.at = datetime.fromisoformat(moved).astimezone(clock.ZONE)

    def told(self, kind: NoticeKind, nth: int) -> Notice:
        """The nth notice (from 1), read by the adapter at the address it came to."""
        received: Received = self.inbox.await_count(nth)[nth - 1]
        assert received.path == f"/notices/wechat_pay/{self.account.merchant_no}/{kind.value}"
        headers = dict(received.headers.items())
        return self.channel.parse_notice(kind, headers, received.body, self.account)

    def agreement(self, plan: int = 0) -> str:
        """Signed through our own link; its notice is the first in the inbox."""
        known = self.sandbox.credentials["plans"][plan]["plan_id"]
        order = AgreementOrder(self.account, business_number("AG"), known, "张三", "")
        page = httpx.get(self.channel.sign_url(order))
        assert page.status_code == 302, page.text
        self.sandbox.act("payer", "sign", self.openid, link=page.headers["Location"])
        notice = self.told(NoticeKind.AGREEMENT, len(self.inbox.got) or 1)
        assert notice.agreement_active
        assert (notice.number, notice.plan_id) == (order.contract_code, known)
        assert notice.answer.payer_id == self.openid
        return notice.contract_id


@pytest.fixture
def house(sandbox: Sandbox, inbox: Inbox, still_clock: clock.FrozenClock) -> Iterator[House]:
    known = sandbox.credentials
    names = ("merchant_private_key", "platform_public_key", "platform_public_key_id", "api_v3_key")
    names += ("api_v2_key", "client_cert", "client_key", "ca", "base_url_tls")
    secrets = {name: known[name] for name in names}
    secrets["merchant_serial"] = known["merchant_serial_no"]
    account = MerchantAccount(
        channel="wechat_pay",
        merchant_no=known["mchid"],
        app_id=known["appid"],
        base_url=known["base_url"],
        notify_base_url=inbox.url,
        secrets=MappingProxyType(secrets),
    )
    made = sandbox.act("payer", "create_wallet", "", balance_fen=10_000_000)
    now = datetime.fromisoformat(sandbox.control("GET", "clock")["now"])
    still_clock.at = now.astimezone(clock.ZONE)
    yield House(sandbox, inbox, still_clock, account, made["openid"], WechatPay())
    outbound_clients.forget_clients()


def test_native_is_paid_notified_and_returned(house: House) -> None:
    order = house.order(Mode.NATIVE)
    created = house.channel.capture(order)
    assert (created.outcome, created.action.type) == (OPEN, "qr")
    assert house.channel.query(house.reference(order)).code == "NOTPAY"

    house.sandbox.act("payer", "confirm", house.openid, link=created.action.value)

    notice = house.told(NoticeKind.CAPTURE, 1)
    asked = house.channel.query(house.reference(order))
    assert (notice.number, notice.answer.outcome) == (order.number, YES)
    assert (asked.outcome, asked.amount_fen, asked.payer_id) == (YES, 8640, house.openid)
    assert asked.channel_no == notice.answer.channel_no
    assert asked.occurred_at == notice.answer.occurred_at
    refund = house.refund(order, 1250)
    assert house.channel.refund_query(refund).executed is False
    assert house.channel.refund(refund).outcome in (OPEN, YES)
    returned = house.told(NoticeKind.REFUND, 2)
    assert (returned.number, returned.original_number) == (refund.number, order.number)
    assert (returned.answer.outcome, returned.answer.amount_fen) == (YES, 1250)
    assert house.channel.refund_query(refund).outcome is YES
    assert house.channel.query(house.reference(order)).code == "REFUND"
    book = house.sandbox.book()
    assert (book["captured"]["fen"], book["refunded"]["fen"]) == (8640, 1250)


def test_the_same_refund_twice_moves_money_once_and_the_next_waits(house: House) -> None:
    order = house.scan()
    assert house.channel.capture(order).outcome is YES
    first, second = house.refund(order, 100), house.refund(order, 200)
    house.channel.refund(first)
    house.channel.refund(first)
    early = house.channel.refund(second)
    assert (early.outcome, early.code) == (LOST, "FREQUENCY_LIMITED")
    assert early.retry_at == clock.now() + timedelta(seconds=60)
    house.advance(house.channel.refund_gap_s + 1)
    assert house.channel.refund(second).outcome in (OPEN, YES)
    assert house.sandbox.book()["refunded"]["fen"] == 300


def test_h5_is_closed_and_stays_closed(house: House) -> None:
    order = house.order(Mode.H5)
    created = house.channel.capture(order)
    assert created.action.type == "url"
    ended = house.channel.close(house.reference(order))
    assert (ended.outcome, ended.closed) == (NO, True)
    asked = house.channel.query(house.reference(order))
    assert (asked.outcome, asked.closed) == (NO, True)
    again = house.channel.close(house.reference(order))
    assert again.closed


def test_a_paid_order_refuses_to_close(house: House) -> None:
    order = house.order(Mode.NATIVE)
    link = house.channel.capture(order).action.value
    house.sandbox.act("payer", "confirm", house.openid, link=link)
    ended = house.channel.close(house.reference(order))
    assert (ended.outcome, ended.closed, ended.executed) == (LOST, False, True)


def test_a_scanned_code_pays_at_once(house: House) -> None:
    order = house.scan()
    found = house.channel.capture(order)
    assert (found.outcome, found.amount_fen) == (YES, 8640)
    used = replace(house.order(Mode.SCAN), auth_code=order.auth_code)
    assert house.channel.capture(used).code == "AUTH_CODE_INVALID"
    assert house.channel.query(house.reference(used)).outcome is not YES


def test_user_paying_is_reversed_when_the_password_does_not_come(house: House) -> None:
    order = house.scan(amount_fen=200_000)
    assert house.channel.capture(order).code == "USERPAYING"
    assert house.channel.query(house.reference(order)).outcome is OPEN
    early = house.channel.reverse(house.reference(order))
    if early.closed:
        pytest.fail("reversed within the first 15 seconds")
    assert (early.outcome, early.retry_at is not None) == (LOST, True)
    house.advance(46)
    assert house.channel.reverse(house.reference(order)).closed
    asked = house.channel.query(house.reference(order))
    assert (asked.outcome, asked.code, asked.closed) == (NO, "REVOKED", True)
    assert house.sandbox.book()["captured"]["fen"] == 0


def test_user_paying_then_paid_and_reversed_gives_the_money_back(house: House) -> None:
    order = house.scan(amount_fen=200_000)
    assert house.channel.capture(order).outcome is OPEN
    house.sandbox.act("payer", "confirm", house.openid)
    assert house.channel.query(house.reference(order)).outcome is YES
    house.advance(16)
    assert house.channel.reverse(house.reference(order)).closed
    assert house.channel.reverse(house.reference(order)).closed
    assert house.channel.query(house.reference(order)).outcome is NO


def test_a_number_never_sent_is_not_found(house: House) -> None:
    for mode in (Mode.NATIVE, Mode.SCAN, Mode.AGREEMENT):
        found = house.channel.query(house.reference(house.order(mode)))
        assert (found.outcome, found.executed) == (LOST, False)


def test_deduction_is_taken_notified_and_returned_over_mutual_tls(house: House) -> None:
    contract_id = house.agreement()
    order = house.order(Mode.AGREEMENT, contract_id=contract_id)
    assert house.channel.capture(order).outcome is OPEN
    notice = house.told(NoticeKind.CAPTURE, 2)
    asked = house.channel.query(house.reference(order))
    assert (notice.number, notice.contract_id) == (order.number, contract_id)
    assert (notice.answer.outcome, asked.outcome) == (YES, YES)
    assert notice.answer.amount_fen == asked.amount_fen == 8640
    assert notice.answer.channel_no == asked.channel_no
    refund = house.refund(order, 1250)
    assert house.channel.refund(refund).outcome is OPEN
    rung = house.told(NoticeKind.REFUND, 3)
    assert (rung.number, rung.original_number) == (refund.number, order.number)
    assert (rung.answer.outcome, rung.answer.code) == (OPEN, "CONFIRM_BY_QUERY")
    found = house.channel.refund_query(refund)
    assert (found.outcome, found.amount_fen) == (YES, 1250)


def test_a_stranger_without_certificate_gets_no_refund(house: House) -> None:
    contract_id = house.agreement()
    order = house.order(Mode.AGREEMENT, contract_id=contract_id)
    house.channel.capture(order)
    house.told(NoticeKind.CAPTURE, 2)
    plain = replace(
        house.account,
        secrets=MappingProxyType({**house.account.secrets, "base_url_tls": house.account.base_url}),
    )
    found = house.channel.refund(replace(house.refund(order, 1250), merchant=plain))
    assert found.outcome is LOST
    assert house.sandbox.book()["refunded"]["fen"] == 0


def test_an_empty_wallet_declines_and_a_new_number_may_pay(house: House) -> None:
    contract_id = house.agreement()
    house.sandbox.act("payer", "set_balance", house.openid, balance_fen=0)
    order = house.order(Mode.AGREEMENT, contract_id=contract_id)
    house.channel.capture(order)
    notice = house.told(NoticeKind.CAPTURE, 2)
    asked = house.channel.query(house.reference(order))
    assert (notice.answer.outcome, asked.outcome) == (NO, NO)
    assert notice.answer.code == "NOTENOUGH"
    house.sandbox.act("payer", "set_balance", house.openid, balance_fen=AMOUNT)
    again = house.order(Mode.AGREEMENT, contract_id=contract_id)
    house.channel.capture(again)
    assert house.told(NoticeKind.CAPTURE, 3).answer.outcome is YES


def test_over_the_limit_of_the_plan_is_declined(house: House) -> None:
    contract_id = house.agreement(plan=1)
    order = house.order(Mode.AGREEMENT, amount_fen=50_001, contract_id=contract_id)
    sent = house.channel.capture(order)
    asked = house.channel.query(house.reference(order))
    assert NO in (sent.outcome, asked.outcome)
    assert house.sandbox.book()["captured"]["fen"] == 0


def test_deduction_closed_before_it_is_taken(house: House) -> None:
    contract_id = house.agreement()
    fault = house.sandbox.fault("capture", "never_final", times=1)
    order = house.order(Mode.AGREEMENT, contract_id=contract_id)
    assert house.channel.capture(order).outcome is OPEN
    assert house.channel.query(house.reference(order)).outcome is OPEN
    assert house.channel.close(house.reference(order)).closed
    asked = house.channel.query(house.reference(order))
    assert (asked.outcome, asked.closed) == (NO, True)
    assert house.channel.close(house.reference(order)).closed
    house.sandbox.control("DELETE", f"faults/{fault}")
    assert house.sandbox.book()["captured"]["fen"] == 0


def test_agreement_is_queried_ended_and_no_longer_takes(house: House) -> None:
    contract_id = house.agreement()
    plan_id = house.sandbox.credentials["plans"][0]["plan_id"]
    mandate = AgreementReference(house.account, "", plan_id, contract_id)
    active = house.channel.agreement_query(mandate)
    assert (active.outcome, active.payer_id, active.channel_no) == (YES, house.openid, contract_id)
    assert house.channel.unsign(mandate, reason="患者要求").outcome is YES
    assert house.channel.unsign(mandate, reason="患者要求").outcome is YES
    ended = house.told(NoticeKind.AGREEMENT, 2)
    assert (ended.agreement_active, ended.contract_id) == (False, contract_id)
    assert house.channel.agreement_query(mandate).outcome is NO
    order = house.order(Mode.AGREEMENT, contract_id=contract_id)
    assert house.channel.capture(order).code == "CONTRACT_NOT_EXIST"
    unknown = AgreementReference(house.account, "AGNOBODY", plan_id)
    assert house.channel.agreement_query(unknown).executed is False


@pytest.mark.parametrize("mode", [Mode.SCAN, Mode.AGREEMENT])
@pytest.mark.parametrize(
    "fault, taken",
    [
        ("drop_before", False),
        ("http_500_before", False),
        ("drop_after", True),
        ("http_500_after", True),
        ("bad_signature", True),
    ],
)
def test_a_lost_answer_is_settled_by_the_query(
    house: House, mode: Mode, fault: str, taken: bool
) -> None:
    scanned = mode is Mode.SCAN
    order = house.scan() if scanned else house.order(mode, contract_id=house.agreement())
    house.sandbox.fault("capture", fault, times=1)
    sent = house.channel.capture(order)
    assert (sent.outcome, sent.executed) == (LOST, None)
    if taken and not scanned:
        house.told(NoticeKind.CAPTURE, 2)
    asked = house.channel.query(house.reference(order))
    assert asked.outcome is (YES if taken else LOST)
    assert asked.executed is taken
    assert house.sandbox.book()["captured"]["fen"] == (8640 if taken else 0)


def test_a_refused_connection_never_left(house: House) -> None:
    house.sandbox.fault("capture", "refuse_connection", times=1)
    sent = house.channel.capture(house.scan())
    assert sent.outcome is LOST
    assert sent.code in ("NOT_SENT", "NO_ANSWER")


@pytest.mark.parametrize("fate, outcome", [("CLOSED", NO), ("ABNORMAL", OPEN)])
@pytest.mark.parametrize("mode", [Mode.SCAN, Mode.AGREEMENT])
def test_a_refund_that_does_not_arrive(
    house: House, mode: Mode, fate: str, outcome: Outcome
) -> None:
    if mode is Mode.SCAN:
        order = house.scan()
        house.channel.capture(order)
    else:
        order = house.order(mode, contract_id=house.agreement())
        house.channel.capture(order)
        house.told(NoticeKind.CAPTURE, 2)
    house.sandbox.fault("refund", "never_final", times=1)
    refund = house.refund(order, 500)
    assert house.channel.refund(refund).outcome is OPEN
    assert house.channel.refund_query(refund).code == "PROCESSING"
    house.sandbox.act(
        "wechat_pay", "finish_refund", refund.number, mchid=house.account.merchant_no, status=fate
    )
    found = house.channel.refund_query(refund)
    assert (found.outcome, found.code) == (outcome, fate)


def test_a_refused_password_declines(house: House) -> None:
    order = house.scan(amount_fen=200_000)
    assert house.channel.capture(order).outcome is OPEN
    house.sandbox.act("payer", "refuse", house.openid)
    asked = house.channel.query(house.reference(order))
    assert (asked.outcome, asked.code) == (NO, "PAYERROR")


def test_an_hmac_account_signs_deducts_and_returns(house: House) -> None:
    secrets = {**house.account.secrets, "sign_type": "HMAC-SHA256"}
    house.account = replace(house.account, secrets=MappingProxyType(secrets))
    order = house.order(Mode.AGREEMENT, contract_id=house.agreement())
    assert house.channel.capture(order).outcome is OPEN
    assert house.told(NoticeKind.CAPTURE, 2).answer.outcome is YES
    refund = house.refund(order, AMOUNT)
    assert house.channel.refund(refund).outcome is OPEN
    house.told(NoticeKind.REFUND, 3)
    assert house.channel.refund_query(refund).outcome is YES
