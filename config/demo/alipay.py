"""The demo's Alipay: sellers with the credentials the sandbox gave out, and everybody's wallet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from billing.models import Merchant
from config.demo.sandbox_client import SandboxError, sandbox_act
from core import clock
from core.models import User
from patients.models import WalletIdentity

CHANNEL = "alipay"
SECRETS = ("app_private_key", "alipay_public_key", "app_cert", "alipay_cert", "alipay_root_cert")
# A periodic agreement needs a rule of its own; visits are paid under the other product.
VISITS = "GENERAL_WITHHOLDING"
# Terms like a real hospital's: two people of the demo have them, the others choose the wide ones.
NARROW_FEN = 50_000
PLAN_TERMS = ("name", "single_fen", "daily_fen", "daily_count", "hours_from")


INSTITUTION = {
    "code": "alipay",
    "name": "支付宝（中国）网络技术有限公司",
    "licence_no": "Z2000133000019",
    "agreement_from": "2026-01-01",
    "agreement_until": "2027-12-31",
}


def sellers_entries(credentials: Path, campuses: Iterable[str]) -> list[dict[str, Any]]:
    """Each campus's seller as a hospital's file names a merchant, with the plans it may offer."""
    known = json.loads(credentials.read_text(encoding="utf8"))
    return [
        {
            "channel": CHANNEL,
            "merchant_no": given["pid"],
            "institution": INSTITUTION["code"],
            "campus": campus,
            "app_id": given["app_id"],
            "base_url": given["base_url"],
            "secrets": seller_secrets(given),
            "plans": [
                plan_entry(plan) for plan in given["plans"] if plan["product_code"] == VISITS
            ],
        }
        for campus, given in zip(campuses, known["merchants"], strict=False)
    ]


def plan_entry(given: dict[str, Any]) -> dict[str, Any]:
    """A plan the sandbox gave out, as a hospital's file names one."""
    return {
        "plan_id": str(given["plan_id"]),
        "hours_until": given["hours_to"],
        "offered": given["single_fen"] > NARROW_FEN,
        **{name: given[name] for name in PLAN_TERMS},
    }


def seller_secrets(given: dict[str, Any]) -> dict[str, str]:
    """The provisioned credentials under the names the adapter reads."""
    return {name: given[name] for name in SECRETS}


def wallet_load(*, user: User, number: int, name: str, phone: str, balance_fen: int) -> None:
    """A person's Alipay account, known to us by the id of a user who signed in with it."""
    merchant = Merchant.objects.filter(channel=CHANNEL).order_by("pk")[0]
    user_id = f"2088{number:012d}"
    WalletIdentity.objects.get_or_create(
        channel=CHANNEL,
        app_id=merchant.app_id,
        subject=user_id,
        defaults={"user": user, "created_at": clock.now()},
    )
    try:
        sandbox_act("alipay_payer", "show_wallet", user_id)
    except SandboxError:
        # An earlier run's wallet is the person's, not ours to fill again.
        sandbox_act(
            "alipay_payer", "create_wallet", user_id,
            name=name, phone=phone, balance_fen=balance_fen,
        )  # fmt: skip
