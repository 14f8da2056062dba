"""T10: any order of the events that exist leaves the books sound and equal to a plain model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing import postings
from billing.ledger.accounts import accounts_forget
from billing.ledger.chart import REFUND_PAYABLE, fund_receivable, revenue_reduction
from billing.ledger.checking import ledger_check
from billing.ledger.closing import day_close, days_due
from billing.ledger.entries import AlreadyPosted
from billing.ledger.selectors import account_balance, subject_balance, trial_balance
from core import clock
from insurance.gateway.claim_values import Split
from tests.billing.ledger_books import WECHAT, by_wechat, in_cash, number

pytestmark = [pytest.mark.django_db, pytest.mark.proof("T10")]

INVOICES = st.integers(1, 3)
AMOUNTS = st.integers(1, 500)
ROUTES = st.sampled_from([WECHAT, "cash_drawer/main"])
# Fund, own account, mutual aid and hospital part, as an insurer splits a bill.
PARTS = st.tuples(*[st.integers(0, 300)] * 4)
AGENCY = "330300"
FUND, BORNE = fund_receivable(AGENCY), revenue_reduction("hospital_part")
CLAIMS = count(1)

LOTS = 10


class Books(RuleBasedStateMachine):
    """Events against a model of plain sums; the database may refuse only what the model refuses."""

    ended = 0  # runs whose end was judged

    def __init__(self) -> None:
        super().__init__()
        self.at = clock.now()
        self.frozen = clock.freeze(self.at)
        self.clock = self.frozen.__enter__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        accounts_forget()
        self.balance: Counter[str] = Counter()
        self.receivable: Counter[int] = Counter()
        self.payable: Counter[int] = Counter()
        self.received: Counter[int] = Counter()
        self.issued: Counter[int] = Counter()
        self.taken: set[tuple[int, str]] = set()
        self.left: Counter[tuple[int, str]] = Counter()
        self.owed: Counter[int] = Counter()
        self.again: list[Callable[[], object]] = []
        self.standing: dict[int, postings.ClaimPart] = {}
        self.unheard: dict[int, postings.ClaimPart] = {}
        self.fund: Counter[int] = Counter()

    def teardown(self) -> None:
        assert ledger_check().violations == ()
        Books.ended += 1
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)
        self.frozen.__exit__(None, None, None)

    def moved(self, debit: str, credit: str, amount_fen: int) -> None:
        self.balance[debit] += amount_fen
        self.balance[credit] -= amount_fen

    def post(self, event: Callable[..., object], **values: object) -> None:
        values.update(reference=number(), occurred_at=clock.now())
        event(**values)
        self.again.append(lambda: event(**values))

    def refused(self, rule_name: str, event: Callable[..., object], **values: object) -> None:
        with pytest.raises(IntegrityError, match=rule_name), transaction.atomic():
            self.post(event, **values)

    @rule(invoice=INVOICES, amount_fen=AMOUNTS)
    def issue(self, invoice: int, amount_fen: int) -> None:
        self.post(postings.post_invoice_issued, invoice_id=invoice, amount_fen=amount_fen)
        self.moved("patient_receivable", "medical_revenue", amount_fen)
        self.receivable[invoice] += amount_fen
        self.issued[invoice] += amount_fen

    @rule(invoice=INVOICES, amount_fen=AMOUNTS)
    def capture(self, invoice: int, amount_fen: int) -> None:
        self.post(
            postings.post_taken, invoice_id=invoice, amount_fen=amount_fen, payment=by_wechat()
        )
        self.moved(WECHAT, "patient_receivable", amount_fen)
        self.receivable[invoice] -= amount_fen
        self.received[invoice] += amount_fen
        self.taken.add((invoice, WECHAT))

    @rule(invoice=INVOICES, amount_fen=AMOUNTS)
    def cash(self, invoice: int, amount_fen: int) -> None:
        self.post(postings.post_taken, invoice_id=invoice, amount_fen=amount_fen, payment=in_cash())
        self.moved("cash_drawer/main", "patient_receivable", amount_fen)
        self.receivable[invoice] -= amount_fen
        self.received[invoice] += amount_fen

    @rule(invoice=INVOICES, amount_fen=AMOUNTS)
    def give_back(self, invoice: int, amount_fen: int) -> None:
        owed = [postings.Owed(number(), invoice, amount_fen)]
        values = {"invoice_id": invoice, "owed": owed}
        if self.owed[invoice] + amount_fen > self.received[invoice]:
            self.refused("refund_within_receipts", postings.post_return, **values)
            return
        if amount_fen > self.issued[invoice]:
            self.refused("returned_within_issued", postings.post_return, **values)
            return
        self.post(postings.post_return, **values)
        self.issued[invoice] -= amount_fen
        self.moved("medical_revenue", REFUND_PAYABLE, amount_fen)
        self.owed[invoice] += amount_fen
        self.payable[invoice] += amount_fen

    @rule(refund=INVOICES, amount_fen=AMOUNTS, route=ROUTES)
    def refund_done(self, refund: int, amount_fen: int, route: str) -> None:
        amount_fen = min(amount_fen, self.payable[refund])
        if not amount_fen:
            return
        values = {"refund_id": refund, "amount_fen": amount_fen, "route": route}
        if route == WECHAT and (refund, route) not in self.taken:
            event = postings.post_refund_done
            self.refused("refund_by_its_merchant", event, invoice_id=refund, **values)
            return
        self.post(postings.post_refund_done, invoice_id=refund, **values)
        self.moved(REFUND_PAYABLE, route, amount_fen)
        self.payable[refund] -= amount_fen
        self.left[refund, route] += amount_fen

    @rule(refund=INVOICES, amount_fen=AMOUNTS, route=ROUTES)
    def refund_came_back(self, refund: int, amount_fen: int, route: str) -> None:
        values = {"refund_id": refund, "amount_fen": amount_fen, "route": route}
        if amount_fen > self.left[refund, route]:
            event = postings.post_refund_came_back
            self.refused("came_back_had_left", event, invoice_id=refund, **values)
            return
        self.post(postings.post_refund_came_back, invoice_id=refund, **values)
        self.moved(route, REFUND_PAYABLE, amount_fen)
        self.payable[refund] += amount_fen
        self.left[refund, route] -= amount_fen

    @rule(invoice=INVOICES, amount_fen=AMOUNTS)
    def unexpected(self, invoice: int, amount_fen: int) -> None:
        values = {"payment_transaction_id": invoice, "amount_fen": amount_fen}
        self.post(postings.post_unexpected_in, account=WECHAT, invoice_id=invoice, **values)
        self.post(postings.post_unexpected_applied, invoice_id=invoice, **values)
        self.moved(WECHAT, "patient_receivable", amount_fen)
        self.receivable[invoice] -= amount_fen
        self.received[invoice] += amount_fen
        self.taken.add((invoice, WECHAT))

    @rule(invoice=INVOICES, parts=PARTS)
    def settle(self, invoice: int, parts: tuple[int, int, int, int]) -> None:
        if invoice not in self.standing and invoice not in self.unheard:
            self.claim_settled(claim(invoice, parts, clock.now()))

    @rule(invoice=INVOICES, parts=PARTS)
    def fall_silent(self, invoice: int, parts: tuple[int, int, int, int]) -> None:
        """Settled at the insurer and not heard of here: nothing is posted on a guess."""
        if invoice not in self.standing:
            self.unheard.setdefault(invoice, claim(invoice, parts, clock.now()))

    @rule(invoice=INVOICES)
    def hear_late(self, invoice: int) -> None:
        """The settlement is found, perhaps after its day was closed."""
        part = self.unheard.pop(invoice, None)
        if part is not None:
            self.claim_settled(part)

    @rule(invoice=INVOICES)
    def reverse(self, invoice: int) -> None:
        part = self.standing.pop(invoice, None)
        if part is not None:
            self.claim_post(postings.post_claim_reversed, part, -1)

    @rule(invoice=INVOICES, parts=PARTS, amount_fen=AMOUNTS)
    def settle_the_rest(
        self, invoice: int, parts: tuple[int, int, int, int], amount_fen: int
    ) -> None:
        """Goods come back: reversed in full, the rest settled, the difference owed back."""
        if invoice in self.standing:
            self.reverse(invoice)
            self.claim_settled(claim(invoice, parts, clock.now()))
            self.give_back(invoice, amount_fen)

    @rule(invoice=INVOICES, amount_fen=AMOUNTS, sign=st.sampled_from([1, -1]))
    def hospital_bears(self, invoice: int, amount_fen: int, sign: int) -> None:
        fen = sign * amount_fen
        self.post(postings.post_hospital_bears, invoice_id=invoice, amount_fen=fen)
        self.moved(BORNE, "patient_receivable", fen)
        self.receivable[invoice] -= fen

    def claim_settled(self, part: postings.ClaimPart) -> None:
        self.claim_post(postings.post_claim_settled, part, 1)
        self.standing[part.invoice_id] = part

    def claim_post(
        self, event: Callable[[postings.ClaimPart], None], part: postings.ClaimPart, sign: int
    ) -> None:
        event(part)
        split = part.split
        fund = sign * (split.fund_fen + split.own_account_fen + split.mutual_aid_fen)
        borne = sign * split.hospital_part_fen
        self.moved(FUND, "patient_receivable", fund)
        self.moved(BORNE, "patient_receivable", borne)
        self.fund[part.claim_id] += fund
        self.receivable[part.invoice_id] -= fund + borne
        if fund or borne:
            self.again.append(lambda: event(part))

    @rule(pick=st.integers(0, 1000))
    def same_again(self, pick: int) -> None:
        if self.again:
            with pytest.raises(AlreadyPosted):
                self.again[pick % len(self.again)]()

    @rule(days=st.integers(1, 2))
    def nights_pass(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))
        for day in days_due():
            day_close(day)

    @invariant()
    def books_equal_the_model(self) -> None:
        balances = {row.code: row.balance_fen for row in trial_balance() if row.balance_fen}
        assert balances == {code: fen for code, fen in self.balance.items() if fen}
        assert sum(balances.values()) == 0
        for code in (WECHAT, REFUND_PAYABLE):
            assert account_balance(code) == self.balance[code]
        for invoice in (1, 2, 3):
            assert subject_balance("patient_receivable", invoice) == self.receivable[invoice]
            assert subject_balance(REFUND_PAYABLE, invoice) == -self.payable[invoice]
        for claim_id in list(self.fund)[-2:]:
            assert subject_balance(FUND, claim_id) == self.fund[claim_id]


def claim(invoice: int, parts: tuple[int, int, int, int], at: datetime) -> postings.ClaimPart:
    """A settlement under a number of its own; the cash part moves nothing by itself."""
    return postings.ClaimPart(invoice, next(CLAIMS), AGENCY, Split(*parts, cash_fen=0), at)


@pytest.mark.parametrize("lot", range(LOTS))
def test_any_order_of_events_keeps_the_books(
    lot: int, proof_scale: Callable[..., int], proof_report: Callable[..., None]
) -> None:
    """Five thousand runs take half an hour; in lots, a failing one is found and repeated sooner."""
    runs, before = proof_scale(5000 // LOTS), Books.ended
    run_state_machine_as_test(
        seed(lot)(Books),
        settings=settings(
            max_examples=runs,
            stateful_step_count=50,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    ended = Books.ended - before
    proof_report(f"T10.ledger_runs.{lot}", ended, f">= {runs}", ended >= runs)
