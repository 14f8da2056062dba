"""Money becomes true in one place: by any door, in any order, twice, never by a wrong figure."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import BillingReview, HisEvent, Invoice, PaymentTransaction
from billing.purposes.invoice import InvoicePurpose
from billing.services.apply import transaction_apply
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core import clock
from core.actors import Actor
from core.models import StateChange
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.bills import CLEARING, capture_of, in_flight, paid, refunds_of
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

PAID = ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200009", amount_fen=1_000)
CLOSED = scripted.CLOSED


def applied(
    bill: Invoice, answer: ChannelAnswer, source: Source = Source.QUERY
) -> PaymentTransaction:
    row = transaction_apply(transaction_id=capture_of(bill).pk, answer=answer, source=source)
    bill.refresh_from_db()
    return row


def reasons() -> list[str]:
    return sorted(BillingReview.objects.values_list("reason_code", flat=True))


def test_a_success_is_believed_once_by_whatever_door() -> None:
    bill = in_flight()
    happened = clock.now() - timedelta(seconds=7)
    said = ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200009", occurred_at=happened)
    for source in (Source.NOTICE, Source.QUERY, Source.SEND):
        row = applied(bill, said, source)
    assert (row.status, row.channel_no, row.occurred_at) == ("SUCCEEDED", "4200009", happened)
    assert (row.due_at, row.action) == (None, None)
    assert bill.status == "PAID"
    assert account_balance(CLEARING) == 1_000
    assert HisEvent.objects.filter(invoice=bill, type="paid").count() == 1
    assert StateChange.objects.filter(
        entity="billing.paymenttransaction", to_status="SUCCEEDED"
    ).count() == 1  # fmt: skip


def test_who_brought_the_answer_is_named() -> None:
    bill = in_flight()
    by = Actor("channel", "wechat_pay", "notice 7")
    transaction_apply(transaction_id=capture_of(bill).pk, answer=PAID, source=Source.NOTICE, by=by)
    assert StateChange.objects.filter(to_status="PAID", actor="channel:wechat_pay").exists()


@pytest.mark.parametrize("wrong_fen", [999, 1_001, 0])
@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING])
def test_another_amount_moves_nothing_and_asks_a_person(wrong_fen: int, outcome: Outcome) -> None:
    bill = in_flight()
    row = applied(bill, ChannelAnswer(outcome, amount_fen=wrong_fen))
    assert (row.status, bill.status) == ("PENDING", "COLLECTING")
    assert account_balance(CLEARING) == 0
    case = BillingReview.objects.get()
    assert (case.reason_code, case.figures) == (
        "amount_differs",
        {"ours_fen": 1_000, "theirs_fen": wrong_fen},
    )
    # it is looked at again, and the right amount then pays
    row.refresh_from_db()
    assert row.due_at is not None
    assert applied(bill, PAID).status == "SUCCEEDED"
    assert bill.status == "PAID"


@pytest.mark.parametrize("answers", list(itertools.permutations([PAID, CLOSED, scripted.PENDING])))
def test_in_whatever_order_answers_come_the_books_are_sound(
    answers: tuple[ChannelAnswer, ...],
) -> None:
    bill = in_flight()
    for answer in answers:
        applied(bill, answer, Source.NOTICE)
    row = capture_of(bill)
    # the money came, so the row says so, and it paid the bill: nothing else was in flight
    assert (row.status, bill.status) == ("SUCCEEDED", "PAID")
    assert (account_balance(CLEARING), account_balance("unapplied")) == (1_000, 0)
    assert refunds_of(bill) == []
    contradicted = answers.index(CLOSED) > answers.index(PAID)
    assert reasons() == (["state_differs"] if contradicted else [])
    assert ledger_check().sound


def test_a_declined_after_a_success_takes_nothing_back() -> None:
    bill = paid(1_000)
    row = applied(bill, scripted.DECLINED)
    assert (row.status, bill.status, account_balance(CLEARING)) == ("SUCCEEDED", "PAID", 1_000)
    case = BillingReview.objects.get()
    assert case.figures == {"ours": "SUCCEEDED", "theirs": "NOTENOUGH"}


def test_a_query_without_an_answer_takes_no_knowledge_away() -> None:
    bill = in_flight()
    for answer in (scripted.SILENT, scripted.SILENT, scripted.PENDING):
        assert applied(bill, answer).status == "PENDING"
    lost = in_flight(answer=scripted.SILENT)
    assert capture_of(lost).status == "UNKNOWN"
    assert applied(lost, scripted.PENDING).status == "PENDING"


@pytest.mark.parametrize(
    ("asks", "age_s", "gone"), [(1, 60, False), (2, 9, False), (2, 10, True), (3, 10, True)]
)
def test_no_such_order_is_believed_when_asked_twice_after_ten_seconds(
    still_clock: clock.FrozenClock, asks: int, age_s: int, gone: bool
) -> None:
    bill = in_flight(answer=scripted.SILENT)
    for _ask in range(asks - 1):
        applied(bill, scripted.MISSING)
    still_clock.advance(timedelta(seconds=age_s))
    row = applied(bill, scripted.MISSING)
    assert row.status == ("CLOSED" if gone else "UNKNOWN")
    assert (row.code == "NEVER_EXECUTED") is gone


def test_a_send_that_never_left_is_certain_at_once() -> None:
    bill = in_flight()
    row = applied(bill, scripted.NOT_SENT, Source.SEND)
    assert (row.status, row.code, row.due_at) == ("CLOSED", "NEVER_EXECUTED", None)


def test_an_answer_may_name_when_to_ask_again() -> None:
    bill = in_flight()
    at = clock.now() + timedelta(minutes=7)
    row = applied(bill, ChannelAnswer(Outcome.UNKNOWN, code="FREQUENCY_LIMITED", retry_at=at))
    assert row.due_at == at


def test_after_an_hour_without_an_end_a_person_is_told_once(
    still_clock: clock.FrozenClock,
) -> None:
    bill = in_flight()
    still_clock.advance(timedelta(hours=1))
    applied(bill, scripted.PENDING)
    assert reasons() == []
    still_clock.advance(timedelta(seconds=1))
    for _look in range(3):
        applied(bill, scripted.PENDING)
    assert reasons() == ["not_ended"]
    assert HisEvent.objects.filter(invoice=bill, type="review").count() == 1


def test_an_answer_about_something_else_is_a_question_at_once() -> None:
    bill = in_flight()
    applied(bill, ChannelAnswer(Outcome.UNKNOWN, code="MISMATCH"))
    assert reasons() == ["state_differs"]
    assert bill.status == "COLLECTING"


def test_long_words_of_a_channel_fit() -> None:
    bill = in_flight()
    row = applied(bill, ChannelAnswer(Outcome.DECLINED, code="C" * 300, message="m" * 900))
    row.refresh_from_db()
    assert (len(row.code), len(row.message)) == (64, 256)


def test_a_number_nobody_committed_is_a_fault() -> None:
    with pytest.raises(PaymentTransaction.DoesNotExist):
        transaction_apply(transaction_id=404, answer=PAID, source=Source.NOTICE)


@pytest.mark.parametrize(
    ("asked", "status", "refunds"),
    [(scripted.CLOSED, "CLOSED", 0), (scripted.PAID, "SUCCEEDED", 1)],
)
@pytest.mark.parametrize("source", Source)
def test_an_old_success_of_a_reversed_code_is_asked_about_first(
    source: Source, asked: ChannelAnswer, status: str, refunds: int
) -> None:
    """Reversing may have given back what is still called paid, by a notice, or by an answer that
    a stalled process read before the code was reversed."""
    # given a scanned code, reversed unanswered, and the bill paid in cash
    bill = invoice(1_000)
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    invoice_drive(invoice_id=bill.pk)
    before = PaymentTransaction.objects.get()
    row = transaction_apply(
        transaction_id=before.pk, answer=scripted.CLOSED, source=Source.QUERY, asked_of=before
    )
    invoice_drive(invoice_id=bill.pk)
    payments.collect(bill, "cash")
    invoice_drive(invoice_id=bill.pk)
    # when it is told late that it was paid, nothing moves until the channel was asked
    row = transaction_apply(
        transaction_id=row.pk,
        answer=scripted.PAID,
        source=source,
        asked_of=before if source is Source.QUERY else None,
    )
    assert (row.status, row.due_at) == ("CLOSED", clock.now())
    scripted.script(Operation.QUERY, asked)
    transaction_resume(transaction_id=row.pk)
    # then only what is paid at the channel now goes back
    row.refresh_from_db()
    assert (row.status, row.due_at) == (status, None)
    assert PaymentTransaction.objects.filter(kind="REFUND").count() == refunds
    assert ledger_check().sound


def test_a_success_told_while_an_ended_row_is_looked_at_is_asked_about_all_the_same(
    still_clock: clock.FrozenClock,
) -> None:
    # given a code reversed, and a process that asks about it once more
    bill = invoice(1_000)
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    invoice_drive(invoice_id=bill.pk)
    before = PaymentTransaction.objects.get()
    row = transaction_apply(
        transaction_id=before.pk, answer=scripted.CLOSED, source=Source.QUERY, asked_of=before
    )
    asked_of = PaymentTransaction.objects.get()
    # when a notice calls it paid before the answer to that question arrives
    still_clock.advance(timedelta(seconds=1))
    transaction_apply(transaction_id=row.pk, answer=scripted.PAID, source=Source.NOTICE)
    row = transaction_apply(
        transaction_id=row.pk, answer=scripted.CLOSED, source=Source.QUERY, asked_of=asked_of
    )
    # then the question after the notice is still to be asked
    row.refresh_from_db()
    assert (row.status, row.due_at) == ("CLOSED", clock.now())


def test_a_purpose_that_forgets_the_tenders_own_step_books_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bill = in_flight()
    monkeypatch.setattr(InvoicePurpose, "captured", lambda *_args, **_how: None)
    with pytest.raises(RuntimeError, match="invoice: the tender's step"):
        applied(bill, PAID)
    assert capture_of(bill).status in PaymentTransaction.IN_FLIGHT
