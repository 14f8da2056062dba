"""The portal's side of the Alipay contract tests: an account, an adapter, a payer, an inbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import httpx
import pytest

from billing.channels.alipay import Alipay
from billing.channels.base import (
    AgreementOrder,
    AgreementReference,
    CaptureOrder,
    MerchantAccount,
    Mode,
    Notice,
    NoticeKind,
    OrderReference,
    PayeeKind,
    PeriodRule,
    RefundOrder,
    TransferOrder,
)
from core import clock, outbound_clients
from core.crypto import mask_name
from core.ids import business_number
from core.outcomes import Outcome
from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.wechat_client import Inbox, Received

AMOUNT = 8640
YES, NO, OPEN, LOST = Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING, Outcome.UNKNOWN


@dataclass
class House:
    """The portal's side: one seller's account, one adapter, one payer with a rich wallet."""

    sandbox: Sandbox
    inbox: Inbox
    still: clock.FrozenClock
    account: MerchantAccount
    user_id: str
    channel: Alipay

    def order(self, mode: Mode, amount_fen: int = AMOUNT, **more: str) -> CaptureOrder:
        now = clock.now()
        return CaptureOrder(
            merchant=self.account,
            number=business_number("TX"),
            amount_fen=amount_fen,
            description="市第一医院/账单 {000123}=急诊&",
            mode=mode,
            created_at=now,
            expires_at=now + timedelta(minutes=15),
            **more,
        )

    def reference(self, order: CaptureOrder, *, offered: bool = False) -> OrderReference:
        until = order.expires_at if offered else None
        return OrderReference(
            self.account, order.number, order.mode, order.amount_fen, offered_until=until
        )

    def refund(self, order: CaptureOrder, amount_fen: int) -> RefundOrder:
        number = business_number("RF")
        return RefundOrder(self.account, number, amount_fen, self.reference(order), "退一项检查")

    def scan(self, amount_fen: int = AMOUNT) -> CaptureOrder:
        code = self.act("show_code")["auth_code"]
        return self.order(Mode.SCAN, amount_fen, auth_code=code)

    def paid_scan(self, amount_fen: int = AMOUNT) -> CaptureOrder:
        order = self.scan(amount_fen)
        assert self.channel.capture(order).outcome is YES
        return order

    def transfer(self, amount_fen: int = AMOUNT, **more: object) -> TransferOrder:
        fields = {
            "payee": self.user_id,
            "payee_kind": PayeeKind.USER_ID,
            "payee_name": "张三",
        } | more
        return TransferOrder(
            merchant=self.account,
            number=business_number("TF"),
            amount_fen=amount_fen,
            title="退还预交金",
            **fields,  # type: ignore[arg-type]
        )

    def act(self, action: str, **args: object) -> dict[str, object]:
        return self.sandbox.act("alipay_payer", action, self.user_id, **args)

    def fault(self, operation: str, fault: str) -> str:
        return self.sandbox.fault(operation, fault, "alipay", times=1)

    def book(self, name: str) -> int:
        return self.sandbox.book("alipay", self.account.merchant_no)[name]["fen"]

    def advance(self, seconds: int) -> None:
        """Both clocks, as in the demo."""
        moved = self.sandbox.control("POST", "clock", {"advance_s": seconds})["now"]
        self.still.at = datetime.fromisoformat(moved).astimezone(clock.ZONE)

    def told(self, kind: NoticeKind, nth: int, own: NoticeKind | None = None) -> Notice:
        """The nth notice (from 1), read by the adapter at the address it came to."""
        received: Received = self.inbox.await_count(nth)[nth - 1]
        assert received.path == f"/notices/alipay/{self.account.merchant_no}/{kind.value}"
        notice = self.channel.parse_notice(
            kind, dict(received.headers.items()), received.body, self.account
        )
        assert notice.kind is (own or kind)
        return notice

    def agreement(self, plan: int = 0, period: PeriodRule | None = None) -> AgreementReference:
        """Signed through our own link and the wallet's page."""
        known = self.sandbox.alipay["plans"][plan]["plan_id"]
        back = "https://pay.hospital.example/agreements"
        code = business_number("AG")
        order = AgreementOrder(self.account, code, known, "张三", back, period)
        page = httpx.get(self.channel.sign_url(order), follow_redirects=True)
        assert page.status_code == 200, page.text
        assert "云溪市第一医院" in page.text and mask_name("张三") in page.text
        seen = len(self.inbox.got)
        httpx.post(page.url, data={"answer": "yes", "user_id": self.user_id})
        notice = self.told(NoticeKind.AGREEMENT, seen + 1)
        assert notice.agreement_active
        assert (notice.number, notice.plan_id) == (code, known)
        assert notice.answer.payer_id == self.user_id
        return AgreementReference(self.account, code, known, notice.contract_id)


@pytest.fixture(name="house")
def alipay_house(sandbox: Sandbox, inbox: Inbox, still_clock: clock.FrozenClock) -> Iterator[House]:
    inbox.answer = lambda _received: (200, b"success")
    known = sandbox.alipay
    names = ("app_private_key", "alipay_public_key", "app_cert", "alipay_cert", "alipay_root_cert")
    account = MerchantAccount(
        channel="alipay",
        merchant_no=known["pid"],
        app_id=known["app_id"],
        base_url=known["base_url"],
        notify_base_url=inbox.url,
        secrets=MappingProxyType({name: known[name] for name in names}),
    )
    made = sandbox.act("alipay_payer", "create_wallet", "", name="张三", balance_fen=10_000_000)
    now = datetime.fromisoformat(sandbox.control("GET", "clock")["now"])
    still_clock.at = now.astimezone(clock.ZONE)
    yield House(sandbox, inbox, still_clock, account, made["user_id"], Alipay())
    outbound_clients.forget_clients()
