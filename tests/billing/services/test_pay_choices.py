"""A way picked once by a signed-in person: one order, its truth on the page, limits and races."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from billing.channels.base import ChannelAnswer, Mode, Operation
from billing.models import Invoice, InvoiceStatus, Payment, PaymentTransaction
from billing.offers import Offer
from billing.page_values import PayState
from billing.selectors.pay_page import invoice_page
from billing.services.collecting.pay_choices import agreement_choose
from billing.services.collecting.pay_links import offer_choose
from billing.services.sweeps import transaction_resume
from core import clock
from core.errors import Conflict, NotOffered, Refusal
from core.idempotency import NumberReused
from patients.actors import patient_actor
from patients.models import PatientAccess
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice


def house(fen: int = 8640) -> tuple[Invoice, PatientAccess, int]:
    """A bill of a signed-in user who has signed."""
    bill, user = invoice(fen), payments.user()
    access = payments.access(bill.patient, user)
    return bill, access, payments.agreement(bill.patient, user).pk


def pick(bill: Invoice, access: PatientAccess, agreement_id: int, key: str = "k1") -> None:
    agreement_choose(
        invoice=Invoice.objects.get(pk=bill.pk),
        access=access,
        agreement_id=agreement_id,
        payer_address="10.0.0.1",
        form_key=key,
        by=patient_actor(access.user),
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "status", "state"),
    [
        (scripted.PAID, InvoiceStatus.PAID, PayState.PAID),
        (scripted.PENDING, InvoiceStatus.COLLECTING, PayState.IN_PROGRESS),
        (scripted.SILENT, InvoiceStatus.COLLECTING, PayState.IN_PROGRESS),
        (scripted.DECLINED, InvoiceStatus.ISSUED, PayState.NOT_PAID),
    ],
)
def test_the_page_says_what_is_known(
    answer: ChannelAnswer, status: InvoiceStatus, state: PayState
) -> None:
    bill, access, agreement = house()
    scripted.script(Operation.CAPTURE, answer)

    pick(bill, access, agreement)
    pick(bill, access, agreement)  # the same form again

    bill.refresh_from_db()
    assert (bill.status, Payment.objects.count()) == (status, 1)
    assert invoice_page(bill, access=access).state is state
    assert len(scripted.calls(Operation.CAPTURE)) == 1


@pytest.mark.django_db
def test_nothing_taken_is_said_only_once_the_channel_was_asked_a_last_time(
    still_clock: clock.FrozenClock,
) -> None:
    # given a pick whose send got no answer, and of which the channel twice knows nothing
    bill, access, agreement = house()
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    scripted.script(Operation.QUERY, *[scripted.MISSING] * 3)
    pick(bill, access, agreement)
    (row,) = PaymentTransaction.objects.filter(payment__invoice=bill)
    for _look in range(2):
        still_clock.advance(timedelta(seconds=9))
        transaction_resume(transaction_id=row.pk)
    row.refresh_from_db()
    # when it is given up, though a sleeping process may have sent it after all
    assert (row.status, row.code, row.due_at) == ("CLOSED", "NEVER_EXECUTED", row.expires_at)
    bill.refresh_from_db()
    # then the page asks for the money and does not say that none was taken
    assert invoice_page(bill, access=access).state is PayState.TO_PAY
    # and says so when the channel knew nothing at the deadline either
    still_clock.advance(row.expires_at - clock.now())
    transaction_resume(transaction_id=row.pk)
    assert invoice_page(bill, access=access).state is PayState.NOT_PAID


@pytest.mark.django_db
def test_a_declined_pick_can_be_tried_again_with_another_form() -> None:
    bill, access, agreement = house()
    scripted.script(Operation.CAPTURE, scripted.DECLINED, scripted.PAID)

    pick(bill, access, agreement)
    pick(bill, access, agreement, "k2")

    bill.refresh_from_db()
    assert bill.status == InvoiceStatus.PAID and Payment.objects.count() == 2


@pytest.mark.django_db
def test_over_the_limit_of_the_day_nothing_is_sent() -> None:
    bill, access, agreement = house(6_000)
    other = invoice(6_000, of=bill.encounter)
    row = payments.Agreement.objects.get(pk=agreement)
    row.own_daily_fen = 10_000
    row.save()
    pick(bill, access, agreement)

    with pytest.raises(NotOffered) as refused:
        pick(other, access, agreement, "k2")

    assert refused.value.code == "over_limit"
    other.refresh_from_db()
    assert other.status == InvoiceStatus.ISSUED and Payment.objects.count() == 1


@pytest.mark.django_db
def test_a_relatives_own_agreement_may_be_picked_and_a_third_ones_not() -> None:
    # Given a mother's bill, a daughter and a son who have both signed for her
    bill = invoice(500)
    daughter, son = payments.user(), payments.user()
    hers = payments.access(bill.patient, daughter, "parent")
    payments.access(bill.patient, son, "parent")
    brothers = payments.agreement(bill.patient, son).pk
    own = payments.agreement(bill.patient, daughter).pk

    # When the daughter picks her brother's, then her own
    with pytest.raises(NotOffered):
        pick(bill, hers, brothers)
    pick(bill, hers, own, "k2")

    # Then only hers is taken
    assert [row.agreement_id for row in Payment.objects.all()] == [own]


@pytest.mark.django_db
def test_an_ended_binding_or_a_paused_agreement_is_not_offered() -> None:
    bill, access, agreement = house()
    payments.Agreement.objects.filter(pk=agreement).update(status="PAUSED")
    with pytest.raises(NotOffered):
        pick(bill, access, agreement)
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_a_form_of_another_bill_never_leads_to_its_order() -> None:
    bill, access, agreement = house()
    other = invoice(700, of=bill.encounter)
    pick(bill, access, agreement)
    with pytest.raises(NumberReused):
        pick(other, access, agreement)
    assert Payment.objects.count() == 1


@pytest.mark.django_db
def test_while_the_his_collects_nothing_can_be_picked() -> None:
    bill, access, agreement = house()
    payments.collect(bill, "auto")
    with pytest.raises(Conflict):
        pick(bill, access, agreement)


@pytest.mark.django_db
def test_an_order_left_open_in_wechat_is_closed_before_a_deduction() -> None:
    bill, access, agreement = house()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    offer_choose(
        invoice=bill,
        offer=Offer("wechat_pay", Mode.H5),
        payer_address="10.0.0.1",
        form_key="h",
    )
    scripted.script(Operation.CLOSE, scripted.CLOSED)

    pick(bill, access, agreement)

    bill.refresh_from_db()
    rows = Payment.objects.order_by("pk").values_list("mode", "transactions__status")
    assert list(rows) == [("h5", "CLOSED"), ("agreement", "SUCCEEDED")]
    assert bill.status == InvoiceStatus.PAID


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_make_one_order() -> None:
    bill, access, agreement = house()

    def press(key: str) -> str:
        try:
            pick(bill, access, agreement, key)
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "taken"

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(press, ["a", "a", "b", "c"]))

    assert Payment.objects.count() == 1 and "taken" in told
    assert set(told) <= {"taken", "not_payable", "in_progress"}
    assert len(scripted.calls(Operation.CAPTURE)) == 1
