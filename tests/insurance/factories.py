"""Rows of the insurer's side: a region and an institution on the main campus."""

from __future__ import annotations

import json
from typing import Any

from insurance.models import Institution, InsuranceRegion
from insurance.selectors import institution_of
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
