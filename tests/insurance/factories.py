"""Rows of the insurer's side: a region and an institution on the main campus."""

from __future__ import annotations

import json
from typing import Any

from core import clock
from core.actors import SYSTEM
from insurance.models import Institution, InsuranceMessage, InsuranceRegion, InsuranceReply
from insurance.selectors import institution_of
from insurance.services.catalogue import items_import
from tests.factories import patients
from tests.insurance import samples

SECRETS = {"paas_id": "sandbox-paas", "secret_key": "sandbox-key", "api_key": "sandbox-key"}


def region(url: str = "http://127.0.0.1:9", **values: Any) -> InsuranceRegion:
    filled: dict[str, Any] = {
        "area": "440100",
        "name": "测试统筹区",
        "style": "signed_base",
        "base_url": f"{url}/nhsa/gd",
        "receiver_code": "01",
        "interface_version": "V1.0",
        "med_types": ["11", "14"],
        "secrets": json.dumps(SECRETS),
    }
    return InsuranceRegion.objects.create(**filled | values)


def institution(url: str = "http://127.0.0.1:9", **values: Any) -> Institution:
    """The main campus at the insurer, read the way services read it."""
    campus = patients.campus()
    campus.institution_code = samples.INSTITUTION
    campus.save(update_fields=["institution_code"])
    Institution.objects.create(
        campus=campus,
        region=region(url, **values),
        name="测试医院",
        operator_code="KIOSK1",
        operator_name="自助机",
    )
    return institution_of(campus.pk)


ITEMS = """hospital_code,name,category,national_code,level,price_limit,valid_from
D001,阿莫西林胶囊,09,XJ01CAA040E001010100001,甲,12.5,2026-01-01
S900,院内自定项目,14,,,,
"""


def shown_rows() -> Institution:
    """A row in every table of the insurer's side that staff may open; nothing is insured by it."""
    shop = Institution.objects.create(
        campus=patients.campus("shop", name="院外药房", kind="pharmacy"),
        region=region(),
        name="测试药房",
        operator_code="KIOSK1",
        operator_name="自助机",
        active=False,
    )
    items_import(institution=shop, content=ITEMS.encode(), by=SYSTEM)
    message = InsuranceMessage.objects.create(
        message_no="P4401000000120261120100000ABCD", gateway="nhsa", operation="settle",
        code="2207", body_hash="0" * 64, institution=shop, subject="claim:1",
        created_at=clock.now(),
    )  # fmt: skip
    InsuranceReply.objects.create(
        message=message, outcome="DECLINED", code="-2", text="费用批次已结算", executed=False,
        created_at=clock.now(),
    )  # fmt: skip
    return shop
