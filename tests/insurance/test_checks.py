"""What the start refuses: half a region, a demo's secret or a sandbox's address in production."""

from __future__ import annotations

import json

import pytest
from django.test import override_settings

from insurance.checks import gateways_check, regions_check
from tests.insurance import factories

pytestmark = pytest.mark.django_db


def found() -> set[str]:
    return {str(message.id) for message in regions_check(databases=["default"])}


def test_every_operation_has_a_gateway() -> None:
    assert gateways_check(None) == []


def test_a_whole_region_passes() -> None:
    factories.institution()
    assert found() == set()
    assert regions_check() == []


def test_half_a_region_is_named() -> None:
    factories.region(area="440101", secrets="", med_types=[])
    assert found() == {"insurance.E004", "insurance.E005"}
    factories.region(area="440102", secrets="not json")
    factories.region(area="440103", mobile_url="http://127.0.0.1:9/nhsa/mobile")
    assert "insurance.E003" in found()
    named = [str(one) for one in regions_check(databases=["default"])]
    assert any("mobile_private_key is missing" in one for one in named)
    assert not any("not json" in one for one in named)


def test_ways_of_filing_that_cannot_be_used_are_named() -> None:
    way = {"way": "transfer", "code": "1", "days": 180}
    region = factories.region(filing_ways=[way, {"way": "holiday", "code": "9", "days": 3}])
    assert found() == {"insurance.E009"}
    region.filing_ways, region.style = [way], "path_key"
    region.save()
    assert found() == {"insurance.E010"}
    region.paths = {code: f"referralService/{code}" for code in ("2501", "2502", "5304")}
    region.save()
    assert found() == set()


def test_a_campus_without_a_code_is_named() -> None:
    institution = factories.institution()
    institution.campus.institution_code = "12"
    institution.campus.save()
    assert found() == {"insurance.E008"}


@override_settings(PRODUCTION=True)
def test_production_takes_neither_sandbox_nor_demo() -> None:
    region = factories.region(base_url="https://sandbox.example.org/nhsa")
    assert found() == {"insurance.E006"}
    assert len(regions_check(databases=["default"])) == 4
    region.base_url = "https://hsa.example.org/ebus"
    region.secrets = json.dumps({"paas_id": "p", "secret_key": "k"})
    region.save()
    assert found() == set()
