"""Two ledgers side by side: who is compared, what differs, and what is open, in words."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from billing.channels.base import Operation
from billing.models import BillingReview
from config import books
from tests import scripted
from tests.billing.services.bills import LOST, REVIEWER, declined, paid, reissued
from tests.factories import payments
from tests.factories.patients import his_client

OK, DIFFERENCES, TRY_LATER = 0, 3, 75
KINDS = ("captured", "refunded", "reversed", "returned", "open")

pytestmark = pytest.mark.django_db


def channel_book(**counted: tuple[int, int]) -> dict[str, dict[str, int]]:
    return {
        kind: dict(zip(("count", "fen"), counted.get(kind, (0, 0)), strict=True)) for kind in KINDS
    }


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch, settings: Any) -> dict[str, Any]:
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
