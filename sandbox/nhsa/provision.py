"""The platform as the hospital is told of it: keys, institutions, catalogue, parameters."""

from __future__ import annotations

import csv
import json
import secrets
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from sandbox.nhsa import gm
from sandbox.nhsa.models import BenefitTerm, CatalogueItem, House, Institution, Pool

HOUSE_RULES = (
    "clock_window_s",
    "code_life_s",
    "code_window_s",
    "token_life_s",
    "pay_auth_life_s",
)
DATA = Path(__file__).parent / "data"
# (code, name, place, level, kind): a hospital, its community house, a pharmacy as a place.
INSTITUTIONS = (
    ("H33030000001", "温州沙盒医院", "330300", "3", "1"),
    ("H33030000002", "温州沙盒医院社区服务站", "330300", "0", "1"),
    ("P33030000001", "温州沙盒医院门外药店", "330300", "0", "2"),
)


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf8", newline="") as lines:
        return list(csv.DictReader(lines))


def _fen(text: str) -> int | None:
    return int(Decimal(text) * 100) if text else None


@transaction.atomic
def house_provision() -> House:
    """Make the platform once; a second run finds everything made."""
    house = House.objects.first()
    if house is None:
        hospital, platform = gm.key_pair(), gm.key_pair()
        house = House.objects.create(
            paasid=f"paas{secrets.token_hex(6)}",
            secret_key=secrets.token_hex(16),
            apikey=secrets.token_hex(16),
            app_id=secrets.token_hex(16).upper(),
            app_secret=secrets.token_hex(16).upper(),
            hospital_private=hospital[0],
            hospital_public=hospital[1],
            platform_private=platform[0],
            platform_public=platform[1],
        )
    for code, name, admdvs, level, kind in INSTITUTIONS:
        Institution.objects.get_or_create(
            code=code, defaults={"name": name, "admdvs": admdvs, "hosp_lv": level, "kind": kind}
        )
    if not CatalogueItem.objects.exists():
        CatalogueItem.objects.bulk_create(_items())
        BenefitTerm.objects.bulk_create(_terms())
        Pool.objects.bulk_create(_pools())
    return house


def _items() -> list[CatalogueItem]:
    return [
        CatalogueItem(
            region=row["region"],
            code=row["code"],
            name=row["name"],
            list_type=row["list_type"],
            chrgitm_type=row["chrgitm_type"],
            level=row["level"],
            selfpay_prop=Decimal(row["selfpay_prop"]),
            price_limit=Decimal(row["price_limit"]),
            limited_use=row["limited_use"] == "1",
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            basis=row["basis"],
            source=row["source"],
        )
        for row in _rows("catalogue.csv")
    ]


def _terms() -> list[BenefitTerm]:
    return [
        BenefitTerm(
            pool=row["pool"],
            insutype=row["insutype"],
            care=row["care"],
            hosp_lv=row["hosp_lv"],
            retired=row["retired"] == "1",
            from_year=int(row["from_year"]),
            deductible_fen=_fen(row["deductible_yuan"]) or 0,
            ratio=Decimal(row["ratio"]),
            cap_fen=_fen(row["cap_yuan"]),
            basis=row["basis"],
            source=row["source"],
        )
        for row in _rows("benefits.csv")
    ]


def _pools() -> list[Pool]:
    listed = json.loads((DATA / "pools.json").read_text(encoding="utf8"))
    return [
        Pool(
            pool=row["pool"],
            name=row["name"],
            valid_from=date.fromisoformat(row["valid_from"]),
            rules=row,
        )
        for row in listed
    ]


@cache
def _house_pk() -> int:
    return house_provision().pk


def house() -> House:
    """The platform's keys and rules as they are now."""
    return House.objects.filter(pk=_house_pk()).first() or house_provision()


def rules_restore() -> None:
    """The rules as they are made; what `set_rules` changed belongs to the world that ended."""
    fresh = House()
    House.objects.update(**{name: getattr(fresh, name) for name in HOUSE_RULES})
    for code, _, _, level, _ in INSTITUTIONS:
        Institution.objects.filter(code=code).update(
            hosp_lv=level,
            fund_includes_account=False,
            over_limit=Institution.OverLimit.SPLIT,
            callback_url="",
        )


def credentials() -> dict[str, Any]:
    """Everything the portal must know of the platform."""
    own = house_provision()
    base = f"{settings.SANDBOX_URL}/nhsa"
    places = [_institution_json(one) for one in Institution.objects.order_by("code")]
    return {
        **places[0],
        "institutions": places,
        "recer_sys_code": "01",
        "infver": "V1.0",
        "signtype": "SM3",
        "gd": {"base_url": f"{base}/gd", "paasid": own.paasid, "secret_key": own.secret_key},
        "rio_fsi": {"base_url": f"{base}/rio_fsi", "apikey": own.apikey},
        "ec": {
            "url": f"{base}/ec",
            "org_id": places[0]["fixmedins_code"],
            "wallet_url": f"{base}/phone/",
            "authorise_url": f"{base}/authorise",
        },
        "mobile": {
            "base_url": f"{base}/mobile",
            "app_id": own.app_id,
            "app_secret": own.app_secret,
            "private_key": gm.key_base64(own.hospital_private),
            "platform_public_key": gm.key_base64(f"04{own.platform_public}"),
            "version": gm.VERSION,
        },
    }


def _institution_json(one: Institution) -> dict[str, Any]:
    return {
        "fixmedins_code": one.code,
        "fixmedins_name": one.name,
        "mdtrtarea_admvs": one.admdvs,
        "hosp_lv": one.hosp_lv,
        "fixmedins_type": one.kind,
    }
