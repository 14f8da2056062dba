"""The demo hospital at the sandbox's insurance platform: its region, and its campuses there."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from insurance.models import FamilyRule, Institution, InsuranceRegion
from patients.models import Campus

MED_TYPES = ["11", "14", "41"]
CHILD_THRESHOLD_FEN = 500_880
# As the sandbox's platform reads refl_type; the days are samples.
FILING_WAYS = [
    {"way": "long_term", "code": "2", "days": 365},
    {"way": "transfer", "code": "1", "days": 180},
    {"way": "emergency", "code": "3", "days": 15},
]


def insurer_load(credentials: Path) -> None:
    """Make or renew the region with what the sandbox gave out, its rule for family accounts, and an
    institution for each campus that bears a code there."""
    told: dict[str, Any] = json.loads(credentials.read_text(encoding="utf8"))
    gate, mobile = told["gd"], told["mobile"]
    region, _made = InsuranceRegion.objects.update_or_create(
        area=told["mdtrtarea_admvs"],
        defaults={
            "name": "温州沙盒统筹区",
            "style": "signed_base",
            "base_url": gate["base_url"],
            "mobile_url": mobile["base_url"],
            "credential_url": told["ec"]["url"],
            "wallet_url": told["ec"].get("wallet_url", ""),
            "authorise_url": told["ec"].get("authorise_url", ""),
            "receiver_code": told["recer_sys_code"],
            "interface_version": told["infver"],
            "sign_type": told["signtype"],
            "med_types": MED_TYPES,
            "mobile_version": mobile["version"],
            "secrets": json.dumps(_secrets(told)),
            "active": True,
            "family_accounts": True,
            "filing_ways": FILING_WAYS,
        },
    )
    FamilyRule.objects.get_or_create(
        region=region,
        valid_from=date(2026, 1, 1),
        defaults={
            "relations": ["child", "spouse", "parent"],
            "child_threshold_fen": CHILD_THRESHOLD_FEN,
            "basis": "示例：上年度平均工资的 5%",
        },
    )
    known = {place["fixmedins_code"]: place for place in told["institutions"]}
    for campus in Campus.objects.filter(institution_code__in=known).order_by("pk"):
        place = known[campus.institution_code]
        Institution.objects.update_or_create(
            campus=campus,
            defaults={
                "region": region,
                "name": place["fixmedins_name"],
                "level": place["hosp_lv"],
                "operator_code": "PORTAL1",
                "operator_name": "自助结算",
                "active": True,
            },
        )


def _secrets(told: dict[str, Any]) -> dict[str, str]:
    """Under the names the adapters read."""
    gate, mobile = told["gd"], told["mobile"]
    return {
        "paas_id": gate["paasid"],
        "secret_key": gate["secret_key"],
        "api_key": told["rio_fsi"]["apikey"],
        "mobile_app_id": mobile["app_id"],
        "mobile_app_secret": mobile["app_secret"],
        "mobile_private_key": mobile["private_key"],
        "mobile_platform_key": mobile["platform_public_key"],
    }
