"""Two ledgers side by side: who is compared, what differs, and what is open, in words."""

from __future__ import annotations

import json
from collections import defaultdict
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from billing.channels.base import Operation, Source
from billing.models import BillingReview, HisEvent
from billing.services.apply import transaction_apply
from billing.services.review_decisions import refund_review_hand_out
from billing.services.sweeps import transaction_resume
from config import books, books_numbers
from core import clock
from patients.models import HisClient
from tests import scripted
from tests.billing.services.bills import (
    LOST,
    REVIEWER,
    ask_back,
    capture_of,
    declined,
    driven,
    paid,
    part,
    refunds_of,
    reissued,
)
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter, his_client

OK, DIFFERENCES, TRY_LATER = 0, 3, 75
KINDS = ("captured", "refunded", "reversed", "returned", "open")

pytestmark = pytest.mark.django_db


def channel_book(**counted: tuple[int, int]) -> dict[str, dict[str, int]]:
    return {
        kind: dict(zip(("count", "fen"), counted.get(kind, (0, 0)), strict=True)) for kind in KINDS
    }


@pytest.fixture
def their_rows(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """The rows behind what the other side says, by counterparty."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    monkeypatch.setattr(books_numbers, "sandbox_transactions", rows.__getitem__)
    return rows


def their_row(number: str, moved_fen: int, kind: str = "papay") -> dict[str, Any]:
    return {
        "number": number,
        "merchant": "1900000001",
        "kind": kind,
        "status": "SUCCESS",
        "amount_fen": abs(moved_fen),
        "moved_fen": moved_fen,
    }


@pytest.fixture
def theirs(
    monkeypatch: pytest.MonkeyPatch, settings: Any, their_rows: dict[str, Any]
) -> dict[str, Any]:
    """What the other side says: one merchant we know, and a HIS that is told of its bills."""
    settings.SANDBOX_URL = "http://127.0.0.1:8001"
    payments.merchant("1900000001")
    his_client(events_url="http://127.0.0.1:8001/his/events")
    nothing = {"count": 0, "fen": 0}
    said: dict[str, Any] = {
        "wechat_pay": {"1900000001": channel_book()},
        "his": {"hospital": {"charged": nothing, "cancelled": nothing}},
    }
    monkeypatch.setattr(books, "sandbox_books", lambda: said)
    return said


def compare() -> tuple[int, Any, str]:
    out, err, code = StringIO(), StringIO(), OK
    try:
        call_command("compare_books", "--json", stdout=out, stderr=err)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(out.getvalue()), err.getvalue()


def test_every_counterparty_is_listed(theirs: dict[str, Any]) -> None:
    code, data, said = compare()
    assert (code, data["differences"], data["open"]) == (OK, [], [])
    assert data["compared"] == {
        "clearing/wechat_pay/1900000001": {"captured": 0, "refunded": 0},
        "his/hospital": {"charged": 0},
    }
    assert "his/hospital: charged ¥0.00" in said and "the books agree" in said


def test_unpaid_order_there_is_explained(theirs: dict[str, Any]) -> None:
    theirs["wechat_pay"]["1900000001"] = channel_book(open=(1, 12_50))
    code, data, said = compare()
    assert code == TRY_LATER
    [row] = data["open"]
    assert (row["side"], row["count"], row["amount_fen"]) == ("wechat_pay", 1, 12_50)
    assert "open: an order that may still move money" in said
    assert "merchant 1900000001, count 1, ¥12.50" in said


def test_his_that_charged_more_differs(theirs: dict[str, Any]) -> None:
    theirs["his"]["hospital"]["charged"] = {"count": 1, "fen": 7}
    code, data, _said = compare()
    assert code == DIFFERENCES
    assert data["differences"] == [
        {"where": "medical_revenue", "what": "charged", "ours": 0, "theirs": 7}
    ]


@pytest.fixture
def one_paid(theirs: dict[str, Any], their_rows: dict[str, Any], settings: Any) -> tuple[str, str]:
    """A bill of ¥10.00 paid and ¥4.00 of it given back, in both books; the numbers of both."""
    settings.PAYMENT_CHANNELS = {"wechat_pay": "tests.scripted.ScriptedChannel"}
    scripted.reset()
    bill = paid(400, 600)
    ask_back(bill, part(bill, 0))
    (refund,) = refunds_of(bill)
    transaction_resume(transaction_id=refund.pk)
    HisEvent.objects.update(delivered_at=clock.now())
    theirs["wechat_pay"]["1900000001"] = channel_book(captured=(1, 1_000), refunded=(1, 400))
    theirs["his"]["hospital"] = {
        "charged": {"count": 1, "fen": 1_000},
        "cancelled": {"count": 1, "fen": 400},
    }
    capture = capture_of(bill).number
    their_rows["wechat_pay"] += [their_row(capture, 1_000), their_row(refund.number, -400)]
    their_rows["his"] += [{"number": bill.invoice_no, "moved_fen": 600}]
    return capture, refund.number


@pytest.mark.usefixtures("one_paid")
def test_books_that_agree_on_every_number_agree(their_rows: dict[str, Any]) -> None:
    # also when they know of what never moved anything
    their_rows["wechat_pay"] += [their_row("CLOSED", 0), their_row("T0", 0, "transfer")]
    code, data, _said = compare()
    assert (code, data["differences"]) == (OK, [])


@pytest.mark.usefixtures("one_paid")
def test_a_transfer_that_we_never_made_is_named(their_rows: dict[str, Any]) -> None:
    their_rows["wechat_pay"] += [their_row("T1", -50, "transfer")]
    code, data, _said = compare()
    assert code == DIFFERENCES
    [found] = data["differences"]
    assert (found["where"], found["ours"], found["theirs"]) == (
        "payout_float/wechat_pay T1",
        0,
        -50,
    )


@pytest.mark.usefixtures("one_paid")
def test_two_clients_bills_of_one_number_do_not_make_up_for_each_other(
    theirs: dict[str, Any], their_rows: dict[str, Any]
) -> None:
    # given another client's bill under the number of the first, of ¥5.00, that nobody charged
    [row] = their_rows["his"]
    other = invoice(500, of=encounter(client=his_client("HIS2")), invoice_no=row["number"])
    payments.agreement(other.patient)
    payments.collect(other)
    driven(other)
    HisEvent.objects.update(delivered_at=clock.now())
    capture = capture_of(other).number
    their_rows["wechat_pay"].append(their_row(capture, 500))
    theirs["wechat_pay"]["1900000001"]["captured"]["fen"] += 500
    # when the HIS says that both together are the first one
    row["moved_fen"] += 500
    theirs["his"]["hospital"]["charged"]["fen"] += 500
    code, data, _said = compare()
    # then each is named
    assert code == DIFFERENCES
    found = {(one["where"], one["ours"], one["theirs"]) for one in data["differences"]}
    assert found == {
        (f"medical_revenue {told_code()} {row['number']}", 600, 1_100),
        (f"medical_revenue HIS2 {row['number']}", 500, 0),
    }


def told_code() -> str:
    return HisClient.objects.get(events_url__startswith="http://127.0.0.1:8001").code


def test_two_errors_that_make_up_for_each_other_are_named(
    one_paid: tuple[str, str], their_rows: dict[str, Any]
) -> None:
    # given a payment they do not have, and one of the same amount that we do not have
    capture, _refund = one_paid
    their_rows["wechat_pay"][0] = their_row("UNHEARD", 1_000)
    # when the sums agree all the same
    code, data, said = compare()
    # then both numbers are named
    assert code == DIFFERENCES
    assert data["compared"]["clearing/wechat_pay/1900000001"] == {
        "captured": 1_000,
        "refunded": 400,
    }
    where, what = "clearing/wechat_pay/1900000001", "moved under this number"
    assert data["differences"] == [
        {"where": f"{where} {capture}", "what": what, "ours": 1_000, "theirs": 0},
        {"where": f"{where} UNHEARD", "what": what, "ours": 0, "theirs": 1_000},
    ]
    assert capture in said and "UNHEARD" in said


def test_a_bill_charged_under_another_number_is_named(
    one_paid: tuple[str, str], their_rows: dict[str, Any]
) -> None:
    bill_no = their_rows["his"][0]["number"]
    their_rows["his"][0] = {"number": "I-OTHER", "moved_fen": 600}
    code, data, _said = compare()
    assert code == DIFFERENCES
    found = {(row["where"], row["ours"], row["theirs"]) for row in data["differences"]}
    assert found == {
        (f"medical_revenue {told_code()} {bill_no}", 600, 0),
        (f"medical_revenue {told_code()} I-OTHER", 0, 600),
    }


def test_merchants_of_one_side_only_differ(theirs: dict[str, Any]) -> None:
    # given a merchant that the channel does not know, and two of theirs that we do not
    payments.merchant("1900000002")
    theirs["wechat_pay"]["1999999999"] = channel_book(captured=(1, 100))
    theirs["alipay"] = {"1900000001": channel_book(captured=(1, 200))}
    code, data, _said = compare()
    assert code == DIFFERENCES
    found = {(one["where"], one["what"], one["theirs"]) for one in data["differences"]}
    assert found == {
        ("wechat_pay/1900000002", "merchant unknown there", 0),
        ("wechat_pay/1999999999", "merchant unknown here", 100),
        ("alipay/1900000001", "merchant unknown here", 200),
    }


def test_what_is_owed_differs_once_nobody_sees_it(settings: Any) -> None:
    settings.PAYMENT_CHANNELS = {"wechat_pay": "tests.scripted.ScriptedChannel"}
    scripted.reset()
    # given a refused refund that a person is asked about
    first = declined(paid(1_000))
    case = BillingReview.objects.get(transaction=first, reason_code="refund_declined")
    assert books.owed_unseen() == []
    # when the case is gone and the money is owed still
    ended = {"status": "WITHDRAWN", "decided_at": case.opened_at}
    BillingReview.objects.filter(pk=case.pk).update(**ended)
    where = f"refund_payable {first.pk}"
    assert books.owed_unseen() == [books.Difference(where, "owed, seen by nobody", -1_000, 0)]
    # then it is seen again once another number of the debt is on its way
    scripted.script(Operation.REFUND_QUERY, LOST)
    reissued(transaction_id=first.pk, by=REVIEWER)
    assert books.owed_unseen() == []


def test_a_debt_that_left_twice_is_named(theirs: dict[str, Any], settings: Any) -> None:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    # given a refund of ¥4.00 handed out in cash, and done under its first number all the same
    bill = paid(400, 600)
    ask_back(bill, part(bill, 0))
    (first,) = refunds_of(bill)
    scripted.script(Operation.REFUND, LOST)
    transaction_resume(transaction_id=first.pk)
    scripted.script(Operation.REFUND_QUERY, LOST)
    case = BillingReview.objects.get(transaction=first, reason_code="refund_declined")
    cash = refund_review_hand_out(review_id=case.pk, by=REVIEWER, comment="已核对")
    transaction_resume(transaction_id=cash.pk)
    first.refresh_from_db()
    transaction_apply(
        transaction_id=first.pk, answer=scripted.PAID, source=Source.QUERY, asked_of=first
    )
    HisEvent.objects.update(delivered_at=clock.now())
    # when the books are compared, the channel's agreeing with us about its own part
    theirs["wechat_pay"]["1900000001"] = channel_book(captured=(1, 1_000), refunded=(1, 400))
    code, data, said = compare()
    # then the debt is named, whoever looks at its case
    assert code == DIFFERENCES
    assert BillingReview.objects.get(reason_code="refunded_twice").status == "OPEN"
    named = [one["what"] for one in data["differences"] if one["where"] == "ledger"]
    assert len(named) == 1 and f"refund {first.pk}" in named[0], named
    assert "refund_left_twice" in named[0] and "refund_left_twice" in said
