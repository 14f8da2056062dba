"""What 2206 and 2207 are asked, and whether a settlement of this claim stands at the insurer."""

from __future__ import annotations

from dataclasses import dataclass

from core.outcomes import Outcome
from insurance.gateway.base import Answer, Operation
from insurance.gateway.claim_values import Settlement, SettlementReference, SettleOrder
from insurance.gateway.nhsa.settlements import settle_query
from insurance.gateway.visit_values import Scheme
from insurance.models import Claim, ClaimRoute, MobileOrder
from insurance.selectors import claim_message_numbers
from insurance.services.claims.asking import insurer_ask
from insurance.services.claims.visits import proof_of


def order_of(claim: Claim) -> SettleOrder:
    """The same words for trial and settlement."""
    visit = claim.visit
    assert visit is not None
    return SettleOrder(
        person_no=visit.coverage.person_no,
        credential=proof_of(visit),
        scheme=Scheme(visit.coverage.scheme),
        med_type=claim.med_type,
        total_fen=claim.amount_fen,
        mdtrt_id=visit.mdtrt_id,
        batch_no=claim.batch_no,
        use_account=claim.uses_account,
        insured_area=visit.coverage.insured_area,
    )


def reference_of(claim: Claim, settlement_no: str = "") -> SettlementReference:
    """Every settlement of the visit, or the one."""
    visit = claim.visit
    assert visit is not None
    return SettlementReference(
        visit.coverage.person_no, visit.mdtrt_id, visit.coverage.insured_area, settlement_no
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What 5203 says of a claim: `known` when the answer can be relied on."""

    answer: Answer[tuple[Settlement, ...]]
    settlement: Settlement | None = None

    @property
    def known(self) -> bool:
        """A refusal means that there is no such visit, so nothing stands on it."""
        return self.answer.outcome in (Outcome.SUCCEEDED, Outcome.DECLINED)


def standing_find(claim: Claim) -> Standing:
    """5203: a settlement that one of this claim's messages made and that was not taken back.

    A visit has several claims, so whose a settlement is, is told by the number it was sent under;
    where the platform is silent about that, by the amount, if no other claim has it.
    """
    answer = insurer_ask(claim, settle_query(reference_of(claim)))
    rows = [row for row in answer.value or () if not row.refunded and row.total_fen > 0]
    numbers = claim_message_numbers(claim, Operation.SETTLE) | _order_numbers(claim)
    found = next((row for row in rows if row.sent_as in numbers), None)
    if found is None:
        found = next((row for row in rows if not row.sent_as and _nobodys(claim, row)), None)
    return Standing(answer, found)


def _order_numbers(claim: Claim) -> set[str]:
    """On the phone's route a settlement is sent under the number of the centre's order."""
    if claim.route != ClaimRoute.MOBILE:
        return set()
    rows = MobileOrder.objects.filter(claim=claim).exclude(pay_order_no="")
    return set(rows.values_list("pay_order_no", flat=True))


def _nobodys(claim: Claim, row: Settlement) -> bool:
    if row.total_fen != claim.amount_fen:
        return False
    taken = Claim.objects.filter(
        institution=claim.institution_id, settlement_no=row.settlement_no
    ).exclude(pk=claim.pk)
    return not taken.exists()
