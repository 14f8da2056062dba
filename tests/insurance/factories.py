"""Rows of the insurer's side: a region and an institution on the main campus."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from core import clock
from core.actors import SYSTEM
from insurance.models import (
    Claim,
    ClaimLine,
    Coverage,
    Entitlement,
    Filing,
    Institution,
    InsuranceMessage,
    InsuranceRegion,
    InsuranceReply,
    InsuranceReview,
    InsurerStatement,
    StatementDifference,
)
from insurance.selectors import institution_of
from insurance.services.catalogue import items_import
from patients.models import Patient
from tests.factories import patients
from tests.insurance import samples

_FILED = {"kind": "away", "code": "2", "insured_area": "430100", "care_area": "440100"}
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
    claim = _claim_shown(shop)
    filing(claim.patient, shop)
    entitlement(claim.patient)
    return shop


def filing(person: Patient, place: Institution, **values: Any) -> Filing:
    """Care here that was filed by the person."""
    return Filing.objects.create(**_FILED | {
        "patient": person, "institution": place, "status": "FILED", "name": "long_term",
        "filing_no": f"F{person.pk}", "scheme": "310", "person_no": "P1", **_year(),
        "promised_at": clock.now(), "asked_by": "patient:user-1", "created_at": clock.now(),
    } | values)  # fmt: skip


def entitlement(person: Patient, **values: Any) -> Entitlement:
    """The same as the insurer says it stands."""
    told = {"patient": person, "filing_no": f"F{person.pk}", "told_at": clock.now(), **_year()}
    return Entitlement.objects.create(**_FILED | told | values)


def coverage(person: Patient, **values: Any) -> Coverage:
    """Insured as an employee in another place."""
    filled = {"scheme": "310", "insured_area": "430100", "person_no": "P1", "state": "1"}
    return Coverage.objects.create(patient=person, checked_at=clock.now(), **filled | values)


def _year() -> dict[str, Any]:
    return {"from_day": clock.today(), "until_day": clock.today() + timedelta(days=364)}


def _claim_shown(shop: Institution) -> Claim:
    """A claim in review with its question, and a day's comparison that differs by one row."""
    visit = patients.encounter(
        of=patients.patient(name="王芳"), department_code="A03", department_name="内科"
    )
    claim = Claim.objects.create(
        invoice_ref=1, encounter=visit, patient_id=visit.patient_id, institution=shop,
        status="REVIEW", amount_fen=4_350, med_type="11", batch_no="CB1", mdtrt_id="M1",
        code="split_broken", message="I2", opened_by="system:system", occurred_at=clock.now(),
        created_at=clock.now(),
    )  # fmt: skip
    ClaimLine.objects.create(
        claim=claim, number="1-1", charge_no="C1", amount_fen=4_350, level="01", own_fen=0,
        over_limit_fen=0, first_own_fen=350, in_scope_fen=4_000,
        said={"national_code": "XJ01CAA040E001010100001", "name": "阿莫西林胶囊"},
    )  # fmt: skip
    InsuranceReview.objects.create(
        claim=claim, reason_code="split_broken", summary="I2 medfee_sumamt", opened_at=clock.now(),
        opened_by="system:system", figures={"settlement_no": "S1"},
    )  # fmt: skip
    group = InsurerStatement.objects.create(
        institution=shop, day=clock.today(), scheme="310", clearing_kind="41", office="440100",
        status="DETAILED", ours_count=1, ours_total_fen=4_350, ours_fund_fen=2_452,
        ours_account_fen=500, ours_cash_fen=1_398, verdict="3", text="数据不一致",
        compared_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip
    StatementDifference.objects.create(
        statement=group, kind="3", settlement_no="S1", mdtrt_id="M1", claim=claim,
        ours_total_fen=4_350, theirs_total_fen=4_351, memo="数据不一致", found_at=clock.now(),
    )  # fmt: skip
    return claim
