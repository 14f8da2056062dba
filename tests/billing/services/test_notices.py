"""Notices nobody can apply, numbers that come again with other content, floods of forged ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.channels.base import ChannelAnswer, Notice, NoticeKind, Operation
from billing.ledger.selectors import account_balance
from billing.models import BillingReview, Merchant, PaymentNotice, PaymentTransaction
from billing.policy import policy
from billing.services.invoice_drive import invoice_drive
from billing.services.notices.applying import notice_apply, notices_due
from billing.services.notices.receiving import _store, notice_receive
from billing.services.sweeps import transaction_resume
from core import clock
from core.models import AuditEvent
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.bills import ask_back, capture_of, paid, refunds_of
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

PAID = ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200001", amount_fen=1_000)


def pending() -> PaymentTransaction:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    return PaymentTransaction.objects.get(payment__invoice=bill)


def notice(row: PaymentTransaction, event_no: str, **said: Any) -> Notice:
    merchant = row.payment.merchant
    assert merchant is not None
    values: dict[str, Any] = {
        "kind": NoticeKind.CAPTURE,
        "event_no": event_no,
        "merchant_no": merchant.merchant_no,
        "app_id": merchant.app_id,
        "number": row.number,
        "currency": "CNY",
        "answer": PAID,
    }
    return Notice(**values | said)


def stored(row: PaymentTransaction, event_no: str, **said: Any) -> int:
    merchant = row.payment.merchant
    assert merchant is not None
    return _store("wechat_pay", merchant, notice(row, event_no, **said))[0]


def poisoned(row: PaymentTransaction, event_no: str) -> int:
    """A stored notice that no code of ours can read."""
    kept = stored(row, event_no)
    PaymentNotice.objects.filter(pk=kept).update(facts={})
    return kept


def sweep(limit: int) -> list[int]:
    due = notices_due(limit=limit)
    for pk in due:
        notice_apply(notice_id=pk)
    return due


def test_poisoned_notices_do_not_starve_the_others(still_clock: clock.FrozenClock) -> None:
    row = pending()
    bad = [poisoned(row, f"bad{n}") for n in range(3)]
    good = stored(row, "good")
    still_clock.advance(timedelta(seconds=16))
    assert sweep(3) == bad
    assert sweep(3) == [good]
    row.refresh_from_db()
    assert row.status == "SUCCEEDED"


def test_a_poisoned_notice_is_tried_more_rarely_and_ends_with_a_person(
    still_clock: clock.FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    bad = poisoned(pending(), "bad")
    waited = []
    for _try in range(5):
        before = clock.now()
        notice_apply(notice_id=bad)
        due_at = PaymentNotice.objects.get(pk=bad).due_at
        assert due_at is not None
        waited.append((due_at - before).total_seconds())
        still_clock.advance(due_at - before)
    assert waited == [15, 30, 60, 300, 900]
    assert f"notice {bad} could not be applied" in caplog.text
    review = BillingReview.objects.get(notice=bad)
    assert (review.reason_code, review.figures["attempts"]) == ("not_ended", 5)
    notice_apply(notice_id=bad)
    assert BillingReview.objects.filter(notice=bad).count() == 1


def test_a_sweep_leases_what_it_takes(still_clock: clock.FrozenClock) -> None:
    kept = stored(pending(), "one")
    assert notices_due(limit=10) == []  # its own task has some seconds
    still_clock.advance(timedelta(seconds=16))
    assert notices_due(limit=10) == [kept]
    assert notices_due(limit=10) == []


@pytest.mark.parametrize("differs", ["merchant", "currency", "kind"])
def test_a_true_notice_that_is_not_about_our_order_moves_nothing(differs: str) -> None:
    # given a number of ours in a notice of another account, another currency, or of a refund
    row = pending()
    said: dict[str, Any] = {"currency": "USD"} if differs == "currency" else {}
    said |= {"kind": NoticeKind.REFUND} if differs == "kind" else {}
    of = payments.merchant("1900000002") if differs == "merchant" else row.payment.merchant
    assert of is not None
    kept = _store("wechat_pay", of, notice(row, "E9", merchant_no=of.merchant_no, **said))[0]
    # when it is applied, twice
    for _twice in range(2):
        notice_apply(notice_id=kept)
    # then nothing is paid, and a person sees in what it differs
    row.refresh_from_db()
    assert row.status == "PENDING"
    assert account_balance(f"clearing/wechat_pay/{of.merchant_no}") == 0
    case = BillingReview.objects.get(transaction=row)
    assert (case.reason_code, case.figures) == ("state_differs", {"differs": differs})


@pytest.mark.parametrize(
    ("said", "differs"),
    [
        ({"original_number": "TX-of-another-bill"}, "original order"),
        ({"contract_id": "contract-of-another"}, "contract"),
    ],
)
def test_a_true_notice_about_another_order_or_contract_moves_nothing(
    said: dict[str, str], differs: str
) -> None:
    # given a refund that has left and not ended
    bill = paid(1_000)
    ask_back(bill)
    scripted.script(Operation.REFUND, scripted.PENDING)
    (refund,) = refunds_of(bill)
    transaction_resume(transaction_id=refund.pk)
    row = refund if "original_number" in said else capture_of(bill)
    kind = NoticeKind.REFUND if row is refund else NoticeKind.CAPTURE
    # when its own number comes as done, but of another order, or by another contract
    notice_apply(notice_id=stored(row, "E-other", kind=kind, **said))
    # then nothing moves, and a person sees in what it differs
    refund.refresh_from_db()
    assert refund.status == "PENDING"
    assert account_balance("refund_payable") == -1_000
    assert BillingReview.objects.get(transaction=row).figures == {"differs": differs}


def test_event_numbers_belong_to_their_merchant() -> None:
    row = pending()
    other = payments.merchant("1900000002")
    first = stored(row, "E1")
    second, applied = _store(
        "wechat_pay", other, notice(row, "E1", merchant_no=other.merchant_no, number="T2")
    )
    assert first != second and not applied
    assert PaymentNotice.objects.count() == 2
    assert not BillingReview.objects.exists()


def test_a_repeated_delivery_is_counted_and_asks_nothing() -> None:
    row = pending()
    again = ChannelAnswer(
        Outcome.SUCCEEDED, channel_no="4200001", amount_fen=1_000, retry_at=clock.now()
    )
    assert stored(row, "E1") == stored(row, "E1", answer=again)
    assert PaymentNotice.objects.get().deliveries == 2
    assert not BillingReview.objects.exists()


def test_a_repeated_number_with_other_content_is_shown_to_a_person() -> None:
    row = pending()
    other = ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200001", amount_fen=999)
    kept = stored(row, "E1")
    for _delivery in range(2):
        assert stored(row, "E1", answer=other) == kept
    review = BillingReview.objects.get(notice=kept)
    assert review.reason_code == "state_differs"
    assert (review.figures["ours_fen"], review.figures["theirs_fen"]) == (1_000, 999)
    assert PaymentNotice.objects.get().facts["amount_fen"] == 1_000


def refuse(merchant: Merchant, times: int, address: str) -> None:
    for _forged in range(times):
        notice_receive(
            channel="wechat_pay",
            merchant_no=merchant.merchant_no,
            kind=NoticeKind.CAPTURE,
            headers={},
            body=b"{}",
            address=address,
        )


def kept_refusals() -> int:
    return AuditEvent.objects.filter(action="notice_refused").count()


def test_forged_notices_leave_so_many_lines_a_minute(still_clock: clock.FrozenClock) -> None:
    merchant, limit = payments.merchant(), policy().refusals_kept_per_address
    refuse(merchant, limit + 20, "203.0.113.7")
    assert kept_refusals() == limit + 1
    last = AuditEvent.objects.filter(action="notice_refused").latest("pk")
    assert last.detail["suppressed"] == "address"
    # another address is heard, and so is this one a minute later
    refuse(merchant, 1, "203.0.113.8")
    assert kept_refusals() == limit + 2
    still_clock.advance(timedelta(minutes=1))
    refuse(merchant, 1, "203.0.113.7")
    assert kept_refusals() == limit + 3


def test_forged_notices_from_everywhere_leave_so_many_lines_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    merchant, limit = payments.merchant(), policy().refusals_kept
    for n in range(limit + 5):
        refuse(merchant, 1, f"203.0.{n // 250}.{n % 250 + 1}")
    assert kept_refusals() == limit + 1
