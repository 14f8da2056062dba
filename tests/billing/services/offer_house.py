"""Two wallets' houses in memory, each as its real one: WeChat knows an order from its creation,
Alipay one that was shown from its first opening."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

from billing.channels.base import (
    Action,
    Capability,
    CaptureOrder,
    ChannelAnswer,
    Mode,
    OrderReference,
)
from billing.models import Invoice, Merchant, PaymentInstitution
from billing.offers import Offer
from billing.services.collecting.pay_links import offer_choose
from core.outcomes import Outcome
from tests import scripted
from tests.factories import payments

TABLE = {
    "wechat_pay": "tests.billing.services.offer_house.Wechat",
    "alipay": "tests.billing.services.offer_house.Alipay",
    "cash": "billing.channels.cash.Cash",
}
NATIVE, H5, JSAPI = Mode.NATIVE, Mode.H5, Mode.JSAPI
# What each number is at its house: open, shown (never opened), closed or paid.
ORDERS: dict[str, str] = {}
SENT: list[CaptureOrder] = []
EVENTS: list[tuple[str, str]] = []
_lock = threading.RLock()


class Wechat(scripted.ScriptedChannel):
    begins = "open"

    def capture(self, order: CaptureOrder) -> ChannelAnswer:
        with _lock:
            ORDERS[order.number] = self.begins
            SENT.append(order)
            EVENTS.append((self.code, "capture"))
        kind = {NATIVE: "qr", H5: "url", JSAPI: "wallet"}[order.mode]
        action = Action(kind, f"https://pay.example/{order.number}", order.expires_at)
        return ChannelAnswer(Outcome.PENDING, code="NOTPAY", executed=True, action=action)

    def query(self, order: OrderReference) -> ChannelAnswer:
        with _lock:
            return self.state(order)

    def close(self, order: OrderReference) -> ChannelAnswer:
        with _lock:
            EVENTS.append((self.code, "close"))
            if ORDERS.get(order.number) == "open":
                ORDERS[order.number] = "closed"
            found = self.state(order)
        if found.outcome is Outcome.SUCCEEDED:
            return ChannelAnswer(Outcome.UNKNOWN, code="ORDERPAID", executed=True)
        return scripted.MISSING if found.outcome is Outcome.PENDING else found

    def state(self, order: OrderReference) -> ChannelAnswer:
        state = ORDERS.get(order.number)
        if state == "paid":
            return scripted.PAID
        if state == "closed":
            return scripted.CLOSED
        shown = state == "shown" and order.offered_until is not None
        return scripted.PENDING if state == "open" or shown else scripted.MISSING


class Alipay(Wechat):
    code = "alipay"
    begins = "shown"
    capabilities = frozenset(Capability) - {Capability.JSAPI}


def live() -> list[str]:
    """Numbers that somebody could still pay."""
    return [number for number, state in ORDERS.items() if state in ("open", "shown")]


def reset() -> None:
    for kept in (ORDERS, SENT, EVENTS):
        kept.clear()  # type: ignore[attr-defined]


def alipay_merchant(**values: Any) -> Merchant:
    institution = PaymentInstitution.objects.get_or_create(
        code="alipay",
        defaults={
            "name": "支付宝",
            "agreement_from": date(2026, 1, 1),
            "agreement_until": date(2026, 12, 31),
        },
    )[0]
    filled = {"institution": institution, "app_id": "2021000000000001"} | values
    return Merchant.objects.create(channel="alipay", merchant_no="2088001", **filled)


def both() -> tuple[Merchant, Merchant]:
    return payments.merchant(), alipay_merchant()


def choose(bill: Invoice, channel: str, mode: Mode, key: str = "k1", **more: Any) -> Action | None:
    return offer_choose(
        invoice=Invoice.objects.get(pk=bill.pk),
        offer=Offer(channel, mode),
        payer_address="10.0.0.1",
        form_key=key,
        **more,
    )
