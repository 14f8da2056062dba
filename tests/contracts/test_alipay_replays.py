"""Alipay notices at the door: forged ones leave nothing, repeated ones move nothing twice."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.test import Client

from billing.channels.base import Mode, NoticeKind
from billing.ledger.selectors import account_balance
from billing.models import (
    BillingReview,
    Invoice,
    Merchant,
    PaymentInstitution,
    PaymentNotice,
    PaymentTransaction,
    ReviewReason,
)
from billing.services.collecting.captures import capture_begin
from billing.services.collecting.tenders import Tender
from billing.services.notices.applying import notice_apply
from billing.services.notices.receiving import Received, notice_receive
from core import clock
from core.models import AuditEvent
from tests.contracts.alipay_samples import (
    AGREEMENT,
    AGREEMENT_NO,
    AMOUNT,
    APP_ID,
    CAPTURE,
    PID,
    PLAN_ID,
    USER_ID,
    account,
    form,
    paid,
    refunded,
    signed,
    unsigned,
)
from tests.factories import billing, patients, payments

pytestmark = pytest.mark.django_db
CLEARING = f"clearing/alipay/{PID}"


@pytest.fixture
def seller() -> Merchant:
    institution = PaymentInstitution.objects.create(
        code="alipay",
        name="支付宝",
        agreement_from=date(2026, 1, 1),
        agreement_until=date(2027, 12, 31),
    )
    return Merchant.objects.create(
        channel="alipay",
        merchant_no=PID,
        app_id=APP_ID,
        base_url="http://127.0.0.1:9",
        institution=institution,
        secrets=json.dumps(dict(account().secrets)),
    )


@pytest.fixture
def bill() -> Invoice:
    return billing.invoice(AMOUNT)


@pytest.fixture
def row(seller: Merchant, bill: Invoice) -> PaymentTransaction:
    """A tender in flight, as after a QR code was shown."""
    return capture_begin(invoice=bill, tender=Tender("alipay", Mode.NATIVE, AMOUNT, seller))


def deliver(body: bytes, kind: NoticeKind = CAPTURE, merchant_no: str = PID) -> Received:
    """The channel posts; what was stored is applied at once."""
    received = notice_receive(
        channel="alipay",
        merchant_no=merchant_no,
        kind=kind,
        headers={},
        body=body,
        address="127.0.0.1",
    )
    if received.notice_id is not None:
        notice_apply(notice_id=received.notice_id)
    return received


def reviews(reason: ReviewReason) -> int:
    return BillingReview.objects.filter(reason_code=reason).count()


def test_a_forged_notice_is_told_fail_and_leaves_only_its_trace(
    seller: Merchant, client: Client
) -> None:
    for body in (form(paid(), by="stranger"), form(paid(app_id="2021")), b"", b"x=1"):
        answer = client.post(
            f"/notices/alipay/{PID}/capture",
            body,
            content_type="application/x-www-form-urlencoded; charset=utf-8",
        )
        assert (answer.status_code, answer.content) == (400, b"fail")
    assert not PaymentNotice.objects.exists()
    assert AuditEvent.objects.filter(action="notice_refused").count() == 4


def test_a_payment_told_many_times_is_taken_once(row: PaymentTransaction) -> None:
    body = form(paid(out_trade_no=row.number))
    for _again in range(5):
        assert deliver(body).reply.body == b"success"
    again = form(paid(out_trade_no=row.number, notify_id="2026112000222100000000000000000002"))
    assert deliver(again).reply.body == b"success"
    row.refresh_from_db()
    assert (row.status, account_balance(CLEARING)) == ("SUCCEEDED", AMOUNT)
    first, second = PaymentNotice.objects.order_by("pk")
    assert (first.deliveries, second.deliveries) == (5, 1)
    assert not BillingReview.objects.exists()


def test_the_same_number_with_other_content_calls_a_person(row: PaymentTransaction) -> None:
    deliver(form(paid(out_trade_no=row.number)))
    deliver(form(paid(out_trade_no=row.number, total_amount="86.41")))
    assert account_balance(CLEARING) == AMOUNT
    assert reviews(ReviewReason.STATE_DIFFERS) == 1


def test_another_amount_moves_nothing(row: PaymentTransaction) -> None:
    assert deliver(form(paid(out_trade_no=row.number, total_amount="86.41"))).reply.status == 200
    row.refresh_from_db()
    assert (row.status, account_balance(CLEARING)) == ("CREATED", 0)
    assert BillingReview.objects.count() == 1


def test_an_order_we_do_not_know_is_told_again_and_a_person_once(seller: Merchant) -> None:
    for _again in range(3):
        assert deliver(form(paid(out_trade_no="TXNOBODY"))).reply.body == b"fail"
    assert reviews(ReviewReason.UNKNOWN_ORDER) == 1


def test_a_payments_notice_at_another_sellers_address_is_refused(row: PaymentTransaction) -> None:
    Merchant.objects.create(
        channel="alipay",
        merchant_no="2088101110000002",
        app_id="2021000110000002",
        institution=row.payment.merchant.institution,
        secrets=row.payment.merchant.secrets,
    )
    found = deliver(form(paid(out_trade_no=row.number)), merchant_no="2088101110000002")
    assert found.reply.body == b"fail"
    assert deliver(form(paid(out_trade_no=row.number)), merchant_no="2088").reply.body == b"fail"
    assert not PaymentNotice.objects.exists()


def test_a_refund_nobody_asked_for_is_not_read_as_a_payment(row: PaymentTransaction) -> None:
    deliver(form(refunded(out_trade_no=row.number, out_biz_no="RFNOBODY")))
    row.refresh_from_db()
    assert (row.status, account_balance(CLEARING)) == ("CREATED", 0)
    assert reviews(ReviewReason.UNKNOWN_ORDER) == 1


def test_an_agreement_that_ended_is_not_brought_back_by_its_first_notice(seller: Merchant) -> None:
    plan = payments.plan(seller, PLAN_ID)
    mandate = payments.agreement(
        patients.patient(),
        plan=plan,
        status="SIGNING",
        contract_id="",
        payer_id="",
        signed_at=None,
    )
    signing = form(signed(external_agreement_no=mandate.contract_code))
    ending = unsigned(external_agreement_no=mandate.contract_code, notify_id="20261120002")
    for body in (signing, signing, form(ending), form(ending), signing):
        assert deliver(body, AGREEMENT).reply.body == b"success"
    mandate.refresh_from_db()
    assert (mandate.status, mandate.contract_id, mandate.payer_id) == (
        "ENDED",
        AGREEMENT_NO,
        USER_ID,
    )


@pytest.mark.parametrize(
    "changes", [{"sign_scene": "INDUSTRY|GAME_CHARGE"}, {"alipay_user_id": "2088000000000001"}]
)
def test_an_agreement_signed_for_another_plan_or_by_another_wallet_pays_nothing(
    seller: Merchant, changes: dict[str, str]
) -> None:
    holder, patient = payments.user(), patients.patient()
    payments.access(patient, holder)
    holder.wallet_identities.create(
        channel="alipay", app_id=APP_ID, subject=USER_ID, created_at=clock.now()
    )
    mandate = payments.agreement(
        patient, holder, plan=payments.plan(seller, PLAN_ID), status="SIGNING", contract_id=""
    )
    deliver(form(signed(external_agreement_no=mandate.contract_code, **changes)), AGREEMENT)
    mandate.refresh_from_db()
    assert mandate.status != "ACTIVE"
