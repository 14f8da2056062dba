"""A settlement of 2,952 on the fund and an account, and the people who work on its loss."""

from __future__ import annotations

from datetime import timedelta

from billing.ledger.selectors import account_balance
from billing.models import FundLoss, LossStep, PaymentInstitution
from billing.services.losses import Asked, fund_loss_record, loss_step_ask, loss_step_decide
from core import clock
from insurance.models import Claim
from tests.factories.insured import CHECKER, CLERK, settled_claim
from tests.insurance import factories

FUND, RECOURSE = "fund_receivable/440100", "recourse_receivable/wechat"
ACCOUNTS = (FUND, "fund_loss", RECOURSE, "bank", "bad_debt")


def settled() -> Claim:
    """A settlement that stands, of a bill of 4,350, posted as settlements are."""
    return settled_claim(factories.institution())


def firm(code: str = "wechat", days: int = 300) -> PaymentInstitution:
    """A payment institution whose agreement ends in so many days."""
    today = clock.today()
    return PaymentInstitution.objects.create(
        code=code, name=f"{code} 支付", agreement_from=today - timedelta(days=400),
        agreement_until=today + timedelta(days=days),
    )  # fmt: skip


def asked(amount_fen: int, words: str = "冒名就医", evidence: str = "稽核〔2026〕12号") -> Asked:
    return Asked(amount_fen, clock.now(), evidence, words)


def recorded(claim: Claim, amount_fen: int = 2_952) -> FundLoss:
    return fund_loss_record(
        claim_id=claim.pk, reason="impersonated", asked=asked(amount_fen), by=CLERK
    )


def waiting(loss: FundLoss) -> LossStep:
    return loss.steps.get(status="OPEN")


def approve(loss: FundLoss) -> LossStep:
    return loss_step_decide(step_id=waiting(loss).pk, to="APPROVED", by=CHECKER, comment="已核对")


def borne(claim: Claim, amount_fen: int = 2_952) -> FundLoss:
    loss = recorded(claim, amount_fen)
    approve(loss)
    return loss


def step(
    loss: FundLoss, kind: str, amount_fen: int, of: PaymentInstitution | None = None
) -> LossStep:
    return loss_step_ask(
        loss_id=loss.pk, kind=kind, asked=asked(amount_fen), by=CLERK,
        institution_id=of.pk if of else None,
    )  # fmt: skip


def done(
    loss: FundLoss, kind: str, amount_fen: int, of: PaymentInstitution | None = None
) -> LossStep:
    step(loss, kind, amount_fen, of)
    return approve(loss)


def balances() -> tuple[int, ...]:
    """Fund, loss, recourse, bank, bad debt."""
    return tuple(account_balance(code) for code in ACCOUNTS)
