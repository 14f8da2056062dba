"""An insured patient with a wallet, whose bills are settled at the sandbox's two counterparties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from billing.ledger.checking import ledger_check
from billing.ledger.models import Posting
from billing.ledger.selectors import account_balance
from billing.models import CollectRequest, HisEvent, Invoice, PaymentTransaction
from billing.selectors.collects import collect_answer
from billing.selectors.payments import receivable_fen
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core import clock
from insurance.models import Claim
from patients.models import Encounter
from tests.contracts import nhsa_claims
from tests.contracts.nhsa_claims import CART
from tests.factories import billing, payments
from tests.fixtures.sandbox_process import Sandbox
from tests.proof import house as wechat

FUND = "fund_receivable/330300"
DOCTOR = {"code": "D001", "national_code": "D330300000001", "name": "李医生"}


@dataclass
class Ward:
    """The patient's visit with its insurance, and the wallet that pays the cash part."""

    sandbox: Sandbox
    insurer: nhsa_claims.House
    channel: wechat.House
    openid: str

    @property
    def visit(self) -> Encounter:
        return self.insurer.encounter

    def charge(self, *cart: tuple[str, int], quantity: int = 1) -> None:
        """Charges of the visit, as the HIS sends them."""
        for code, fen in cart:
            billing.charge(
                self.visit,
                fen,
                item_code=code,
                national_code=code,
                category="09" if code.startswith("Z") else "02",
                unit_price=fen / 100 / quantity,
                quantity=quantity,
                details={"ordered_by": DOCTOR, "prescription_no": "RX1", "order_no": "O1"},
            )

    def bill(self, *cart: tuple[str, int]) -> Invoice:
        """An issued bill; nobody was asked about it yet."""
        self.charge(*(cart or CART))
        return billing.invoice_issue(
            client=self.visit.client,
            encounter_no=self.visit.encounter_no,
            invoice_no=f"I{Invoice.objects.count() + 1}",
            operator=billing.OPERATOR,
            input_hash="",
        ).invoice

    def priced(self, *cart: tuple[str, int]) -> Invoice:
        """A bill the insurer has priced."""
        return self.driven(self.bill(*cart))

    def driven(self, bill: Invoice) -> Invoice:
        invoice_drive(invoice_id=bill.pk)
        bill.refresh_from_db()
        return bill

    def paid(self, *cart: tuple[str, int], **how: Any) -> Invoice:
        """A bill settled with its cash part paid by the patient's agreement."""
        bill = self.priced(*cart)
        self.collect(bill, **how)
        assert bill.status == "PAID", bill.status
        return bill

    def collect(self, bill: Invoice, method: str = "auto", code: str = "") -> CollectRequest:
        """Collect as a worker does: begin, then drive."""
        asked = payments.collect(bill, method, auth_code=code)
        self.driven(bill)
        self.ended(bill)
        asked.refresh_from_db()
        return asked

    def ended(self, bill: Invoice) -> None:
        """A deduction ends when it is asked for; the bill goes on by itself."""
        flying = PaymentTransaction.objects.filter(
            payment__invoice=bill, kind="CAPTURE", status__in=PaymentTransaction.IN_FLIGHT
        )
        for _look in range(3):
            row = flying.first()
            if row is None:
                break
            self.later(4)
            transaction_resume(transaction_id=row.pk)
        bill.refresh_from_db()

    def agreement(self) -> None:
        self.channel.agreement(self.visit.patient, openid=self.openid)

    def code(self) -> str:
        """The insurance code on the patient's phone, which the wallet shows as well."""
        return str(self.sandbox.act("nhsa", "show_insurance_code", self.insurer.psn_no)["code"])

    def answer(self, asked: CollectRequest) -> dict[str, Any]:
        return collect_answer(CollectRequest.objects.select_related("invoice").get(pk=asked.pk))

    def claim(self, bill: Invoice) -> Claim:
        bill.refresh_from_db()
        return Claim.objects.get(pk=bill.claim_id)

    def fault(self, operation: str, fault: str, **how: Any) -> str:
        return self.insurer.fault(operation, fault, **how)

    def later(self, seconds: float) -> None:
        self.channel.advance(seconds)

    def refund(self) -> None:
        """Send and end every refund that is out."""
        for _look in range(3):
            rows = PaymentTransaction.objects.filter(
                kind="REFUND", status__in=["CREATED", "PENDING"]
            )
            for pk in list(rows.values_list("pk", flat=True)):
                transaction_resume(transaction_id=pk)
            if not rows.exists():
                return
            self.later(61)

    def books(self) -> dict[str, int]:
        """What the two counterparties believe, netted."""
        insurer, channel = self.insurer.book(), self.sandbox.book()
        return {
            "fund": insurer["fund"],
            "own_account": insurer["own_account"],
            "captured": channel["captured"]["fen"] - channel["reversed"]["fen"],
            "refunded": channel["refunded"]["fen"],
        }


def ward_open(sandbox: Sandbox, at: clock.FrozenClock, **coverage: Any) -> Ward:
    """The patient of `nhsa_claims`, insured, with the code shown and a rich wallet."""
    channel = wechat.house_open(sandbox, at)
    openid = channel.wallet()
    insurer = nhsa_claims.house_open(sandbox, openid=openid, **coverage)
    channel.advance(0)
    return Ward(sandbox, insurer, channel, openid)


def even(ward: Ward, bill: Invoice) -> None:
    """Our ledger says what the counterparties say, and nothing is left on the bill."""
    report = ledger_check()
    assert (report.unbalanced, list(report.violations)) == (0, [])
    books = ward.books()
    clearing = f"clearing/wechat_pay/{ward.channel.merchant.merchant_no}"
    assert account_balance(FUND) == books["fund"] + books["own_account"]
    assert account_balance(clearing) == books["captured"] - books["refunded"]
    bill.refresh_from_db()
    if bill.status in Invoice.PAID_ONCE:
        assert receivable_fen(bill) == 0


def split_of(bill: Invoice) -> tuple[int | None, ...]:
    """Fund, own account, mutual aid, hospital part, cash."""
    return (
        bill.fund_fen,
        bill.own_account_fen,
        bill.mutual_aid_fen,
        bill.hospital_part_fen,
        bill.cash_fen,
    )


def told(bill: Invoice) -> list[str]:
    """What the HIS hears of a bill."""
    rows = HisEvent.objects.filter(invoice=bill).order_by("seq")
    return list(rows.values_list("type", flat=True))


def movements(bill: Invoice) -> list[tuple[str, str, int]]:
    """Captures and refunds with how they ended."""
    rows = PaymentTransaction.objects.filter(payment__invoice=bill).order_by("pk")
    return [(row.kind, row.status, row.amount_fen) for row in rows]


def entries(bill: Invoice) -> list[str]:
    """The events posted for a bill, in order."""
    rows = Posting.objects.filter(entry__invoice_id=bill.pk, line_no=1).order_by("entry_id")
    return list(rows.values_list("entry__event", flat=True))
