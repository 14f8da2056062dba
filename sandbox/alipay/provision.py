"""The demo's sellers, keys, certificates and plans; run again, nothing that exists changes."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from sandbox.alipay.keys import ISSUER, ROOT, certificate_make
from sandbox.alipay.models import House, Merchant, Plan
from sandbox.wechat_pay.crypto import private_key
from sandbox.wechat_pay.keys import key_make, key_text, public_text
from sandbox.world.terms import TERMS, terms_shown

# Two campuses, two sellers: a wrong seller must be noticed.
MERCHANTS = (
    ("2088101110000001", "2021000110000001", "云溪市第一医院"),
    ("2088101110000002", "2021000110000002", "云溪市第一医院东院"),
)
# product, scene, name, single, daily sum, daily count, from, to — as for the other wallet.
PLANS = (
    ("GENERAL_WITHHOLDING", "INDUSTRY|HOSPITAL_DEMO", "先诊疗后付费（演示）",
     500_000, 5_000_000, 500, time(0), time.max),
    ("GENERAL_WITHHOLDING", "INDUSTRY|HOSPITAL", "先诊疗后付费",
     50_000, 250_000, 5, time(7), time(22)),
    ("CYCLE_PAY_AUTH", "INDUSTRY|HOSPITAL_MONTH", "每月还款",
     500_000, 500_000, 5, time(0), time.max),
)  # fmt: skip
PROVISION_LOCK = 7_301_002


def house_provision() -> House:
    """The vendor's keys, merchants and plans, made on the first call."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PROVISION_LOCK])
        house = House.objects.first() or _house_make()
        for pid, app_id, name in MERCHANTS:
            merchant = Merchant.objects.filter(pid=pid).first()
            merchant = merchant or _merchant_make(house, pid, app_id, name)
            for product, scene, *terms in PLANS:
                Plan.objects.get_or_create(
                    merchant=merchant,
                    product_code=product,
                    sign_scene=scene,
                    defaults=dict(zip(TERMS, terms, strict=True)),
                )
    return house


def _house_make() -> House:
    root, own = key_make(), key_make()
    return House.objects.create(
        private_key=key_text(own),
        public_key=public_text(own),
        root_cert=certificate_make(ROOT, root, ROOT, root),
        root_key=key_text(root),
        alipay_cert=certificate_make("Sandbox Alipay", own, ISSUER, root),
    )


def _merchant_make(house: House, pid: str, app_id: str, name: str) -> Merchant:
    key, root = key_make(), private_key(house.root_key)
    return Merchant.objects.create(
        pid=pid,
        app_id=app_id,
        name=name,
        private_key=key_text(key),
        public_key=public_text(key),
        app_cert=certificate_make(app_id, key, ISSUER, root),
    )


def credentials() -> dict[str, Any]:
    """Everything the portal must know; the first merchant's fields stand at the top."""
    house = house_provision()
    merchants = [_merchant_json(m, house) for m in Merchant.objects.order_by("pid")]
    return {**merchants[0], "merchants": merchants}


def _merchant_json(merchant: Merchant, house: House) -> dict[str, Any]:
    return {
        "pid": merchant.pid,
        "app_id": merchant.app_id,
        "name": merchant.name,
        "app_private_key": merchant.private_key,
        "alipay_public_key": house.public_key,
        "app_cert": merchant.app_cert,
        "alipay_cert": house.alipay_cert,
        "alipay_root_cert": house.root_cert,
        "base_url": settings.SANDBOX_URL,
        "refund_window_days": merchant.refund_window_days,
        "plans": [
            {
                "plan_id": _plan_id(plan),
                "product_code": plan.product_code,
                "sign_scene": plan.sign_scene,
                **terms_shown(plan),
            }
            for plan in merchant.plans.order_by("pk")
        ],
    }


def _plan_id(plan: Plan) -> str:
    """The scene; a periodic one bears a prefix, since both products share the scenes' names."""
    return ("cycle:" if plan.product_code == "CYCLE_PAY_AUTH" else "") + plan.sign_scene
