"""A return asked for at the window: shown, sent, approved by a second person, refunded exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from billing.channels.base import Operation
from billing.desk.bills import bill_page
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import BillingReview, Invoice, InvoiceReturn, PaymentTransaction, ReviewReason
from billing.policy import policy
from billing.services.refunding.return_reviews import return_review_approve
from billing.services.reviews import review_open
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from core.errors import Forbidden
from tests import scripted
from tests.billing.desk.people import browser, hidden, paid_bill, staff, text
from tests.billing.services.bills import ask_back, paid

pytestmark = pytest.mark.django_db


def address(bill: Invoice, page: str = "") -> str:
    return f"/admin/desk/bills/{bill.pk}{page}"


def fields(bill: Invoice, *quantities: str) -> dict[str, str]:
    lines = bill.lines.order_by("pk")
    return {f"quantity-{line.pk}": text for line, text in zip(lines, quantities, strict=False)}


def ask(clerk: Client, bill: Invoice, *quantities: str) -> InvoiceReturn:
    """Both steps of the form."""
    shown = clerk.post(
        address(bill, "/return"), {**fields(bill, *quantities), "reason": "未做检查"}
    )
    assert shown.status_code == 200, text(shown)
    sent = clerk.post(address(bill, "/return/send"), {"token": hidden(shown)})
    assert sent.status_code == 302
    return InvoiceReturn.objects.latest("pk")


def decide(client: Client, review: BillingReview, verdict: str, comment: str = "已核对") -> int:
    form = {"verdict": verdict, "comment": comment}
    return client.post(f"/admin/desk/reviews/{review.pk}", form).status_code


def refunds(bill: Invoice) -> list[PaymentTransaction]:
    return list(PaymentTransaction.objects.filter(payment__invoice=bill, kind="REFUND"))


def sums(bill: Invoice) -> dict[str, int]:
    """What the bill's page says of its returns, above and in its one line."""
    page = bill_page(Invoice.objects.get(pk=bill.pk), full_name=False, books=False, calls=False)
    shown = text(browser("refund_clerk").get(address(bill)))
    assert ("退费审核中" in shown, "退费中" in shown) == (
        page.in_review_fen > 0,
        page.in_review_fen + page.refunding_fen > 0,
    )
    (line,) = page.lines
    return {
        "refunded": page.refunded_fen,
        "in_review": page.in_review_fen,
        "refunding": page.refunding_fen,
        "back": line.back_fen,
        "going": line.going_fen,
    }


def test_return_is_asked_approved_and_refunded_to_the_fen() -> None:
    # given a paid bill of 4 × ¥5.01 and ¥10.00
    bill = paid_bill(2_004, quantity=Decimal(4))
    # when a clerk asks for one of the four, of whatever small amount
    returned = ask(browser("refund_clerk"), bill, "1")
    # then it waits, nothing is owed and nobody is named as approver
    assert (returned.status, returned.amount_fen, returned.approver_code) == ("REVIEW", 501, "")
    assert refunds(bill) == []
    assert sums(bill) == {"refunded": 0, "in_review": 501, "refunding": 0, "back": 0, "going": 501}
    review = BillingReview.objects.get()
    assert (review.reason_code, review.opened_by) == ("return_at_window", "staff:refund_clerk")
    # when another person approves
    assert decide(browser("reviewer"), review, "approve") == 302
    # then exactly that amount goes back the way it came
    returned.refresh_from_db()
    assert (returned.status, returned.approver_code) == ("ACCEPTED", "reviewer")
    (refund,) = refunds(bill)
    assert sums(bill) == {"refunded": 0, "in_review": 0, "refunding": 501, "back": 0, "going": 501}
    transaction_resume(transaction_id=refund.pk)
    returned.refresh_from_db()
    bill.refresh_from_db()
    assert (returned.status, bill.status) == ("DONE", "PARTLY_REFUNDED")
    assert sums(bill) == {"refunded": 501, "in_review": 0, "refunding": 0, "back": 501, "going": 0}
    assert [(verb, fen) for verb, _no, fen in scripted.CALLS if verb == Operation.REFUND] == [
        (Operation.REFUND, 501)
    ]
    assert account_balance("clearing/wechat_pay/1900000001") == 2_004 - 501
    assert account_balance("refund_payable") == 0
    assert ledger_check().unbalanced == 0
    page = text(browser("refund_clerk").get(address(bill)))
    assert "部分退费" in page and "+¥5.01" in page.replace(" ", "")


def test_last_part_of_a_line_takes_the_remainder() -> None:
    bill, clerk = paid_bill(1_000, quantity=Decimal(3)), browser("refund_clerk")
    amounts = [ask(clerk, bill, "1").amount_fen for _part in range(3)]
    assert amounts == [333, 333, 334]
    assert clerk.get(address(bill, "/return")).status_code == 409


def test_everything_that_is_left_at_once() -> None:
    bill, clerk = paid_bill(1_000, 234), browser("refund_clerk")
    shown = clerk.post(address(bill, "/return"), {"take": "all", "reason": "退号"})
    assert clerk.post(address(bill, "/return/send"), {"token": hidden(shown)}).status_code == 302
    assert InvoiceReturn.objects.get().amount_fen == 1_234


def test_form_sent_twice_asks_once() -> None:
    bill, clerk = paid_bill(1_000), browser("refund_clerk")
    shown = clerk.post(address(bill, "/return"), {**fields(bill, "1"), "reason": "重复"})
    for _press in range(2):
        form = {"token": hidden(shown)}
        assert clerk.post(address(bill, "/return/send"), form).status_code == 302
    assert InvoiceReturn.objects.count() == 1


@pytest.mark.parametrize("role", ["refund_clerk", "admin"])
def test_maker_cannot_approve_superuser_neither(role: str) -> None:
    bill = paid_bill(1_000)
    maker = browser(role)
    ask(maker, bill, "1")
    review = BillingReview.objects.get()
    page = maker.get(f"/admin/desk/reviews/{review.pk}")
    assert b'value="approve"' not in page.content
    assert "另一人" in text(page)
    assert decide(maker, review, "approve") == 403
    with pytest.raises(Forbidden):
        return_review_approve(review_id=review.pk, by=Actor("staff", role), comment="已核对")
    review.refresh_from_db()
    assert review.status == "OPEN"
    assert refunds(bill) == []


def test_database_repeats_both_rules() -> None:
    bill = paid_bill(1_000)
    returned = ask(browser("refund_clerk"), bill, "1")
    rows = InvoiceReturn.objects.filter(pk=returned.pk)
    with pytest.raises(IntegrityError, match="return_maker_is_not_checker"), transaction.atomic():
        rows.update(approver_code="refund_clerk")
    with pytest.raises(IntegrityError, match="return_let_go_by_someone"), transaction.atomic():
        rows.update(status="ACCEPTED")


def test_an_approval_without_a_reason_says_so_at_its_field() -> None:
    bill = paid_bill(1_000)
    ask(browser("refund_clerk"), bill, "1")
    address = f"/admin/desk/reviews/{BillingReview.objects.get().pk}"
    refused = browser("reviewer").post(address, {"verdict": "approve", "comment": ""})
    assert refused.status_code == 400 and "同意和退回都要写" in text(refused)
    assert 'aria-invalid="true"' in refused.content.decode()
    assert InvoiceReturn.objects.get().status == "REVIEW" and refunds(bill) == []


def test_rejected_return_frees_its_lines_and_needs_a_reason() -> None:
    bill = paid_bill(1_000)
    returned = ask(browser("refund_clerk"), bill, "1")
    review, reviewer = BillingReview.objects.get(), browser("reviewer")
    for verdict in ("reject", "approve"):
        assert decide(reviewer, review, verdict, " ") == 400
    assert BillingReview.objects.get().status == "OPEN" and refunds(bill) == []
    assert decide(reviewer, review, "reject", "项目已执行") == 302
    returned.refresh_from_db()
    assert returned.status == "REJECTED"
    assert bill.lines.get().returned_fen == 0
    assert decide(browser("admin"), review, "approve") == 409
    assert refunds(bill) == []


def test_declined_refund_is_sent_again_under_a_new_number() -> None:
    # given an approved return whose refund the channel refuses for good
    bill = paid_bill(1_000)
    returned = ask(browser("refund_clerk"), bill, "1")
    decide(browser("reviewer"), BillingReview.objects.get(), "approve")
    scripted.script(Operation.REFUND, scripted.DECLINED)
    (first,) = refunds(bill)
    transaction_resume(transaction_id=first.pk)
    returned.refresh_from_db()
    assert returned.status == "FAILED"
    review = BillingReview.objects.get(reason_code=ReviewReason.REFUND_DECLINED)
    assert "用新单号再退一次" in text(browser("reviewer").get(f"/admin/desk/reviews/{review.pk}"))
    # when a person who did not ask for it sends it again, and the channel knows it is lost
    scripted.script(Operation.REFUND_QUERY, scripted.DECLINED)
    assert decide(browser("reviewer"), review, "approve") == 302
    # then the same debt has a second number, and is paid once
    first.refresh_from_db()
    (second,) = PaymentTransaction.objects.filter(reissue_of=first)
    returned.refresh_from_db()
    assert returned.status == "ACCEPTED"
    transaction_resume(transaction_id=second.pk)
    returned.refresh_from_db()
    bill.refresh_from_db()
    assert (returned.status, bill.status) == ("DONE", "REFUNDED")
    assert subject_balance("refund_payable", first.pk) == 0
    assert account_balance("clearing/wechat_pay/1900000001") == 0
    assert decide(browser("admin"), review, "approve") == 409


def test_other_questions_are_settled_by_hand_and_move_no_money() -> None:
    bill = paid_bill(1_000)
    row = PaymentTransaction.objects.get()
    review = review_open(
        reason=ReviewReason.AMOUNT_DIFFERS,
        invoice=bill,
        transaction=row,
        figures={"ours_fen": 1_000, "theirs_fen": 999},
    )
    reviewer = browser("reviewer")
    page = text(reviewer.get(f"/admin/desk/reviews/{review.pk}"))
    assert "¥10.00" in page and "¥9.99" in page and "不一致" in page
    assert decide(reviewer, review, "approve", "") == 400
    assert decide(reviewer, review, "approve", "渠道已更正账单") == 302
    review.refresh_from_db()
    assert (review.status, review.decided_by) == ("APPROVED", "staff:reviewer")
    assert PaymentTransaction.objects.count() == 1


@pytest.mark.parametrize("typed", ["0", "-1", "1.00001", "abc", "2", "1e1", "١", "１.５", "9" * 30])
def test_odd_quantities_are_named_and_nothing_is_sent(typed: str) -> None:
    bill, clerk = paid_bill(1_000), browser("refund_clerk")
    answer = clerk.post(address(bill, "/return"), {**fields(bill, typed), "reason": "x"})
    assert answer.status_code == 400
    assert "没有退费" in text(answer)
    assert not InvoiceReturn.objects.exists()


def test_return_without_reason_or_right_is_refused() -> None:
    bill = paid_bill(1_000)
    clerk = browser("refund_clerk")
    assert clerk.post(address(bill, "/return"), fields(bill, "1")).status_code == 400
    bad = {**fields(bill, "1"), "reason": "a\x00b"}
    assert clerk.post(address(bill, "/return"), bad).status_code == 400
    for role in ("cashier", "reviewer", "finance", "auditor"):
        assert browser(role).get(address(bill, "/return")).status_code == 403
    assert clerk.post(address(bill, "/return/send"), {"token": "forged"}).status_code == 409


def test_comment_no_keyboard_types_is_no_fault() -> None:
    bill = paid_bill(1_000)
    ask(browser("refund_clerk"), bill, "1")
    review, reviewer = BillingReview.objects.get(), browser("reviewer")
    assert decide(reviewer, review, "reject", "a\x00b") == 400
    assert decide(reviewer, review, "reject", "长" * 501) == 400
    assert decide(reviewer, review, "burn", "x") == 400


def test_name_longer_than_a_code_still_is_one_person() -> None:
    bill = paid_bill(1_000)
    name = "z" * 150
    staff("refund_clerk", name)
    ask(browser("refund_clerk", name), bill, "1")
    assert BillingReview.objects.get().opened_by.startswith("staff:user-")


def test_who_approved_a_large_return_in_the_his_is_named_before_the_second_approval() -> None:
    bill = paid(policy().return_review_above_fen + 1)
    ask_back(bill, approver=Actor("his", "C2", "周组长"))
    review = BillingReview.objects.get()
    client = browser("reviewer")
    page = f"/admin/desk/reviews/{review.pk}"
    assert "HIS 中批准人 周组长" in text(client.get(page))
    assert decide(client, review, "approve", "已核对") == 302
    assert "HIS 中批准人 周组长" in text(client.get(page))


def test_a_return_of_the_window_names_no_approver_of_the_his() -> None:
    ask(browser("refund_clerk"), bill := paid_bill(), "1")
    review = BillingReview.objects.get(invoice=bill)
    client = browser("reviewer")
    assert decide(client, review, "approve", "已核对") == 302
    assert "HIS 中批准人" not in text(client.get(f"/admin/desk/reviews/{review.pk}"))
