"""A tender: its number first, one send, looks at stated ages, and an end at its deadline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import CaptureOrder, ChannelAnswer, Mode, Operation
from billing.models import PaymentTransaction
from billing.policy import policy
from billing.purposes.invoice import InvoicePurpose
from billing.services.collecting.captures import (
    capture_look,
    capture_send,
    next_look_at,
    order_reference,
)
from core import clock
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.bills import capture_of, driven, in_flight
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db


def aged(kind: str = "CAPTURE", expires_s: int = 900) -> PaymentTransaction:
    """A row made now, not stored."""
    now = clock.now()
    return PaymentTransaction(
        kind=kind, created_at=now, expires_at=now + timedelta(seconds=expires_s)
    )


@pytest.mark.parametrize(
    ("age_s", "next_s"),
    [
        (0, 3), (2.9, 3), (3, 5), (4, 5), (5, 10), (10, 20), (20, 30), (29, 30),
        (30, 60), (100, 130), (869, 899), (870, 900), (871, 900), (900, 930),
        (3_599, 3_629), (3_600, 4_200),
    ],
)  # fmt: skip
def test_it_is_looked_at_early_then_regularly_then_rarely(age_s: float, next_s: int) -> None:
    row = aged()
    at = next_look_at(row, row.created_at + timedelta(seconds=age_s))
    assert at - row.created_at == timedelta(seconds=next_s)


def test_a_refund_has_no_deadline_to_look_at() -> None:
    row = aged("REFUND", expires_s=110)
    at = next_look_at(row, row.created_at + timedelta(seconds=100))
    assert at - row.created_at == timedelta(seconds=130)


@pytest.mark.parametrize(
    ("method", "mode", "deadline_s"), [("auto", "agreement", 900), ("scan", "scan", 45)]
)
def test_the_number_stands_before_the_send_with_its_deadline(
    method: str, mode: str, deadline_s: int
) -> None:
    bill = invoice(1_000)
    agreement = payments.agreement(bill.patient)
    seen: list[PaymentTransaction] = []

    def capture(order: object) -> ChannelAnswer:
        assert isinstance(order, CaptureOrder)
        seen.append(PaymentTransaction.objects.select_related("payment").get(number=order.number))
        return scripted.PENDING

    scripted.script(Operation.CAPTURE, capture)
    payments.collect(bill, method, auth_code="130000000000000001" if method == "scan" else "")
    driven(bill)
    row = seen[0]
    assert (row.status, row.amount_fen, row.payment.mode) == ("CREATED", 1_000, mode)
    assert row.expires_at - row.created_at == timedelta(seconds=deadline_s)
    assert row.due_at == clock.now() + timedelta(seconds=policy().lease_s)
    assert row.agreement_id == (agreement.pk if mode == "agreement" else None)
    assert row.business_day == clock.today()
    assert len(row.number) <= 32


def test_an_order_names_place_and_number_and_nothing_of_the_visit() -> None:
    bill = in_flight()
    text = InvoicePurpose().description(PaymentTransaction(), bill)
    assert bill.invoice_no[-6:] in text
    assert "主院区" in text
    assert bill.encounter.department_name not in text
    assert bill.patient.name not in text


def test_a_number_ten_seconds_old_is_not_sent_any_more(still_clock: clock.FrozenClock) -> None:
    bill = in_flight()
    row = capture_of(bill)
    scripted.CALLS.clear()
    still_clock.advance(timedelta(seconds=9, milliseconds=999))
    assert capture_send(row=row, invoice=bill).outcome is Outcome.SUCCEEDED
    still_clock.advance(timedelta(milliseconds=1))
    answer = capture_send(row=row, invoice=bill)
    assert (answer.outcome, answer.executed) == (Outcome.UNKNOWN, False)
    assert len(scripted.CALLS) == 1


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (scripted.PAID, False),
        (scripted.DECLINED, False),
        (scripted.PENDING, True),
        (scripted.SILENT, True),
    ],
)
def test_at_its_deadline_it_is_closed_unless_the_query_ended_it(
    still_clock: clock.FrozenClock, answer: ChannelAnswer, closes: bool
) -> None:
    row = capture_of(in_flight())
    still_clock.advance(row.expires_at - clock.now() - timedelta(seconds=1))
    scripted.script(Operation.QUERY, answer)
    assert capture_look(row=row) == answer
    still_clock.advance(timedelta(seconds=1))
    scripted.script(Operation.QUERY, answer)
    assert capture_look(row=row) == (scripted.CLOSED if closes else answer)
    assert len(scripted.calls(Operation.CLOSE)) == closes


def test_one_to_be_closed_is_closed_before_its_deadline() -> None:
    row = capture_of(in_flight())
    row.closing = True
    assert capture_look(row=row) == scripted.CLOSED


def test_a_scanned_code_is_reversed_not_closed() -> None:
    bill = invoice(1_000)
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    driven(bill)
    row = capture_of(bill)
    row.closing = True
    capture_look(row=row)
    assert scripted.calls(Operation.REVERSE) == [row.number]
    assert scripted.calls(Operation.CLOSE) == []


def test_what_is_asked_about_is_the_order_as_it_was_sent() -> None:
    row = capture_of(in_flight(2_500))
    order = order_reference(row)
    assert (order.number, order.amount_fen, order.mode) == (row.number, 2_500, Mode.AGREEMENT)
    assert order.merchant.merchant_no == "1900000001"
