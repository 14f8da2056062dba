"""Places, the HIS's token, staff, and the merchants with the credentials the sandbox gave out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allauth.mfa.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.models import Group

from config.demo.alipay import INSTITUTION as ALIPAY
from config.demo.alipay import plan_entry, sellers_entries
from config.demo.codes import demo_secrets, demo_totp
from config.demo.insurer import insurer_load
from config.hospital.entering import hospital_enter
from config.roles import ROLES, roles_sync
from core.actors import Actor, ActorKind
from core.models import User
from core.second_factor import second_factor_enrol, second_factor_of

DEMO = Actor(ActorKind.SYSTEM, "demo", "")

HOSPITAL = "云溪市第一医院"
CAMPUSES = (
    ("main", f"{HOSPITAL}", "门诊楼 1 层 3 号窗口，7:30–17:00，可付现金", "0500-8612 0000"),
    ("east", f"{HOSPITAL}东院", "东院门诊 1 层 1 号窗口，8:00–17:00，可付现金", "0500-8612 0100"),
)
INSTITUTION = {
    "code": "tenpay",
    "name": "财付通支付科技有限公司",
    "licence_no": "Z2000444000011",
    "agreement_from": "2026-01-01",
    "agreement_until": "2027-12-31",
}
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
    roles_sync(by=DEMO)
    known = demo_secrets()
    hospital_enter(hospital_entries(credentials, token=known["his_token"]), by=DEMO)
    insurer_load(credentials.with_name("nhsa.json"))
    return known["his_token"], _staff(known["password"])


def hospital_entries(credentials: Path, *, token: str) -> dict[str, Any]:
    """What a hospital's file would name, with the credentials the sandbox gave out."""
    places = [code for code, *_rest in CAMPUSES]
    wechat = json.loads(credentials.read_text(encoding="utf8"))
    sellers = sellers_entries(credentials.with_name("alipay.json"), places)
    return {
        "campuses": [
            {
                "code": code,
                "name": name,
                "institution_code": f"H3303000000{number}",
                "window_text": window,
                "phone": phone,
            }
            for number, (code, name, window, phone) in enumerate(CAMPUSES, 1)
        ],
        "his_clients": [
            {
                "code": "his",
                "name": f"{HOSPITAL} HIS",
                "token": token,
                "scopes": ["read", "write", "money"],
                "addresses": ["127.0.0.0/8", "::1/128"],
                "events_url": f"{settings.SANDBOX_URL}/his/events",
                "events_secret": settings.DEMO_EVENTS_SECRET,
            }
        ],
        "institutions": [INSTITUTION, ALIPAY],
        "merchants": [*_merchants(wechat, places), *sellers],
    }


def _merchants(known: dict[str, Any], places: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "channel": "wechat_pay",
            "merchant_no": given["mchid"],
            "institution": INSTITUTION["code"],
            "campus": place,
            "app_id": given["appid"],
            "base_url": given["base_url"],
            "secrets": merchant_secrets(given),
            "plans": [plan_entry(plan) for plan in given["plans"]],
        }
        for place, given in zip(places, known["merchants"], strict=False)
    ]


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
        if factor is not None and get_adapter().decrypt(factor.data["secret"]) != totp:
            factor.delete()
            factor = None
        if factor is None:
            second_factor_enrol(user=user, secret=totp)
        logins.append(Login(role, password, role, totp))
    return logins
