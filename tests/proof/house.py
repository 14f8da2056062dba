"""A portal that pays at the sandbox: real adapter, real sockets, one clock for both."""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings

from billing.models import Agreement, AgreementPlan, Merchant
from config.demo.hospital import merchant_secrets
from core import clock
from patients.models import Patient
from tests.factories import payments
from tests.fixtures.sandbox_process import Sandbox

RICH_FEN = 100_000_000
NOTICES = "/notices/wechat_pay"


class SharedClock(clock.FrozenClock):
    """A still clock whose instant forked processes share, so that all are moved together."""

    def __init__(self, at: datetime) -> None:
        self._memory = mmap.mmap(-1, 8)
        self.at = at

    @property
    def at(self) -> datetime:  # type: ignore[override]
        (micros,) = struct.unpack("q", self._memory[:8])
        return datetime.fromtimestamp(0, clock.ZONE) + timedelta(microseconds=micros)

    @at.setter
    def at(self, instant: datetime) -> None:
        micros = (instant - datetime.fromtimestamp(0, clock.ZONE)) // timedelta(microseconds=1)
        self._memory[:8] = struct.pack("q", micros)


@contextmanager
def shared_clock(at: datetime) -> Iterator[SharedClock]:
    """`clock.freeze` with a clock of ours."""
    shared = SharedClock(at)
    clock._frozen.append(shared)
    try:
        yield shared
    finally:
        clock._frozen.remove(shared)


@dataclass
class House:
    """The portal's rows that the sandbox knows too."""

    sandbox: Sandbox
    clock: clock.FrozenClock
    merchant: Merchant
    plans: list[AgreementPlan]

    def advance(self, seconds: float) -> None:
        """Both clocks; the sandbox's runs on by itself, so ours takes its instant."""
        moved = self.sandbox.control("POST", "clock", {"advance_s": seconds})["now"]
        self.clock.at = datetime.fromisoformat(moved).astimezone(clock.ZONE)

    def wallet(self, balance_fen: int = RICH_FEN, **more: Any) -> str:
        made = self.sandbox.act("payer", "create_wallet", "", balance_fen=balance_fen, **more)
        return str(made["openid"])

    def agreement(
        self, patient: Patient, openid: str = "", plan: int = 0, **values: Any
    ) -> Agreement:
        """Signed at the sandbox by a rich wallet, unless another is named."""
        openid = openid or self.wallet()
        row = payments.agreement(
            patient, plan=self.plans[plan], status="SIGNING", payer_id=openid, **values
        )
        signed = self.sandbox.act(
            "payer",
            "sign",
            openid,
            mchid=self.merchant.merchant_no,
            plan_id=row.plan.plan_id,
            contract_code=row.contract_code,
            request_serial=str(row.pk),
            display_account="张三",
            notify_url=f"{settings.PORTAL_URL}{NOTICES}/{self.merchant.merchant_no}/agreement",
        )
        Agreement.objects.filter(pk=row.pk).update(
            status="ACTIVE", contract_id=signed["contract_id"]
        )
        row.refresh_from_db()
        return row

    def rows(self) -> list[dict[str, Any]]:
        """Every order and refund as the sandbox sees it."""
        found: list[dict[str, Any]] = []
        page: int | None = 1
        while page:
            path = f"transactions?counterparty=wechat_pay&page={page}"
            answer = self.sandbox.control("GET", path)
            found += answer["transactions"]
            page = answer["next"]
        return found


def house_open(sandbox: Sandbox, at: clock.FrozenClock) -> House:
    """The merchant with the credentials the sandbox gave out, and its two agreement plans."""
    given = sandbox.credentials
    merchant = payments.merchant(
        given["mchid"],
        app_id=given["appid"],
        base_url=given["base_url"],
        secrets=json.dumps(merchant_secrets(given)),
    )
    plans = []
    for one in given["plans"]:
        until = one["hours_to"]
        limits = {
            "single_fen": one["single_fen"],
            "daily_fen": one["daily_fen"],
            "daily_count": one["daily_count"],
            "hours_from": time.fromisoformat(one["hours_from"]),
            "hours_until": time(0) if until == "24:00" else time.fromisoformat(until),
        }
        plans.append(payments.plan(merchant, one["plan_id"], **limits))
    house = House(sandbox, at, merchant, plans)
    house.advance(0)
    return house
