"""The demo's Alipay: sellers with the credentials the sandbox gave out, and everybody's wallet."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from billing.models import Merchant, PaymentInstitution
from config.demo.sandbox_client import SandboxError, sandbox_act
from core import clock
from core.models import User
from patients.models import Campus, WalletIdentity

CHANNEL = "alipay"
SECRETS = ("app_private_key", "alipay_public_key", "app_cert", "alipay_cert", "alipay_root_cert")
# A periodic agreement needs a rule of its own; visits are paid under the other product.
VISITS = "GENERAL_WITHHOLDING"


def sellers_load(credentials: Path, campuses: dict[str, Campus]) -> list[tuple[Merchant, Any]]:
    """Each campus's seller, with the plans it may offer."""
    known = json.loads(credentials.read_text(encoding="utf8"))
    institution, _made = PaymentInstitution.objects.update_or_create(
        code="alipay",
        defaults={
            "name": "支付宝（中国）网络技术有限公司",
            "licence_no": "Z2000133000019",
            "agreement_from": date(2026, 1, 1),
            "agreement_until": date(2027, 12, 31),
        },
    )
    loaded = []
    for place, given in zip(("main", "east"), known["merchants"], strict=False):
        merchant, _made = Merchant.objects.update_or_create(
            channel=CHANNEL,
            merchant_no=given["pid"],
            defaults={
                "institution": institution,
                "app_id": given["app_id"],
                "base_url": given["base_url"],
                "campus": campuses[place],
                "secrets": json.dumps(seller_secrets(given)),
            },
        )
        plans = [plan for plan in given["plans"] if plan["product_code"] == VISITS]
        loaded.append((merchant, plans))
    return loaded


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
