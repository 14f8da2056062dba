"""Signing and ending a mandate: only what the channel says of this very agreement is believed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.channels.base import AgreementReference, ChannelAnswer
from billing.models import Agreement, BillingReview, PaymentNotice
from billing.services.agreements.answers import (
    agreement_apply_notice,
    agreement_refresh,
)
from core import clock
from core.actors import Actor
from core.models import StateChange
from core.outcomes import Outcome
from patients.models import WalletIdentity
from tests import scripted
from tests.factories import payments
from tests.factories.patients import patient

pytestmark = pytest.mark.django_db

CHANNEL = Actor("channel", "wechat_pay", "notice")
SIGNED = ChannelAnswer(Outcome.SUCCEEDED, channel_no="202600000001", payer_id="oHolder")
GONE = ChannelAnswer(Outcome.DECLINED, code="CONTRACT_NOT_EXIST", executed=False)
SILENT = ChannelAnswer(Outcome.UNKNOWN, code="NO_ANSWER")


def signing() -> Agreement:
    ward = patient()
    holder = payments.user()
    payments.access(ward, holder)
    return payments.signing([ward], holder)


def signed(**values: Any) -> Agreement:
    return payments.agreement(patient(), contract_id="202600000009", payer_id="oHolder", **values)


def told(agreement: Agreement, *, number: str = "", active: bool = True, **facts: Any) -> str:
    """What a verified notice about an agreement does."""
    known: dict[str, Any] = {
        "plan_id": agreement.plan.plan_id,
        "contract_id": agreement.contract_id or "202600000001",
        "payer_id": "oHolder",
        "agreement_active": active,
    }
    notice = PaymentNotice.objects.create(
        channel="wechat_pay",
        merchant=agreement.plan.merchant,
        kind="agreement",
        event_no=f"E{PaymentNotice.objects.count()}",
        number=number or agreement.contract_code,
        facts=known | facts,
        received_at=clock.now(),
    )
    done = agreement_apply_notice(notice=notice, by=CHANNEL)
    agreement.refresh_from_db()
    return done


def refreshed(
    monkeypatch: pytest.MonkeyPatch, agreement: Agreement, answer: ChannelAnswer
) -> AgreementReference:
    """Ask the channel, which answers so; returns what it was asked about."""
    asked: list[AgreementReference] = []

    def agreement_query(_channel: object, order: AgreementReference) -> ChannelAnswer:
        asked.append(order)
        return answer

    monkeypatch.setattr(scripted.ScriptedChannel, "agreement_query", agreement_query, raising=False)
    agreement_refresh(agreement_id=agreement.pk)
    agreement.refresh_from_db()
    return asked[0]


def test_a_mandate_is_written_before_the_payer_is_sent_to_sign() -> None:
    holder, wards = payments.user(), [patient(), patient()]
    for ward, relation in zip(wards, ("self", "parent"), strict=True):
        payments.access(ward, holder, relation)
    agreement = payments.signing(wards, holder)
    assert (agreement.status, agreement.contract_id, agreement.payer_id) == ("SIGNING", "", "")
    assert agreement.contract_code.startswith("AG")
    assert agreement.due_at == clock.now() + timedelta(minutes=1)
    assert sorted(agreement.pays_for.values_list("patient", flat=True)) == sorted(
        ward.pk for ward in wards
    )


def test_a_sign_notice_signs_once_with_the_channels_own_names() -> None:
    agreement = signing()
    assert told(agreement) == "signed"
    assert (agreement.status, agreement.contract_id) == ("ACTIVE", "202600000001")
    assert (agreement.payer_id, agreement.signed_at) == ("oHolder", clock.now())
    assert StateChange.objects.get(entity="billing.agreement").actor == "channel:wechat_pay"
    assert told(agreement) == "signed before"
    assert StateChange.objects.filter(entity="billing.agreement").count() == 1


@pytest.mark.parametrize("missing", ["contract_id", "payer_id"])
def test_a_sign_notice_without_a_contract_or_a_payer_signs_nothing(missing: str) -> None:
    agreement = signing()
    assert told(agreement, **{missing: ""}) == "no contract in the notice"
    assert agreement.status == "SIGNING"


@pytest.mark.parametrize("active", [True, False], ids=["sign", "end"])
def test_a_notice_of_an_agreement_nobody_began_is_a_question(active: bool) -> None:
    agreement = signing()
    assert told(agreement, active=active, number="AGnobody") == "unknown agreement"
    assert agreement.status == "SIGNING"
    review = BillingReview.objects.get()
    assert (review.reason_code, review.notice) == ("unknown_order", PaymentNotice.objects.get())
    assert review.figures == {"number": "AGnobody"}


@pytest.mark.parametrize("active", [True, False], ids=["sign", "end"])
def test_a_notice_of_another_plan_is_a_question(active: bool) -> None:
    agreement = signed()
    assert told(agreement, active=active, plan_id="999") == "another plan"
    assert agreement.status == "ACTIVE"
    review = BillingReview.objects.get()
    assert (review.reason_code, review.figures) == ("state_differs", {"differs": "another plan"})


def test_a_notice_that_names_no_plan_is_about_ours() -> None:
    agreement = signing()
    assert told(agreement, plan_id="") == "signed"


def test_the_payer_ends_it_at_the_channel() -> None:
    agreement = signed()
    assert told(agreement, active=False) == "ended"
    assert (agreement.status, agreement.ended_at) == ("ENDED", clock.now())
    assert told(agreement, active=False) == "ended before"


def test_the_end_of_an_earlier_contract_ends_nothing() -> None:
    agreement = signed()
    assert told(agreement, active=False, contract_id="202500000001") == "ended an earlier contract"
    assert agreement.status == "ACTIVE"


def test_a_late_sign_notice_revives_nothing() -> None:
    agreement = signing()
    told(agreement)
    told(agreement, active=False)
    assert told(agreement) == "signed before"
    assert agreement.status == "ENDED"


def test_a_query_asks_about_this_agreement_and_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = signing()
    asked = refreshed(monkeypatch, agreement, SIGNED)
    assert (asked.contract_code, asked.plan_id) == (agreement.contract_code, "100001")
    assert asked.merchant.merchant_no == "1900000001"
    assert (agreement.status, agreement.contract_id) == ("ACTIVE", "202600000001")
    assert StateChange.objects.get(entity="billing.agreement").actor == "system:system"


@pytest.mark.parametrize(
    ("answer", "before", "after"),
    [
        (SILENT, "SIGNING", "SIGNING"),
        (SILENT, "ACTIVE", "ACTIVE"),
        (ChannelAnswer(Outcome.PENDING), "ACTIVE", "ACTIVE"),
        (GONE, "SIGNING", "SIGNING"),  # the payer may still be about to sign
        (GONE, "ACTIVE", "ENDED"),
        (GONE, "PAUSED", "ENDED"),
        (GONE, "ENDED", "ENDED"),
        (SIGNED, "PAUSED", "PAUSED"),
        (SIGNED, "ENDED", "ENDED"),
    ],
)
def test_what_a_query_may_change(
    monkeypatch: pytest.MonkeyPatch, answer: ChannelAnswer, before: str, after: str
) -> None:
    agreement = signing() if before == "SIGNING" else signed(status=before)
    refreshed(monkeypatch, agreement, answer)
    assert agreement.status == after
    assert StateChange.objects.filter(entity="billing.agreement").count() == (before != after)


def test_a_query_that_names_another_wallet_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = signing()
    merchant = agreement.plan.merchant
    WalletIdentity.objects.create(
        user=agreement.holder,
        channel=merchant.channel,
        app_id=merchant.app_id,
        subject="oSomebody",
        created_at=clock.now(),
    )
    refreshed(monkeypatch, agreement, SIGNED)
    assert (agreement.status, agreement.ended_how) == ("ENDED", "refused")
    assert agreement.unsign_asked_at is not None
    assert agreement.due_at == clock.now()


def test_a_query_that_names_another_ones_contract_signs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payments.agreement(patient(), contract_id="202600000001")
    agreement = signing()
    refreshed(monkeypatch, agreement, SIGNED)
    assert agreement.status == "SIGNING"
