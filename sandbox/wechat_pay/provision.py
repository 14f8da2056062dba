"""The demo's merchants, keys and plans; safe to run again, nothing that exists changes."""

from __future__ import annotations

import secrets
from datetime import time
from typing import Any

from cryptography import x509
from django.conf import settings
from django.db import connection, transaction

from sandbox.messages.accounts import official_account
from sandbox.wechat_pay import keys
from sandbox.wechat_pay.crypto import private_key
from sandbox.wechat_pay.models import House, Merchant, Plan
from sandbox.world.registry import TlsMaterial
from sandbox.world.terms import TERMS, terms_shown

# Two campuses, two merchants: a wrong merchant must be noticed (the second is a stranger to most).
# Both are bound to the hospital's official account: its openids pay inside WeChat (jsapi).
MERCHANTS = (("1900000001", "云溪市第一医院"), ("1900000002", "云溪市第一医院东院"))
# plan, name, single, daily sum, daily count, from, to — the last one is what a new merchant gets.
PLANS = (
    ("100001", "先诊疗后付费（演示）", 500_000, 5_000_000, 500, time(0), time.max),
    ("100002", "先诊疗后付费", 50_000, 250_000, 5, time(7), time(22)),
)
PROVISION_LOCK = 7_301_001


def house_provision() -> House:
    """The vendor's keys, merchants and plans, made on the first call."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PROVISION_LOCK])
        house = House.objects.first() or _house_make()
        appid = official_account().key
        for mchid, name in MERCHANTS:
            merchant = Merchant.objects.filter(mchid=mchid).first()
            merchant = merchant or _merchant_make(house, mchid, appid, name)
            for plan_id, *terms in PLANS:
                Plan.objects.get_or_create(
                    merchant=merchant,
                    plan_id=plan_id,
                    defaults=dict(zip(TERMS, terms, strict=True)),
                )
    return house


def _house_make() -> House:
    platform, ca_key, server_key = keys.key_make(), keys.key_make(), keys.key_make()
    ca = keys.ca_make(ca_key)
    server = keys.leaf_make("127.0.0.1", server_key, ca, ca_key, server=True)
    return House.objects.create(
        public_key_id=f"PUB_KEY_ID_{secrets.randbelow(10**32):032d}",
        private_key=keys.key_text(platform),
        public_key=keys.public_text(platform),
        ca_cert=keys.certificate_text(ca),
        ca_key=keys.key_text(ca_key),
        server_cert=keys.certificate_text(server),
        server_key=keys.key_text(server_key),
    )


def _merchant_make(house: House, mchid: str, appid: str, name: str) -> Merchant:
    key, ca = keys.key_make(), x509.load_pem_x509_certificate(house.ca_cert.encode())
    certificate = keys.leaf_make(mchid, key, ca, private_key(house.ca_key), server=False)
    return Merchant.objects.create(
        mchid=mchid,
        appid=appid,
        name=name,
        serial_no=keys.serial_text(certificate),
        private_key=keys.key_text(key),
        client_cert=keys.certificate_text(certificate),
        api_v3_key=secrets.token_hex(16),
        api_v2_key=secrets.token_hex(16),
    )


def tls_material() -> TlsMaterial:
    """What the port with mutual TLS needs; the refund call of v2 lives there."""
    house = house_provision()
    return TlsMaterial(certificate=house.server_cert, key=house.server_key, ca=house.ca_cert)


def credentials() -> dict[str, Any]:
    """Everything the portal must know; the first merchant's fields stand at the top."""
    house = house_provision()
    merchants = [_merchant_json(m, house) for m in Merchant.objects.order_by("mchid")]
    return {**merchants[0], "merchants": merchants}


def _merchant_json(merchant: Merchant, house: House) -> dict[str, Any]:
    return {
        "mchid": merchant.mchid,
        "appid": merchant.appid,
        "name": merchant.name,
        "merchant_private_key": merchant.private_key,
        "merchant_serial_no": merchant.serial_no,
        "platform_public_key": house.public_key,
        "platform_public_key_id": house.public_key_id,
        "api_v3_key": merchant.api_v3_key,
        "api_v2_key": merchant.api_v2_key,
        # The API certificate is also the client certificate, as at the real vendor.
        "client_cert": merchant.client_cert,
        "client_key": merchant.private_key,
        "ca": house.ca_cert,
        "base_url": settings.SANDBOX_URL,
        "base_url_tls": settings.SANDBOX_TLS_URL,
        "refund_window_days": merchant.refund_window_days,
        "plans": [
            {
                "plan_id": plan.plan_id,
                **terms_shown(plan),
            }
            for plan in merchant.plans.order_by("plan_id")
        ],
    }
