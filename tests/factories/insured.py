"""A settlement made by phone, the wallet's order it rode in, and a loss of it: rows to look at."""

from __future__ import annotations

from billing import postings
from billing.models import FundLoss, MixedOrder, PaymentTransaction
from billing.services.losses import Asked, fund_loss_record, loss_step_ask, loss_step_decide
from core import clock
from core.actors import Actor
from insurance.gateway.claim_values import Split
from insurance.models import Claim, Institution, MobileOrder
from insurance.models.claim import split_fields
from tests.factories import billing, patients, payments

CLERK, CHECKER = Actor("staff", "finance01", "赵财务"), Actor("staff", "reviewer01", "王复核")
SPLIT = Split(
    fund_fen=2_452, own_account_fen=500, mutual_aid_fen=0, hospital_part_fen=0, cash_fen=1_398
)


def settled_claim(place: Institution, number: str = "S1", *, visit_no: str = "2611200041") -> Claim:
    """A settlement that stands, of a bill of 4,350, posted as settlements are."""
    visit = patients.encounter(visit_no, of=patients.patient(name="王芳"))
    bill = billing.invoice(4_350, of=visit, invoice_no=f"B{number}")
    claim = Claim.objects.create(
        invoice_ref=bill.pk, encounter=visit, patient_id=visit.patient_id, institution=place,
        status="SETTLED", route="MOBILE", amount_fen=4_350, med_type="11", batch_no=f"CB{number}",
        settlement_no=number, settled_at=clock.now(), opened_by="system:system",
        occurred_at=clock.now(), created_at=clock.now(), **split_fields("settled", SPLIT),
    )  # fmt: skip
    area = place.region.area
    postings.post_claim_settled(postings.ClaimPart(bill.pk, claim.pk, area, SPLIT, clock.now()))
    return claim


def mobile_order(claim: Claim, state: str = "6", number: str = "MO1") -> MobileOrder:
    """The claim's order at the centre, which the wallet was given."""
    return MobileOrder.objects.create(
        claim=claim, order_no=number, pay_order_no=f"ORD{number}", state=state,
        pay_auth_no="AUTH9", pay_token="TOK9", location="120.1,30.2",
        offered_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip


def shown_rows(place: Institution) -> FundLoss:
    """An order at the centre and in the wallet, and a loss that is borne and claimed for; what was
    claimed waits for the second person."""
    claim = settled_claim(place, "SM1", visit_no="2611200077")
    mobile_order(claim)
    capture = PaymentTransaction.objects.filter(kind="CAPTURE").earliest("pk")
    MixedOrder.objects.create(transaction=capture, claim=claim, created_at=clock.now())
    said = Asked(2_000, clock.now(), "稽核〔2026〕12号", "冒名就医")
    loss = fund_loss_record(claim_id=claim.pk, reason="impersonated", asked=said, by=CLERK)
    loss_step_decide(step_id=loss.steps.get().pk, to="APPROVED", by=CHECKER, comment="已核对")
    loss_step_ask(
        loss_id=loss.pk, kind="recourse_claimed", asked=said, by=CLERK,
        institution_id=payments.merchant().institution_id,
    )  # fmt: skip
    return loss
