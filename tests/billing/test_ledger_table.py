"""The posting table: every event of the house is in it, and what is not in it is no entry."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from billing import postings
from billing.ledger.chart import FAMILIES, Subject
from billing.ledger.checking import ledger_check
from billing.ledger.entries import Leg
from insurance.gateway.claim_values import Split
from tests.billing.ledger_books import (
    WECHAT,
    at,
    by_wechat,
    capture,
    in_cash,
    issue,
    number,
    post,
)
from tests.billing.test_ledger_rules import raw_entry, raw_legs

pytestmark = pytest.mark.django_db


def routes() -> set[tuple[str, str]]:
    """What the database says; the check asks the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(ledger_routes())")
        rows = [row[0] for row in cursor.fetchall()]
    pairs = {tuple(row.split(">")) for row in rows}
    assert len(pairs) == len(rows)
    return pairs  # type: ignore[return-value]


def families(function: str) -> set[str]:
    """One of the database's lists of families."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT unnest({function}())")
        return {row[0] for row in cursor.fetchall()}


def path(family: str) -> str:
    return "/".join((family, *("x1" for _ in FAMILIES[family].segments)))


def leg(family: str, amount_fen: int) -> Leg:
    """A leg on any path of the family, about row 7 where it is about one."""
    about = 0 if FAMILIES[family].subject is Subject.NONE else 7
    return Leg(path(family), amount_fen, about)


def test_the_table_names_families_of_the_chart_and_uses_each() -> None:
    named = set(itertools.chain.from_iterable(routes()))
    assert named == set(FAMILIES)


def test_wherever_a_refund_may_leave_to_is_a_tender() -> None:
    leaves_by = {credit for debit, credit in routes() if debit == "refund_payable"}
    comes_from = {debit for debit, credit in routes() if credit == "refund_payable"}
    assert families("ledger_refund_ways") == leaves_by - {"patient_deposit"}
    assert families("ledger_tenders") == comes_from - {"patient_receivable"}
    assert leaves_by < families("ledger_tenders")


def test_of_the_tenders_the_fund_meets_the_bank_alone() -> None:
    assert families("ledger_fund_company") & families("ledger_tenders") == {"bank"}


def test_no_pair_outside_the_table_is_an_entry() -> None:
    allowed = routes()
    for debit, credit in itertools.product(FAMILIES, repeat=2):
        if (debit, credit) in allowed:
            continue
        with pytest.raises(IntegrityError, match=r"route|fund_stays_apart"), transaction.atomic():
            post(leg(debit, 5), leg(credit, -5), invoice_id=7)
    assert ledger_check().entries == 0


def test_every_pair_of_the_table_is_an_entry_once_there_is_money() -> None:
    # given a bill that was paid, a deposit, money nobody waited for and a debt of each
    issue(7, 1000)
    capture(7, 500)
    post(Leg(WECHAT, 100), Leg(path("patient_deposit"), -100))
    post(Leg(WECHAT, 100), Leg("unapplied", -100, 7), invoice_id=7)
    post(Leg("patient_receivable", 100, 7), Leg("refund_payable", -100, 7), invoice_id=7)
    # then each row of the table may be posted; what comes back has left, a fee is of a remittance
    comes_back = [pair for pair in sorted(routes()) if pair[1] == "refund_payable"]
    for debit, credit in sorted(routes() - {*comes_back}) + comes_back:
        remitted = (leg("bank", 1),) if debit == "channel_fee" else ()
        post(leg(debit, 5), *remitted, leg(credit, -5 - len(remitted)), invoice_id=7)
    assert ledger_check().sound


def test_a_pair_outside_the_table_hides_behind_no_other() -> None:
    """Each debit with each credit, not the first with the first."""
    legs = (Leg("bank", 5), Leg("bad_debt", 5), Leg(WECHAT, -5), Leg("credit_debt/x1", -5))
    with pytest.raises(IntegrityError, match="route"), transaction.atomic():
        post(*legs)


@pytest.mark.parametrize("side", [1, -1])
def test_a_family_nobody_knows_meets_no_other(side: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_account (code, family, kind, needs_subject)"
            " VALUES ('slush', 'slush', 'asset', false)"
        )
        sql = raw_entry(2, 7) + raw_legs((1, "slush", 0, 5 * side), (2, WECHAT, 0, -5 * side))
        with pytest.raises(IntegrityError, match="route"), transaction.atomic():
            cursor.execute(sql)
        cursor.execute("ALTER TABLE ledger_posting DISABLE TRIGGER ledger_postings_hold")
        cursor.execute(sql)
    assert "route" in {violation.rule for violation in ledger_check().violations}


def claim(post_part: Callable[[postings.ClaimPart], None]) -> None:
    split = Split(
        fund_fen=200, own_account_fen=100, mutual_aid_fen=50, hospital_part_fen=20,
        cash_fen=130,
    )  # fmt: skip
    post_part(postings.ClaimPart(7, 4, "330300", split, at()))


def test_every_event_of_the_house_is_an_entry() -> None:
    values = {"occurred_at": at()}
    bill = {"invoice_id": 7, **values}
    refund = {"refund_id": 5, "amount_fen": 30, **bill}
    came = {"payment_transaction_id": 11, "amount_fen": 40, **bill}
    postings.post_invoice_issued(amount_fen=900, reference=number(), **bill)
    claim(postings.post_claim_settled)
    claim(postings.post_claim_reversed)
    for payment in (by_wechat(), in_cash()):
        postings.post_taken(payment=payment, amount_fen=200, reference=number(), **bill)
    postings.post_return(owed=[postings.Owed(number(), 5, 30)], reference=number(), **bill)
    postings.post_excess_owed(owed=[postings.Owed(number(), 6, 20)], **bill)
    for route in (WECHAT, "cash_drawer/main", "bank", "payout_float/bank_transfer"):
        postings.post_refund_done(route=route, reference=number(), **refund)
        postings.post_refund_came_back(route=route, reference=number(), **refund)
    for account in (WECHAT, "cash_drawer/main"):
        postings.post_unexpected_in(account=account, reference=number(), **came)
    postings.post_unexpected_owed(refund_id=8, reference=number(), **came)
    postings.post_unexpected_applied(reference=number(), **came)
    postings.post_invoice_cancelled(amount_fen=1, reference=number(), **bill)
    assert ledger_check().sound
