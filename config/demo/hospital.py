"""Places, the HIS's token, staff, and the merchants with the credentials the sandbox gave out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from allauth.mfa.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.models import Group

from billing.models import AgreementPlan, Merchant, PaymentInstitution
from config.demo.alipay import sellers_load
from config.demo.codes import demo_secrets, demo_totp
from config.roles import ROLES, roles_sync
from core.models import User
from core.second_factor import second_factor_enrol, second_factor_of
from patients.models import Campus, HisClient

HOSPITAL = "云溪市第一医院"
CAMPUSES = (
    ("main", f"{HOSPITAL}", "门诊楼 1 层 3 号窗口，7:30–17:00，可付现金", "0500-8612 0000"),
    ("east", f"{HOSPITAL}东院", "东院门诊 1 层 1 号窗口，8:00–17:00，可付现金", "0500-8612 0100"),
)
STAFF_NAMES = {
    "cashier": "张敏",
    "refund_clerk": "周建平",
    "reviewer": "李志强",
    "finance": "何静",
    "auditor": "林晓",
    "it": "韩磊",
}


@dataclass(frozen=True, slots=True)
class Login:
    """A demo user with the password that is printed; demo only."""

    username: str
    password: str
    role: str
    totp_secret: str


def hospital_load(*, credentials: Path) -> tuple[str, list[Login]]:
    """Load or find everything; returns the HIS token and the staff logins."""
    roles_sync()
    for code, name, window, phone in CAMPUSES:
        Campus.objects.update_or_create(
            code=code,
            defaults={
                "name": name,
                "institution_code": f"H3303000000{len(code)}",
                "window_text": window,
                "phone": phone,
            },
        )
    _merchants(json.loads(credentials.read_text(encoding="utf8")))
    campuses = {campus.code: campus for campus in Campus.objects.all()}
    for merchant, plans in sellers_load(credentials.with_name("alipay.json"), campuses):
        for plan in plans:
            _plan(merchant, plan)
    secrets_known = demo_secrets()
    _his_client(secrets_known["his_token"])
    return secrets_known["his_token"], _staff(secrets_known["password"])


def _his_client(token: str) -> HisClient:
    return HisClient.objects.update_or_create(
        code="his",
        defaults={
            "name": f"{HOSPITAL} HIS",
            "token_digest": hashlib.sha256(token.encode()).hexdigest(),
            "scopes": ["read", "write", "money"],
            "addresses": ["127.0.0.0/8", "::1/128"],
            "events_url": f"{settings.SANDBOX_URL}/his/events",
            "events_secret": settings.DEMO_EVENTS_SECRET,
        },
    )[0]


def _staff(password: str) -> list[Login]:
    logins = []
    for role in ("admin", *ROLES):
        user, _made = User.objects.update_or_create(
            username=role,
            defaults={
                "is_staff": True,
                "is_superuser": role == "admin",
                "first_name": STAFF_NAMES.get(role, "管理员"),
            },
        )
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        if role != "admin":
            user.groups.set([Group.objects.get(name=role)])
        totp = demo_totp(role)
        factor = second_factor_of(user)
        if factor is None or get_adapter().decrypt(factor.data["secret"]) != totp:
            second_factor_enrol(user=user, secret=totp)
        logins.append(Login(role, password, role, totp))
    return logins


def _merchants(known: dict[str, Any]) -> None:
    institution, _made = PaymentInstitution.objects.update_or_create(
        code="tenpay",
        defaults={
            "name": "财付通支付科技有限公司",
            "licence_no": "Z2000444000011",
            "agreement_from": date(2026, 1, 1),
            "agreement_until": date(2027, 12, 31),
        },
    )
    campuses = {code: Campus.objects.get(code=code) for code, *_rest in CAMPUSES}
    for place, given in zip(("main", "east"), known["merchants"], strict=False):
        merchant, _made = Merchant.objects.update_or_create(
            channel="wechat_pay",
            merchant_no=given["mchid"],
            defaults={
                "institution": institution,
                "app_id": given["appid"],
                "base_url": given["base_url"],
                "campus": campuses[place],
                "secrets": json.dumps(merchant_secrets(given)),
            },
        )
        for plan in given["plans"]:
            _plan(merchant, plan)


def merchant_secrets(given: dict[str, Any]) -> dict[str, str]:
    """The provisioned credentials under the names the adapter reads."""
    return {
        "merchant_private_key": given["merchant_private_key"],
        "merchant_serial": given["merchant_serial_no"],
        "platform_public_key": given["platform_public_key"],
        "platform_public_key_id": given["platform_public_key_id"],
        "api_v3_key": given["api_v3_key"],
        "api_v2_key": given["api_v2_key"],
        "client_cert": given["client_cert"],
        "client_key": given["client_key"],
        "ca": given["ca"],
        "base_url_tls": given["base_url_tls"],
    }


def _plan(merchant: Merchant, given: dict[str, Any]) -> AgreementPlan:
    until = given["hours_to"]
    return AgreementPlan.objects.update_or_create(
        merchant=merchant,
        plan_id=given["plan_id"],
        defaults={
            "name": given["name"],
            "single_fen": given["single_fen"],
            "daily_fen": given["daily_fen"],
            "daily_count": given["daily_count"],
            "hours_from": time.fromisoformat(given["hours_from"]),
            "hours_until": time(0) if until == "24:00" else time.fromisoformat(until),
        },
    )[0]
