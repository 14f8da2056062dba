"""A collect begins once per number, joins the one that runs, and refuses what is no collect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.channels.base import Mode
from billing.models import CollectRequest, Invoice, PayLink
from billing.offers import Offer
from billing.policy import policy
from billing.selectors.collects import collect_answer
from billing.services.charging.invoices import invoice_cancel
from billing.services.collecting.collects import collect_start
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.collecting.pay_links import pay_link_choose
from core import clock
from core.errors import BadInput, Conflict, NotFound, NotOffered
from core.idempotency import NumberReused
from tests import scripted
from tests.billing.services.bills import ASKER, capture_of, driven, in_flight, paid
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import his_client

pytestmark = pytest.mark.django_db
SCANNED = "130000000000000001"
OTHER_SCANNED = "130000000000000002"


def test_a_collect_takes_the_bill_and_is_driven_by_a_sweeper_if_its_task_is_lost() -> None:
    bill = invoice(1_000)
    collect = payments.collect(bill)
    bill.refresh_from_db()
    assert (collect.status, collect.method, collect.operator_code) == ("RUNNING", "auto", "C1")
    assert bill.status == "COLLECTING"
    assert bill.due_at == clock.now() + timedelta(seconds=policy().drive_lost_after_s)
    assert scripted.CALLS == []


def test_the_same_number_and_content_is_the_same_collect() -> None:
    bill = invoice(1_000)
    first = payments.collect(bill, request_no="R1")
    assert payments.collect(bill, request_no="R1") == first
    driven(bill)
    assert payments.collect(bill, request_no="R1") == first
    assert CollectRequest.objects.count() == 1


@pytest.mark.parametrize("method", ["pay_link", "cash"])
def test_the_same_number_with_other_content_is_refused(method: str) -> None:
    bill = invoice(1_000)
    payments.collect(bill, request_no="R1")
    with pytest.raises(NumberReused) as refused:
        payments.collect(bill, method, request_no="R1")
    assert (refused.value.field, refused.value.status) == ("request_no", 409)


def test_the_same_number_for_another_bill_is_refused() -> None:
    first = invoice(1_000)
    payments.collect(first, request_no="R1")
    other = invoice(1_000, of=first.encounter)
    with pytest.raises(NumberReused):
        payments.collect(other, request_no="R1")
    other.refresh_from_db()
    assert other.status == "ISSUED"


def test_a_number_belongs_to_its_client() -> None:
    bill = invoice(1_000)
    with pytest.raises(NotFound):
        collect_start(
            client=his_client("other"),
            invoice_no=bill.invoice_no,
            request_no="R1",
            method="auto",
            auth_code="",
            operator=ASKER,
            input_hash="h",
        )


def test_a_second_number_joins_the_collect_that_runs_and_keeps_no_code() -> None:
    bill = invoice(1_000)
    payments.merchant()
    running = payments.collect(bill, "scan", auth_code=SCANNED)
    assert payments.collect(bill, "scan", "R-second", auth_code=SCANNED) == running
    joined = CollectRequest.objects.get(request_no="R-second")
    assert (joined.status, joined.joined, joined.auth_code) == ("JOINED", running, "")


@pytest.mark.parametrize(
    ("method", "code", "field"),
    [
        ("cash", "", "method"),
        ("pay_link", "", "method"),
        ("auto", SCANNED, "method"),
        ("scan", OTHER_SCANNED, "auth_code"),
    ],
)
def test_another_wish_while_one_runs_is_refused_and_nothing_of_it_stays(
    method: str, code: str, field: str
) -> None:
    # given a bill on which a scanned code is being asked
    bill = invoice(1_000)
    payments.merchant()
    running = payments.collect(bill, "scan", auth_code=SCANNED)
    scripted.script("capture", scripted.PENDING)
    driven(bill)
    # when somebody wants it collected in another way, or by another code
    with pytest.raises(Conflict) as refused:
        payments.collect(bill, method, "R-other", auth_code=code)
    # then they are told so, and the running one alone is there
    assert (refused.value.code, refused.value.field) == ("collect_running", field)
    assert SCANNED not in str(refused.value)
    assert (CollectRequest.objects.get(), len(scripted.CALLS)) == (running, 1)


def test_cash_in_two_hands_is_not_one_payment() -> None:
    # given a till that has begun to take cash
    bill = invoice(1_000)
    payments.collect(bill, "cash", "R-till-1")
    # when another till takes it, too
    with pytest.raises(Conflict) as refused:
        payments.collect(bill, "cash", "R-till-2")
    # then only the first says paid; a repeat of its own number is no second hand
    assert refused.value.code == "collect_running"
    assert payments.collect(bill, "cash", "R-till-1").status == "RUNNING"
    assert driven(bill).status == "PAID"
    assert bill.payments.get().amount_fen == 1_000


def test_cash_is_taken_by_the_sum_that_was_shown_or_not_at_all() -> None:
    # given a form that showed ¥10.00, and a bill that a wallet has paid since
    bill = paid(1_000)
    asked: dict[str, Any] = {
        "client": bill.client,
        "invoice_no": bill.invoice_no,
        "request_no": "R-till",
        "method": "cash",
        "auth_code": "",
        "operator": ASKER,
        "input_hash": "h",
    }
    # when the cashier presses, then nobody is told that the cash was booked
    with pytest.raises(Conflict) as refused:
        collect_start(**asked, shown_fen=1_000)
    assert refused.value.code == "amount_changed"
    assert not CollectRequest.objects.filter(request_no="R-till").exists()
    assert bill.payments.count() == 1


def test_the_number_of_a_refused_wish_is_free_once_the_other_has_ended() -> None:
    bill = in_flight()
    with pytest.raises(Conflict):
        payments.collect(bill, "cash", "R-cash")
    tender_pass_over(invoice_id=bill.pk, by=ASKER)
    assert payments.collect(bill, "cash", "R-cash").status == "RUNNING"
    assert driven(bill).status == "PAID"


def test_a_paid_bill_answers_paid_and_takes_nothing() -> None:
    bill = paid(1_000)
    collect = payments.collect(bill, "auto")
    assert collect.status == "PAID"
    driven(bill)
    assert len(scripted.CALLS) == 1
    assert bill.payments.count() == 1


def test_cash_for_a_paid_bill_is_refused_and_a_repeated_number_still_answered() -> None:
    # given a bill paid in cash under a number
    bill = invoice(1_000)
    payments.collect(bill, "cash", "R-till-1")
    assert driven(bill).status == "PAID"
    # when another till takes notes for it
    with pytest.raises(Conflict) as refused:
        payments.collect(bill, "cash", "R-till-2")
    # then it is told to take none, its number stays free, and the first answers as before
    assert refused.value.code == "invoice_paid"
    assert payments.collect(bill, "cash", "R-till-1").status == "PAID"
    assert (CollectRequest.objects.count(), bill.payments.count()) == (1, 1)


def test_a_repeated_request_is_told_that_the_patient_has_paid_since() -> None:
    # given a collect that ended in a link, for the agreement declined
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script("capture", scripted.DECLINED)
    asked = payments.collect(bill, "auto", "R1")
    driven(bill)
    asked.refresh_from_db()
    assert collect_answer(asked)["result"] == "action_required"
    # when the window has taken it since, and the first request comes once more
    payments.collect(bill, "cash", "R2")
    assert driven(bill).status == "PAID"
    # then it is told so
    assert collect_answer(payments.collect(bill, "auto", "R1")) == {"result": "paid"}


def test_a_cancelled_bill_is_not_collected() -> None:
    bill = invoice(1_000)
    invoice_cancel(client=bill.client, invoice_no=bill.invoice_no, operator=ASKER)
    with pytest.raises(Conflict) as refused:
        payments.collect(bill)
    assert refused.value.code == "invoice_not_open"
    assert not CollectRequest.objects.exists()


@pytest.mark.parametrize(
    ("method", "code", "refusal", "field"),
    [
        ("one_code", "01" + "0" * 26, NotOffered, "method"),
        ("face", "", BadInput, "auth_code"),
        ("pos", "", NotOffered, "method"),
        ("gold", "", NotOffered, "method"),
        ("scan", "", BadInput, "auth_code"),
        ("scan", "12345", BadInput, "auth_code"),
        ("auto", "12345", BadInput, "auth_code"),
        ("scan", "28" + "0" * 16, BadInput, "auth_code"),  # Alipay is not set up here
    ],
)
def test_what_is_no_way_to_pay_is_refused(
    method: str, code: str, refusal: type[Exception], field: str
) -> None:
    bill = invoice(1_000)
    with pytest.raises(refusal) as refused:
        payments.collect(bill, method, auth_code=code)
    assert refused.value.field == field  # type: ignore[attr-defined]
    bill.refresh_from_db()
    assert (bill.status, CollectRequest.objects.count()) == ("ISSUED", 0)


def offered_and_open() -> Invoice:
    """A bill whose patient has opened the pay link and chosen a code to scan."""
    bill = invoice(1_000)
    payments.merchant()
    payments.collect(bill, "pay_link")
    driven(bill)
    scripted.script("capture", scripted.PENDING)
    pay_link_choose(
        token=PayLink.objects.get().token,
        offer=Offer("wechat_pay", Mode.NATIVE),
        payer_address="",
        form_key="K1",
    )
    bill.refresh_from_db()
    return bill


def test_a_page_left_open_does_not_block_the_window() -> None:
    # given a pay page with an order at the channel
    bill = offered_and_open()
    page = capture_of(bill)
    assert (bill.status, page.payment.mode) == ("COLLECTING", "native")
    # when the window collects
    payments.collect(bill, "cash")
    # then the page's order is to be closed at once, and until then nothing else is tried
    page.refresh_from_db()
    assert (page.closing, page.due_at) == (True, clock.now())
    assert driven(bill).status == "COLLECTING"
    assert bill.payments.count() == 1


def test_the_patients_scan_is_kept_until_its_collect_ends() -> None:
    bill = invoice(1_000)
    payments.merchant()
    collect = payments.collect(bill, "scan", auth_code=SCANNED)
    assert collect.auth_code == SCANNED
    driven(bill)
    collect.refresh_from_db()
    assert (collect.status, collect.auth_code) == ("PAID", "")
