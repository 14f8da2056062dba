"""What is given back of a settlement whose fund part was lost (Z2): while the hospital bears the
loss, that settlement is not taken back, or the fund would owe less than nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import BillingReview, FundLoss, Invoice, InvoiceReturn, LossStepKind
from billing.services.insuring import reversing
from billing.services.insuring.deciding import claim_review_again, claim_review_leave
from billing.services.refunding.returns import return_approve, return_reject
from core.errors import Conflict
from insurance.models import Claim
from tests.billing.insured.ward import FUND, Ward, entries, even, movements, split_of
from tests.billing.losses import house
from tests.billing.services.bills import REVIEWER, ask_back, part

pytestmark = pytest.mark.django_db
K = LossStepKind
SUM = """
SELECT a.code, coalesce(sum(p.amount_fen), 0) FROM ledger_account a
  LEFT JOIN ledger_posting p ON p.account_id = a.id AND (p.subject = %s OR a.code = 'fund_loss')
 WHERE a.code IN ('fund_receivable/330300', 'fund_loss') GROUP BY a.code ORDER BY a.code
"""


@pytest.fixture
def bill(ward: Ward) -> Invoice:
    """Fund 24.52, account 5.00, cash 13.98."""
    ward.agreement()
    return ward.paid()


def lost(ward: Ward, bill: Invoice, fen: int = 2_952) -> FundLoss:
    return house.borne(ward.claim(bill), fen)


def in_books(ward: Ward, bill: Invoice) -> dict[str, int]:
    """What the postings themselves say of the claim's fund part, and of the loss."""
    with connection.cursor() as cursor:
        cursor.execute(SUM, [ward.claim(bill).pk])
        return {code: int(fen) for code, fen in cursor.fetchall()}


def books(fund: int, loss: int) -> dict[str, int]:
    return {"fund_loss": loss, "fund_receivable/330300": fund}


def refused(act: Any, loss: FundLoss) -> None:
    with pytest.raises(Conflict) as told:
        act()
    assert told.value.code == "loss_stands"
    assert loss.number in str(told.value.message) and "基金损失" in str(told.value.message)


@pytest.mark.parametrize("fen", [2_952, 1])
@pytest.mark.parametrize("at_window", [False, True])
def test_while_the_hospital_bears_its_loss_nothing_of_it_is_returned(
    ward: Ward, bill: Invoice, fen: int, at_window: bool
) -> None:
    loss = lost(ward, bill, fen)
    how = {"approver": None} if at_window else {}
    refused(lambda: ask_back(bill, part(bill, 1), **how), loss)
    bill.refresh_from_db()
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 1_398)])
    assert not InvoiceReturn.objects.exists() and not bill.lines.exclude(returned_fen=0).exists()
    assert (ward.claim(bill).status, ward.insurer.calls().count("2208")) == ("SETTLED", 0)
    assert in_books(ward, bill) == books(2_952 - fen, fen)


def test_once_the_loss_is_taken_back_the_return_goes_its_way(ward: Ward, bill: Invoice) -> None:
    loss = lost(ward, bill)
    house.done(loss, K.TAKEN_BACK, 2_000)
    refused(lambda: ask_back(bill, part(bill, 1)), loss)
    house.done(loss, K.TAKEN_BACK, 952)
    first = ward.claim(bill)
    ask_back(bill, part(bill, 1))
    ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, split_of(bill)) == ("PARTLY_REFUNDED", (600, 500, 0, 0, 0))
    # the first settlement leaves nothing, the second what the insurer owes
    with connection.cursor() as cursor:
        cursor.execute(SUM, [first.pk])
        assert dict(cursor.fetchall()) == books(0, 0)
    assert (in_books(ward, bill), account_balance(FUND)) == (books(1_100, 0), 1_100)
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398), ("REFUND", "SUCCEEDED", 1_398)]
    told = [one for one in entries(bill) if one.startswith(("fund_loss", "claim_reversed"))]
    assert told == [
        "fund_loss_borne", "fund_loss_taken_back", "fund_loss_taken_back", "claim_reversed",
    ]  # fmt: skip
    even(ward, bill)


def test_what_was_claimed_from_somebody_cannot_be_returned_either(
    ward: Ward, bill: Invoice
) -> None:
    loss = lost(ward, bill)
    house.done(loss, K.CLAIMED, 2_952, house.firm())
    refused(lambda: ask_back(bill), loss)
    assert in_books(ward, bill) == books(0, 0)


def test_a_loss_that_was_not_approved_hinders_nothing(ward: Ward, bill: Invoice) -> None:
    loss = house.recorded(ward.claim(bill))
    ask_back(bill)
    ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, account_balance(FUND)) == ("REFUNDED", 0)
    with pytest.raises(Conflict):
        house.approve(loss)
    assert account_balance(FUND) == 0 and ledger_check().sound


def test_a_return_that_waits_is_not_let_go_meanwhile(ward: Ward, bill: Invoice) -> None:
    returned = ask_back(bill, part(bill, 1), approver=None)
    assert returned.status == "REVIEW"
    loss = lost(ward, bill)
    refused(lambda: return_approve(return_id=returned.pk, by=REVIEWER), loss)
    return_reject(return_id=returned.pk, by=REVIEWER, comment="基金损失未收回")
    bill.refresh_from_db()
    assert (bill.status, in_books(ward, bill)) == ("PAID", books(0, 2_952))


def on_its_way(ward: Ward, bill: Invoice) -> FundLoss:
    """Lost after the return was let go, before the insurer was asked: it waits for a person."""
    ask_back(bill, part(bill, 1))
    loss = lost(ward, bill)
    ward.driven(bill)
    case = BillingReview.objects.get()
    assert (bill.status, case.reason_code) == ("REVIEW", "claim_not_reversed")
    assert case.figures["code"] == "loss_stands" and loss.number in case.figures["sentence"]
    assert (ward.claim(bill).status, ward.insurer.calls().count("2208")) == ("SETTLED", 0)
    assert in_books(ward, bill) == books(0, 2_952)
    return loss


def test_lost_after_the_return_was_let_go_it_is_given_up(ward: Ward, bill: Invoice) -> None:
    on_its_way(ward, bill)
    claim_review_leave(review_id=BillingReview.objects.get().pk, by=REVIEWER, comment="基金损失")
    bill.refresh_from_db()
    assert (bill.status, InvoiceReturn.objects.get().status) == ("PAID", "REJECTED")
    assert in_books(ward, bill) == books(0, 2_952)


def test_lost_after_the_return_was_let_go_it_goes_on_once_taken_back(
    ward: Ward, bill: Invoice
) -> None:
    loss = on_its_way(ward, bill)
    case = BillingReview.objects.get()
    refused(lambda: claim_review_again(review_id=case.pk, by=REVIEWER, comment="已核对"), loss)
    house.done(loss, K.TAKEN_BACK, 2_952)
    claim_review_again(review_id=case.pk, by=REVIEWER, comment="已核对")
    ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, in_books(ward, bill)) == ("PARTLY_REFUNDED", books(1_100, 0))
    even(ward, bill)


def test_a_loss_approved_in_the_very_moment_is_seen_by_the_database(
    ward: Ward, bill: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looked a moment too early has asked the insurer nothing all the same."""
    look = reversing.loss_sentence

    def early(claim_id: int) -> str:
        monkeypatch.setattr(reversing, "loss_sentence", look)
        lost(ward, bill)
        return ""

    ask_back(bill, part(bill, 1))
    monkeypatch.setattr(reversing, "loss_sentence", early)
    ward.driven(bill)
    case = BillingReview.objects.get()
    assert (bill.status, case.figures["code"]) == ("REVIEW", "loss_stands")
    assert (ward.claim(bill).status, ward.insurer.calls().count("2208")) == ("SETTLED", 0)
    assert in_books(ward, bill) == books(0, 2_952)


@pytest.mark.parametrize("to", ["REVERSING", "REVERSED"])
def test_the_database_takes_no_lost_settlement_back(ward: Ward, bill: Invoice, to: str) -> None:
    loss, claim = lost(ward, bill, 2_000), ward.claim(bill)

    def by_hand() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE insurance_claim SET status = %s, due_at = now(), reversed_at = now()"
                " WHERE id = %s",
                [to, claim.pk],
            )

    with pytest.raises(IntegrityError, match="loss rule stands"):
        by_hand()
    house.done(loss, K.TAKEN_BACK, 1_999)
    with pytest.raises(IntegrityError, match="loss rule stands"):
        by_hand()
    house.done(loss, K.TAKEN_BACK, 1)
    by_hand()
    assert Claim.objects.get(pk=claim.pk).status == to
