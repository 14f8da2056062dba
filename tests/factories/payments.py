"""Small builders of merchants, payers and their agreements."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, time
from typing import Any

from billing.models import (
    Agreement,
    AgreementPatient,
    AgreementPlan,
    CollectRequest,
    Invoice,
    Merchant,
    PaymentInstitution,
)
from billing.services.agreements.signing import agreement_sign_begin
from billing.services.agreements.terms import Limits
from billing.services.collecting.collects import collect_start
from core import clock
from core.actors import Actor
from core.models import User
from patients.actors import patient_actor
from patients.consents.texts import consent_text
from patients.models import Consent, Patient, PatientAccess

OPERATOR = Actor("his", "C1", "收费员")
_numbers = itertools.count(1)


def merchant(merchant_no: str = "1900000001", **values: Any) -> Merchant:
    institution, _made = PaymentInstitution.objects.get_or_create(
        code="tenpay",
        defaults={
            "name": "财付通",
            "agreement_from": date(2026, 1, 1),
            "agreement_until": date(2026, 12, 31),
        },
    )
    defaults: dict[str, Any] = {"institution": institution, "app_id": "wx0001"}
    return Merchant.objects.get_or_create(
        channel="wechat_pay", merchant_no=merchant_no, defaults=defaults | values
    )[0]


def plan(of: Merchant | None = None, plan_id: str = "100001", **terms: Any) -> AgreementPlan:
    """Wide terms unless the test narrows them."""
    wide: dict[str, Any] = {
        "single_fen": 500_000,
        "daily_fen": 5_000_000,
        "daily_count": 500,
        "hours_from": time(0),
        "hours_until": time(0),
    }
    return AgreementPlan.objects.get_or_create(
        merchant=of or merchant(), plan_id=plan_id, defaults=wide | terms
    )[0]


def user(username: str = "") -> User:
    return User.objects.create_user(username or f"user{next(_numbers)}")


def access(patient: Patient, holder: User, relation: str = "self", **grants: Any) -> PatientAccess:
    """A binding that lives; a person who has an account already is bound by a relative."""
    taken = PatientAccess.objects.filter(patient=patient, relation="self", ended_at=None)
    if relation == "self" and taken.exists():
        relation = "other"
    values: dict[str, Any] = {"may_view": relation == "self", "may_pay": True} | grants
    row = PatientAccess.objects.create(
        user=holder, patient=patient, relation=relation, created_at=clock.now(), **values
    )
    row.sees = row.may_view
    return row


def agrees(holder: User, purpose: str = "deduction") -> None:
    """The holder's yes to today's text on deductions; said by nobody, so nothing is audited."""
    text = consent_text(purpose)
    known = {"user": holder, "purpose": purpose, "text_version": text.version}
    given = {"text_hash": text.sha256, "given_at": clock.now()}
    Consent.objects.get_or_create(**known, withdrawn_at=None, defaults=given)


def agreement(
    patient: Patient,
    holder: User | None = None,
    relation: str = "self",
    agreed: bool = True,
    **values: Any,
) -> Agreement:
    """A signed agreement whose holder may pay for the patient and agreed to deductions."""
    if holder is None:
        holder = user()
        access(patient, holder, relation)
    if agreed:
        agrees(holder)
    n = next(_numbers)
    filled: dict[str, Any] = {
        "plan": values.pop("plan", None) or plan(),
        "status": "ACTIVE",
        "contract_code": f"CC{n}",
        "contract_id": f"2026{n:08d}",
        "payer_id": f"openid{n}",
        "signed_at": clock.now(),
    }
    row = Agreement.objects.create(holder=holder, created_at=clock.now(), **filled | values)
    AgreementPatient.objects.create(agreement=row, patient=patient, created_at=clock.now())
    return row


def signing(patients: Sequence[Patient], holder: User, of: Merchant | None = None) -> Agreement:
    """A mandate the holder has still to sign, as the form leaves it."""
    agrees(holder, "privacy")
    agrees(holder)
    return agreement_sign_begin(
        user=holder,
        plan_id=plan(of).pk,
        patient_ids=[one.pk for one in patients],
        limits=Limits(),
        text_hash="",
        by=patient_actor(holder),
    )


def collect(
    invoice: Invoice, method: str = "auto", request_no: str = "", auth_code: str = ""
) -> CollectRequest:
    return collect_start(
        client=invoice.client,
        invoice_no=invoice.invoice_no,
        request_no=request_no or f"R{next(_numbers)}",
        method=method,
        auth_code=auth_code,
        operator=OPERATOR,
        input_hash=method + auth_code,
    )
