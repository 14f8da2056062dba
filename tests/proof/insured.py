"""A hospital of insured patients, what its sweepers do, and what must hold of every bill there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.ledger.selectors import account_balance
from billing.models import Invoice, InvoiceReturn, MixedOrder
from billing.selectors.payments import receivable_fen
from billing.services.insuring.resuming import bills_proved_resume
from billing.services.insuring.wallet import mixed_due, mixed_tell
from billing.services.invoice_drive import invoice_drive, invoices_drive_due
from billing.services.sweeps import refunds_due, transaction_resume, transactions_due
from core import clock
from insurance.models import Claim, Institution
from insurance.selectors import claim_bill
from insurance.services.claims import claim_resume, claims_due
from tests.billing.insured.phone import Phone, phone_open
from tests.billing.insured.ward import FUND, Ward
from tests.contracts import nhsa_claims, nhsa_house
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox
from tests.proof import house as wechat

LIMIT, ROUNDS, ROUND_S = 200, 12, 61
BORN, USED_FEN, BALANCE_FEN = date(1982, 6, 18), 60_000, 500
QUIET = 3  # minutes without anything due: longer than any lease
OF_THE_FUND = ("fund", "own_account", "mutual_aid")
UNENDED = ("SETTLING", "REVERSING", "REVIEW")


@dataclass
class Hospital:
    """One institution at the sandbox's insurer and wallet channel; each patient has one visit."""

    sandbox: Sandbox
    channel: wechat.House
    place: Institution
    seen: int = 0

    def patient(self, balance_fen: int = BALANCE_FEN) -> Phone:
        """An insured adult, deductible used up, with a wallet and a phone in hand."""
        self.seen += 1
        openid, name = self.channel.wallet(), nhsa_house.NAME
        number = patients.id_number(self.seen, born=BORN, region="330300")
        shown = self.sandbox.act(
            "nhsa", "enrol_person", number, name=name, sex="female",
            birth_date=BORN.isoformat(), balance_fen=balance_fen, openid=openid,
        )  # fmt: skip
        psn_no = str(shown["baseinfo"]["psn_no"])
        self.sandbox.act("nhsa", "set_used", psn_no, insutype="310", deductible_fen=USED_FEN)
        visit = patients.encounter(
            of=patients.patient(number=number, name=name, birth_date=BORN),
            campus=self.place.campus,
            self_pay=False,
            diagnoses=nhsa_claims.DIAGNOSES,
            doctor_national_code="D330300000001",
        )
        insurer = nhsa_claims.House(self.sandbox, psn_no, visit)
        insurer.show_code()
        phone = phone_open(Ward(self.sandbox, insurer, self.channel, openid))
        phone.forms = self.seen * 1_000  # a form's key is of one bill alone
        return phone


def hospital_open(sandbox: Sandbox, at: clock.FrozenClock) -> Hospital:
    return Hospital(sandbox, wechat.house_open(sandbox, at), nhsa_house.institution(sandbox))


def sweep(house: Hospital) -> None:
    """The sweepers come by, one minute after another, until they find nothing."""
    quiet = 0
    for _round in range(ROUNDS):
        house.channel.advance(ROUND_S)
        quiet = 0 if _swept() else quiet + 1
        if quiet == QUIET:
            return


def _swept() -> bool:
    """One pass of every sweeper that money waits for; whether any found something."""
    found: list[int] = bills_proved_resume(limit=LIMIT)
    for claim_id in claims_due(limit=LIMIT):
        found.append(claim_id)
        claim_resume(claim_id=claim_id)
        invoice_drive(invoice_id=claim_bill(claim_id))
    for row_id in [*transactions_due(limit=LIMIT), *refunds_due(limit=LIMIT)]:
        found.append(row_id)
        transaction_resume(transaction_id=row_id)
    for invoice_id in invoices_drive_due(limit=LIMIT):
        found.append(invoice_id)
        invoice_drive(invoice_id=invoice_id)
    for mixed_id in mixed_due(limit=LIMIT, lease_s=1):
        found.append(mixed_id)
        mixed_tell(mixed_id=mixed_id)
    return bool(found)


def faults_of(bill: Invoice, moved: dict[str, int], *, cash_at_window: bool = False) -> list[str]:
    """What is wrong with a bill whose journey is over; `moved` is what the two counterparties'
    books gained by its patient. The bills' columns must say the same, and nothing be left open."""
    bill.refresh_from_db()
    paid = bill.status in Invoice.PAID_ONCE
    settled_ones = Invoice.objects.filter(patient=bill.patient_id, status__in=Invoice.PAID_ONCE)
    fund = (
        sum(one.fund_fen or 0 for one in settled_ones),
        sum(one.own_account_fen or 0 for one in settled_ones),
        sum(one.mutual_aid_fen or 0 for one in settled_ones),
    )
    cash = sum(one.cash_fen for one in settled_ones)
    if cash_at_window:
        cash -= bill.cash_fen
    wrong = []
    if (moved["fund"], moved["own_account"], moved.get("mutual_aid", 0)) != fund:
        wrong.append(f"the insurer moved {moved}, the bill says {fund}")
    if moved["captured"] - moved["refunded"] != cash:
        wrong.append(f"the wallet moved {moved}, the bill says {cash}")
    if paid and receivable_fen(bill) != 0:
        wrong.append(f"{receivable_fen(bill)} are owed")
    paid_told = bill.events.filter(type="paid").count()
    if paid_told != paid:
        wrong.append(f"the HIS was told {paid_told} times that it is paid")
    claims = Claim.objects.filter(invoice_ref=bill.pk)
    settled = claims.filter(status="SETTLED").count()
    if settled != bool(paid and bill.claim_id):
        wrong.append(f"{settled} claims are settled")
    if claims.filter(status__in=UNENDED).exists():
        wrong.append("a claim has no end")
    if InvoiceReturn.objects.filter(invoice=bill).exclude(status="DONE").exists():
        wrong.append("a return has no end")
    back = MixedOrder.objects.filter(claim__in=claims, claim__status="REVERSED", told_at=None)
    if back.exists():
        wrong.append("the wallet was not told that the insurance part went back")
    return [f"{bill.status}: {one}" for one in wrong]


def ledger_faults(house: Hospital, books: dict[str, int]) -> list[str]:
    """Our accounts beside the counterparties' books, the whole hospital together."""
    clearing = f"clearing/wechat_pay/{house.channel.merchant.merchant_no}"
    pairs = [
        (FUND, account_balance(FUND), sum(books.get(name, 0) for name in OF_THE_FUND)),
        (clearing, account_balance(clearing), books["captured"] - books["refunded"]),
    ]
    return [f"{name} is {ours}, theirs {other}" for name, ours, other in pairs if ours != other]
