"""Which way to pay comes next, and what an agreement admits to the fen and the minute."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from billing.channels.base import Operation
from billing.models import Agreement, AgreementPatient, AgreementPlan, CollectRequest, HisEvent
from billing.services.collecting.tenders import agreement_allows
from billing.services.invoice_drive import invoice_drive
from core import clock
from core.models import User
from patients.models import Campus, Notification, PatientAccess
from tests import scripted
from tests.billing.services.bills import capture_of, driven, in_flight
from tests.factories import payments
from tests.factories.billing import invoice

database = pytest.mark.django_db
TEN = datetime(2026, 11, 20, 10, 0, tzinfo=clock.ZONE)
SCANNED = "130000000000000001"


def mandate(**own: Any) -> Agreement:
    """¥10 at once, ¥50 and three times a day, from 8:00 to 17:00; not stored."""
    terms = {
        name: own.pop(name)
        for name in ("single_fen", "daily_fen", "daily_count", "hours_from", "hours_until")
        if name in own
    }
    usual: dict[str, Any] = {
        "single_fen": 1_000,
        "daily_fen": 5_000,
        "daily_count": 3,
        "hours_from": time(8),
        "hours_until": time(17),
    }
    return Agreement(plan=AgreementPlan(**usual | terms), **own)


@pytest.mark.parametrize(
    ("own", "amount_fen", "used", "allowed"),
    [
        ({}, 1_000, (0, 0), True),
        ({}, 1_001, (0, 0), False),
        ({"own_single_fen": 600}, 600, (0, 0), True),
        ({"own_single_fen": 600}, 601, (0, 0), False),
        ({"own_single_fen": 9_000}, 1_001, (0, 0), False),
        ({}, 1_000, (4_000, 1), True),
        ({}, 1_000, (4_001, 1), False),
        ({"own_daily_fen": 2_000}, 1_000, (1_000, 1), True),
        ({"own_daily_fen": 2_000}, 1_000, (1_001, 1), False),
        ({"own_daily_fen": 90_000}, 1_000, (4_001, 1), False),
        ({"own_daily_fen": 999}, 1_000, (0, 0), False),
        ({}, 1, (0, 2), True),
        ({}, 1, (0, 3), False),
        ({"daily_count": 0}, 1, (0, 0), False),
    ],
)
def test_limits_hold_to_the_fen(
    own: dict[str, Any], amount_fen: int, used: tuple[int, int], allowed: bool
) -> None:
    assert agreement_allows(mandate(**own), amount_fen, used, TEN) is allowed


@pytest.mark.parametrize(
    ("start", "end", "moment", "allowed"),
    [
        (time(8), time(17), time(7, 59, 59, 999_999), False),
        (time(8), time(17), time(8), True),
        (time(8), time(17), time(16, 59, 59, 999_999), True),
        (time(8), time(17), time(17), False),
        (time(7, 30), time(0), time(23, 59, 59, 999_999), True),
        (time(7, 30), time(0), time(0), False),
        (time(0), time(0), time(0), True),
        (time(0), time(0), time(23, 59), True),
        (time(22), time(6), time(22), True),
        (time(22), time(6), time(3), True),
        (time(22), time(6), time(6), False),
        (time(22), time(6), time(12), False),
    ],
)
def test_hours_are_half_open_to_the_minute(
    start: time, end: time, moment: time, allowed: bool
) -> None:
    agreement = mandate(hours_from=start, hours_until=end)
    at = datetime.combine(TEN.date(), moment, tzinfo=clock.ZONE)
    assert agreement_allows(agreement, 1, (0, 0), at) is allowed


@database
def test_a_code_given_comes_before_every_agreement() -> None:
    bill = invoice(1_000)
    agreement = payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.DECLINED)
    payments.collect(bill, auth_code=SCANNED)
    driven(bill)
    assert bill.status == "PAID"
    ways = list(bill.payments.order_by("pk").values_list("mode", "agreement_id"))
    assert ways == [("scan", None), ("agreement", agreement.pk)]


@database
def test_a_scan_at_the_window_falls_back_to_no_agreement() -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.DECLINED)
    payments.collect(bill, "scan", auth_code=SCANNED)
    driven(bill)
    assert (bill.status, bill.decline_code) == ("ISSUED", "NOTENOUGH")
    assert list(bill.payments.values_list("mode", flat=True)) == ["scan"]


@database
def test_the_patients_own_wallet_comes_first_then_relatives_by_order_and_age() -> None:
    # given relatives who signed before the patient did, and rank it first among their own
    bill = invoice(1_000)
    child, spouse, second, first = (
        payments.agreement(bill.patient, relation=relation, preference=preference)
        for relation, preference in (("child", 1), ("spouse", 1), ("other", 2), ("self", 3))
    )
    scripted.script(Operation.CAPTURE, *[scripted.DECLINED] * 4)
    # when each of them declines
    payments.collect(bill)
    driven(bill)
    # then the patient's own was asked first, though they prefer others for themselves
    tried = list(bill.payments.order_by("pk").values_list("agreement_id", flat=True))
    assert tried == [first.pk, child.pk, spouse.pk, second.pk]


def _revoked(agreement: Agreement) -> None:
    PatientAccess.objects.filter(user=agreement.holder).update(may_pay=False)


def _closed(agreement: Agreement) -> None:
    User.objects.filter(pk=agreement.holder_id).update(is_active=False)


def _withdrawn(agreement: Agreement) -> None:
    AgreementPatient.objects.filter(agreement=agreement).update(active=False)


def _paused(agreement: Agreement) -> None:
    Agreement.objects.filter(pk=agreement.pk).update(status="PAUSED")


@database
@pytest.mark.parametrize("change", [_revoked, _closed, _withdrawn, _paused])
def test_an_agreement_that_may_not_pay_for_the_patient_is_not_tried(change: Any) -> None:
    bill = invoice(1_000)
    change(payments.agreement(bill.patient))
    payments.collect(bill)
    driven(bill)
    assert (bill.status, bill.decline_code) == ("ISSUED", "no_agreement")
    assert scripted.CALLS == []


@database
def test_a_relatives_agreement_pays_for_nobody_else() -> None:
    bill = invoice(1_000)
    payments.agreement(invoice(1_000).patient)
    payments.collect(bill)
    driven(bill)
    assert scripted.CALLS == []


@database
def test_the_daily_count_counts_what_is_taken_or_open_not_what_was_refused() -> None:
    # given an agreement for two deductions a day, one of which was refused
    bill = invoice(1_000)
    plan = payments.plan(plan_id="twice", daily_count=2)
    payments.agreement(bill.patient, plan=plan)
    scripted.script(Operation.CAPTURE, scripted.DECLINED)
    payments.collect(bill)
    assert driven(bill).status == "ISSUED"
    # when three more bills are collected
    ends = []
    for _bill in range(3):
        more = invoice(1_000, of=bill.encounter)
        payments.collect(more)
        ends.append((driven(more).status, more.decline_code))
    # then two are taken and the third is over the count
    assert ends == [("PAID", ""), ("PAID", ""), ("ISSUED", "agreement_limit")]


EVENING = {"hours_from": time(18), "hours_until": time(22)}
MORNING = {"hours_from": time(8), "hours_until": time(12)}


@database
@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ([MORNING | {"single_fen": 999}], "agreement_limit"),
        ([EVENING], "agreement_hours"),
        # later it would not pay either, so the hours are not what is in the way
        ([EVENING | {"single_fen": 999}], "agreement_limit"),
        ([EVENING | {"daily_count": 0}], "agreement_limit"),
        # of two, one only has to be waited for
        ([MORNING | {"single_fen": 999}, EVENING], "agreement_hours"),
    ],
)
def test_the_his_can_tell_the_hours_from_the_amount(
    terms: list[dict[str, Any]], reason: str
) -> None:
    # given a bill of ¥10 at ten o'clock and agreements that do not pay it now
    bill = invoice(1_000)
    for number, term in enumerate(terms):
        payments.agreement(bill.patient, plan=payments.plan(plan_id=f"P{number}", **term))
    # when it is collected
    payments.collect(bill)
    # then nobody was asked for money, and the bill, the collect and the event say why
    assert driven(bill).decline_code == reason
    assert scripted.CALLS == []
    assert CollectRequest.objects.get().decline_code == reason
    assert HisEvent.objects.get(type="action_required").data["reason"] == reason
    # and where only higher limits would help, each holder is told of them
    told = Notification.objects.filter(kind="over_limit").values_list("user_id", flat=True)
    holders = Agreement.objects.values_list("holder_id", flat=True)
    assert sorted(told) == (sorted(holders) if reason == "agreement_limit" else [])


@database
def test_the_daily_limit_begins_anew_at_midnight(still_clock: clock.FrozenClock) -> None:
    still_clock.advance(timedelta(hours=13, minutes=59, seconds=59))
    bill = invoice(1_000)
    payments.agreement(bill.patient, own_daily_fen=1_000)
    payments.collect(bill)
    assert driven(bill).status == "PAID"
    later = invoice(1, of=bill.encounter)
    payments.collect(later)
    assert driven(later).decline_code == "agreement_limit"
    still_clock.advance(timedelta(seconds=1))
    payments.collect(later)
    assert driven(later).status == "PAID"


@database
def test_a_deduction_of_yesterday_still_open_uses_nothing_of_today(
    still_clock: clock.FrozenClock,
) -> None:
    bill = in_flight(1_000, scripted.SILENT)
    Agreement.objects.update(own_daily_fen=1_000)
    still_clock.advance(timedelta(days=1))
    today = invoice(1_000, of=bill.encounter)
    payments.collect(today)
    assert driven(today).status == "PAID"
    assert capture_of(bill).business_day < capture_of(today).business_day


@database
def test_an_agreement_with_the_merchant_of_another_campus_does_not_pay() -> None:
    # given a bill of the main campus and an agreement with the merchant of the eastern one
    bill = invoice(1_000)
    east = Campus.objects.create(code="E", name="东院区")
    elsewhere = payments.plan(payments.merchant("1900000002", campus=east), "200001")
    payments.agreement(bill.patient, plan=elsewhere)
    # when the bill is collected
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    # then nobody was asked for money and the bill waits for the patient
    assert scripted.calls(Operation.CAPTURE) == []
    assert CollectRequest.objects.get().status == "ACTION_REQUIRED"
