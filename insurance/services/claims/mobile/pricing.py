"""6201 and 6202: the lines lie at the centre under our order, which is then tried.

An order that was asked for and not answered is looked at (6301): what was tried is adopted, what
the centre says it only saved is tried. Nothing is said twice on a guess. Where insurance pays all,
no wallet has anything to confirm and 6202 itself may settle: then the claim is SETTLING from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.base import Answer, GatewayFault, Operation
from insurance.gateway.claim_values import Split
from insurance.gateway.identities import IdentityBroken
from insurance.gateway.mobile import orders
from insurance.gateway.mobile.states import OrderClass
from insurance.gateway.mobile.values import MobileBill, MobileOrder, MobileState
from insurance.models import ClaimLine, ClaimStatus, InsuranceReason
from insurance.models import MobileOrder as OrderRow
from insurance.models.claim import split_fields
from insurance.selectors import message_last
from insurance.services.claims.asking import institution_signed_in
from insurance.services.claims.families import family_settle
from insurance.services.claims.frozen import line_thawed
from insurance.services.claims.mobile.orders import (
    SAVED,
    TRIED,
    may_be_settled,
    order_of_claim,
    reference_of_order,
    split_of_parts,
    state_note,
)
from insurance.services.claims.reviews import reason_of
from insurance.services.claims.speaking import Pricing, PricingEnded, fields_write
from insurance.services.claims.trials import trial_keep
from insurance.services.claims.values import (
    ALONE,
    MAYBE,
    MOBILE_OVER,
    OVERTAKEN,
    Priced,
    PricedState,
)
from insurance.services.claims.visits import visit_wire
from insurance.services.exchange import message_deliver, message_prepare

# Said once, and once more where the day's sign-in had run out.
SIGN_INS = 2
SETTLED = frozenset({OrderClass.PAID, OrderClass.FUND_ONLY})


def mobile_trial(pricing: Pricing) -> Priced:
    """The centre's trial of a claim whose person and visit are settled."""
    row = order_of_claim(pricing.claim)
    if message_last(pricing.claim.subject, Operation.MOBILE_ORDER) is None:
        family_settle(pricing)
    if not row.pay_order_no:
        _upload(pricing, row)
    try:
        found = _tried(pricing, row)
    except PricingEnded as ended:
        raise PricingEnded(_known_or_asked(pricing, row, ended.priced)) from ended
    split = _split(pricing, found)
    if found.code == TRIED:
        return trial_keep(pricing, split, found.settlement)
    return _settled_alone(pricing, split)


def _known_or_asked(pricing: Pricing, row: OrderRow, ended: Priced) -> Priced:
    """A silence after 6202 is no silence about a price alone."""
    unheard = ended.state is PricedState.UNKNOWN and ended.code != OVERTAKEN
    if unheard and may_be_settled(pricing.claim, row):
        return replace(ended, code=MAYBE)
    return ended


def _settled_alone(pricing: Pricing, split: Split) -> Priced:
    """6202 paid the bill whole: the settlement with its number is learnt as any other."""
    with pricing.step("settled_alone") as claim:
        now = clock.now()
        transition(
            claim,
            ClaimStatus.SETTLING,
            by=SYSTEM,
            reason=ALONE,
            settle_message=message_last(claim.subject, Operation.MOBILE_ORDER),
            settle_tries=claim.settle_tries + 1,
            looks=0,
            priced_at=now,
            valid_until=now,
            due_at=now,
            **split_fields("priced", split),
        )
    return Priced(PricedState.UNKNOWN, code=ALONE)


def mobile_over() -> Priced:
    """The trial ran out; the consent was for it alone."""
    return Priced(
        PricedState.REFUSED,
        code=MOBILE_OVER,
        sentence=_("The permission on the phone is over. Please begin again."),
    )


def _upload(pricing: Pricing, row: OrderRow) -> None:
    """6201; said again under the same order number it is the same order there."""
    with pricing.step("mobile_begun") as claim:
        fields_write(claim, lines_sent=True)
    told = pricing.say(orders.fees_upload(_bill(pricing, row)))
    with pricing.step("mobile_saved"):
        row.pay_order_no, row.pay_token = told.pay_order_no, told.pay_token
        row.save(update_fields=["pay_order_no", "pay_token"])


def _bill(pricing: Pricing, row: OrderRow) -> MobileBill:
    claim, patient = pricing.claim, pricing.claim.encounter.patient
    assert claim.visit is not None
    rows = ClaimLine.objects.filter(claim=claim).order_by("pk")
    return MobileBill(
        order_no=row.order_no,
        visit=visit_wire(claim, claim.visit),
        patient_name=patient.name,
        id_number=patient.id_number,
        lines=[line_thawed(one) for one in rows],
        batch_no=claim.batch_no,
        total_fen=claim.amount_fen,
        use_account=claim.uses_account,
        institution_code=pricing.institution.campus.institution_code,
        ended_at=clock.now(),
        pay_auth_no=row.pay_auth_no,
        location=row.location,
    )


def _tried(pricing: Pricing, row: OrderRow) -> MobileState:
    """6202 once; after a silence the centre is asked what became of it. Whether the family's
    account may pay is asked before each 6202, and not after: by then it may have paid."""
    if message_last(pricing.claim.subject, Operation.MOBILE_ORDER) is not None:
        found = _asked(pricing, row)
        if found.code != SAVED:
            return _tried_only(pricing, row, found)
        family_settle(pricing)
    answer = _order_said(pricing, row)
    if answer.outcome is Outcome.UNKNOWN and answer.value is None and answer.fault is None:
        return _tried_only(pricing, row, _asked(pricing, row))
    return _tried_only(pricing, row, _believed(pricing, answer))


def _order_said(pricing: Pricing, row: OrderRow) -> Answer[MobileState]:
    """6202, its intent committed under the claim's lock: whoever releases the claim sees that it
    may have been settled."""
    call = orders.order(_wanted(pricing, row))
    for _again in range(SIGN_INS):
        with pricing.step("mobile_asked") as claim:
            prepared = message_prepare(
                institution=pricing.institution, call=call, subject=claim.subject
            )
        answer = message_deliver(prepared)
        failpoint("claim.after_mobile_order")
        signed_in = institution_signed_in(pricing.institution, answer)
        if signed_in is None:
            break
        pricing.institution = signed_in
    return answer


def _wanted(pricing: Pricing, row: OrderRow) -> MobileOrder:
    claim = pricing.claim
    assert claim.visit is not None
    claim.patient = claim.encounter.patient
    return MobileOrder(
        reference=reference_of_order(claim, row, pricing.institution),
        pay_auth_no=row.pay_auth_no,
        order_no=row.order_no,
        batch_no=claim.batch_no,
        mdtrt_id=claim.visit.mdtrt_id,
        use_account=claim.uses_account,
        total_fen=claim.amount_fen,
    )


def _asked(pricing: Pricing, row: OrderRow) -> MobileState:
    """6301."""
    pricing.claim.patient = pricing.claim.encounter.patient
    reference = reference_of_order(pricing.claim, row, pricing.institution)
    return _believed(pricing, pricing.ask(orders.query(reference)))


def _believed(pricing: Pricing, answer: Answer[MobileState]) -> MobileState:
    """A state that was read, whatever it says of the payment; anything else ends the pricing."""
    if answer.value is not None:
        return answer.value
    return pricing.value_of(answer)


def _tried_only(pricing: Pricing, row: OrderRow, found: MobileState) -> MobileState:
    """Before the wallet has the order it is tried, or settled because nothing is left to pay."""
    state_note(row, found.code)
    if found.state in SETTLED and found.parts is not None and not found.parts.cash_fen:
        return found
    if found.state is OrderClass.UNKNOWN:
        pricing.review(InsuranceReason.UNKNOWN_CODE, f"ordStas {found.code}", ord_stas=found.code)
    if found.state is OrderClass.OPERATOR:
        pricing.review(InsuranceReason.CENTRE_STUCK, f"ordStas {found.code}", ord_stas=found.code)
    if found.state in (OrderClass.CLOSED, OrderClass.FAILED):
        pricing.note(found.code, "")
        raise PricingEnded(mobile_over())
    if found.state is not OrderClass.OPEN:
        pricing.review(InsuranceReason.STATE_DIFFERS, f"ordStas {found.code}", ord_stas=found.code)
    if found.code != TRIED or found.parts is None:
        pricing.end(PricedState.UNKNOWN, found.code, _("The insurer is asked again."))
    return found


def _split(pricing: Pricing, found: MobileState) -> Split:
    """The five parts of this bill, the same in the order and in the trial inside it."""
    assert found.parts is not None
    try:
        split = split_of_parts(found.parts)
    except GatewayFault as fault:
        _broken(pricing, fault)
    if split.total_fen != pricing.claim.amount_fen:
        total_fen = pricing.claim.amount_fen
        _broken(pricing, IdentityBroken("6202", "feeSumamt", split.total_fen, total_fen))
    trial = found.settlement
    if trial is not None and trial.split != split:
        trial_fen = trial.split.fund_fen
        _broken(pricing, IdentityBroken("6202", "preSetl fundPay", trial_fen, split.fund_fen))
    return split


def _broken(pricing: Pricing, fault: GatewayFault) -> NoReturn:
    pricing.review(reason_of(fault), str(fault))
