"""6301 says how an order stands; the literal table here says what follows for its claim.

What nobody knows the meaning of is never guessed: it waits for a person. While the wallet may still
confirm, an order is left alone; once the wallet is done with it (`undoing`), what is not settled is
ended by 6401, and cash alone goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from django.db import transaction

from core.actors import SYSTEM
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.base import Answer
from insurance.gateway.claim_values import Settlement
from insurance.gateway.identities import IdentityBroken
from insurance.gateway.mobile import orders
from insurance.gateway.mobile.states import OrderClass
from insurance.gateway.mobile.values import MobileState, SettleKind
from insurance.gateway.nhsa.settlements import settle_query
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimStatus, InsuranceReason, MobileOrder
from insurance.selectors import institution_speaking
from insurance.services.claims.applying import (
    answer_to_review,
    reversal_apply,
    settlement_apply,
)
from insurance.services.claims.asking import insurer_ask
from insurance.services.claims.mobile.orders import (
    order_of_claim,
    reference_of_order,
    refund_number,
    refund_of_claim,
    split_of_parts,
    state_note,
)
from insurance.services.claims.orders import reference_of
from insurance.services.claims.releasing import claim_released, claim_tidy
from insurance.services.claims.reviews import claim_to_review, review_withdraw
from insurance.services.claims.values import NOT_EXECUTED, REVOKED
from insurance.services.claims.waiting import look_later, reversal_refused

Found = Answer[MobileState]
Step = Callable[[Claim, MobileOrder, Found, MobileState], Claim]
CODE_MAX = 64
UNCONFIRMED = frozenset({"0", "1"})
# Insurance is surely not paid there: a person may end them once the centre's people said so.
NOTHING_SETTLED = frozenset({"13", "16"})
# Of an order that was settled: its insurance is back in these, and stands in those.
BACK = frozenset({"7", "8", "11"})
STANDS = frozenset({"4", "5", "6", "9", "10"})


def mobile_look(claim: Claim) -> Claim:
    """Learn how an order stands that the wallet was given."""
    order = order_of_claim(claim)
    answer = _state_ask(claim, order)
    found = answer.value
    if found is None:
        return _unheard(claim, answer)
    return _NEXT[found.state](claim, order, answer, found)


def mobile_look_reversal(claim: Claim) -> Claim:
    """Learn what became of a 6203 whose answer did not come."""
    order = order_of_claim(claim)
    answer = _state_ask(claim, order)
    found, message = answer.value, claim.reverse_message
    assert message is not None
    if found is None:
        return _unheard(claim, answer)
    if found.code in BACK:
        return reversal_apply(claim_id=claim.pk, reversal_no="")
    if found.code in STANDS:
        return reversal_refused(claim.pk, message, NOT_EXECUTED)
    if found.state is OrderClass.OPEN and found.code not in UNCONFIRMED:
        return look_later(claim_id=claim.pk, answer=answer)
    return _person(claim, order, answer, found)


def _state_ask(claim: Claim, order: MobileOrder) -> Found:
    institution = institution_speaking(claim.institution_id)
    answer = insurer_ask(claim, orders.query(reference_of_order(claim, order, institution)))
    failpoint("claim.after_mobile_query")
    if answer.value is not None:
        state_note(order, answer.value.code)
    return answer


def _unheard(claim: Claim, answer: Found) -> Claim:
    if answer.fault is not None and answer.executed:
        return answer_to_review(claim_id=claim.pk, answer=answer)
    return look_later(claim_id=claim.pk, answer=answer)


def _open(claim: Claim, order: MobileOrder, answer: Found, found: MobileState) -> Claim:
    """The insured has not confirmed, or the centre is at it."""
    if not (claim.undoing and found.code in UNCONFIRMED):
        return look_later(claim_id=claim.pk, answer=answer)
    institution = institution_speaking(claim.institution_id)
    gone = insurer_ask(claim, orders.revoke(reference_of_order(claim, order, institution)))
    failpoint("claim.after_revoke")
    if gone.outcome is not Outcome.SUCCEEDED:
        # Perhaps it was confirmed in this very moment: the next look says.
        return look_later(claim_id=claim.pk, answer=gone)
    return _nothing_stands(claim, REVOKED, lines_left=False)


def _cash_alone(claim: Claim, order: MobileOrder, answer: Found, found: MobileState) -> Claim:
    """The wallet paid, the fund did not. The centre is told that the cash goes back (6203 CASH);
    after that it cannot settle any more, and the wallet's own refund is ours to make."""
    if not claim.undoing:
        return look_later(claim_id=claim.pk, answer=answer)
    with transaction.atomic():
        claim_lock(claim.pk)
        refund_number(order, failed=False)
    told = insurer_ask(claim, orders.refund(refund_of_claim(claim, order, SettleKind.CASH)))
    failpoint("claim.after_cash_refund")
    if told.outcome is not Outcome.SUCCEEDED:
        return look_later(claim_id=claim.pk, answer=told)
    return _nothing_stands(claim, "CASH_ALONE", lines_left=True)


def _stands(claim: Claim, order: MobileOrder, answer: Found, found: MobileState) -> Claim:
    """The fund paid. The settlement itself, with its number, is 5203's word; both must be one."""
    assert found.parts is not None  # a paid order without amounts is no answer
    asked = insurer_ask(claim, settle_query(reference_of(claim)))
    failpoint("claim.after_mobile_settlement")
    rows = [row for row in asked.value or () if not row.refunded and row.total_fen > 0]
    said = next((row for row in rows if row.sent_as == order.pay_order_no), None)
    if said is None:
        said = next((row for row in rows if not row.sent_as and _nobodys(claim, row)), None)
    if asked.fault is not None and asked.executed:
        return answer_to_review(claim_id=claim.pk, answer=asked)
    if said is None:
        return look_later(claim_id=claim.pk, answer=asked)
    try:
        split = split_of_parts(found.parts)
    except IdentityBroken as broken:
        return _review(claim, InsuranceReason.SPLIT_BROKEN, str(broken))
    if said.split != split:
        words = f"6301 {split} and 5203 {said.split} are not one"
        return _review(claim, InsuranceReason.SPLIT_BROKEN, words)
    return settlement_apply(claim_id=claim.pk, said=said)


def _nobodys(claim: Claim, row: Settlement) -> bool:
    taken = Claim.objects.filter(
        institution=claim.institution_id, settlement_no=row.settlement_no
    ).exclude(pk=claim.pk)
    return row.total_fen == claim.amount_fen and not taken.exists()


def _over(claim: Claim, order: MobileOrder, answer: Found, found: MobileState) -> Claim:
    """Revoked, or the insurer's final no."""
    return _nothing_stands(claim, f"ORD_{found.code}", lines_left=found.state is OrderClass.FAILED)


def _contradicted(claim: Claim, order: MobileOrder, answer: Found, found: MobileState) -> Claim:
    """Given back before we ever knew it was paid."""
    return _review(claim, InsuranceReason.STATE_DIFFERS, f"ordStas {found.code}")


def _person(claim: Claim, order: MobileOrder, answer: Found, found: MobileState) -> Claim:
    """The centre itself needs a person, or nobody knows what the status means."""
    if claim.undoing and claim.status == ClaimStatus.SETTLING and found.code in NOTHING_SETTLED:
        return _nothing_stands(claim, f"ORD_{found.code}", lines_left=True)
    known = found.state is not OrderClass.UNKNOWN
    reason = InsuranceReason.CENTRE_STUCK if known else InsuranceReason.UNKNOWN_CODE
    return _review(claim, reason, f"ordStas {found.code}")


_NEXT: Mapping[OrderClass, Step] = MappingProxyType({
    OrderClass.OPEN: _open,
    OrderClass.CASH_ONLY: _cash_alone,
    OrderClass.FUND_ONLY: _stands,
    OrderClass.PAID: _stands,
    OrderClass.REFUNDED: _contradicted,
    OrderClass.PARTLY_REFUNDED: _contradicted,
    OrderClass.CLOSED: _over,
    OrderClass.FAILED: _over,
    OrderClass.OPERATOR: _person,
    OrderClass.UNKNOWN: _person,
})  # fmt: skip


def _review(claim: Claim, reason: InsuranceReason, words: str) -> Claim:
    with transaction.atomic():
        locked = claim_lock(claim.pk)
        if locked.status in Claim.IN_DOUBT:
            claim_to_review(locked, reason, words)
    return locked


def _nothing_stands(claim: Claim, code: str, *, lines_left: bool) -> Claim:
    """Nothing was or will be settled under this order: the claim is at its end."""
    with transaction.atomic():
        locked = claim_lock(claim.pk)
        if locked.status == ClaimStatus.SETTLING:
            if locked.looks:
                review_withdraw(locked)
            transition(
                locked,
                ClaimStatus.OPEN,
                by=SYSTEM,
                reason=code,
                due_at=None,
                looks=0,
                undoing=False,
                code=code[:CODE_MAX],
                message="",
                lines_sent=lines_left,
            )
            claim_released(locked, SYSTEM)
    failpoint("claim.after_mobile_over")
    claim_tidy(claim_id=claim.pk)
    return Claim.objects.get(pk=claim.pk)
