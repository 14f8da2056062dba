"""What happens to an insured bill, by the hall and by the phone: each a way to be killed on.

A journey prepares a bill, has work that a process may die in, and says what people do afterwards:
whoever saw a page break presses again, whoever was not served comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from billing.models import BillingReview, Invoice
from billing.selectors.insured import phone_priced
from billing.selectors.payments import is_priced
from billing.services.insuring.exits import claim_review_stand, exit_approve, exit_ask
from billing.services.insuring.resuming import bills_proved_resume
from core.actors import Actor
from insurance.gateway.visit_values import Credential, CredentialKind
from insurance.services.credentials import credential_keep
from tests.billing.insured.phone import Phone
from tests.billing.insured.test_differences import HIGHER
from tests.billing.services.bills import ask_back, part
from tests.contracts.nhsa_house import DRUG
from tests.factories import patients, payments
from tests.proof.guardians import guardian
from tests.proof.insured import Hospital

CLERK, REVIEWER = Actor("staff", "clerk", "李窗口"), Actor("staff", "reviewer", "王复核")
Step = Callable[[Phone, Invoice], object]
BACK_FEN = 400


def _nothing(phone: Phone, bill: Invoice) -> None:
    """The sweepers alone bring it to its end."""


@dataclass(frozen=True)
class Journey:
    """`after` is what people do once the sweepers were there; `ends` the bill's status then."""

    name: str
    begin: Callable[[Phone], Invoice]
    work: Step
    after: Step = _nothing
    ends: str = "PAID"
    who: Callable[[Hospital], Phone] = Hospital.patient


def asked(method: str) -> Callable[[Phone], Invoice]:
    """A bill somebody collects; the worker has not heard of it yet."""

    def begin(phone: Phone) -> Invoice:
        if method == "auto":
            phone.ward.agreement()
        bill = phone.ward.bill()
        code = phone.ward.code() if method == "one_code" else ""
        payments.collect(bill, method, request_no=f"R{bill.pk}", auth_code=code)
        return bill

    return begin


def driven(phone: Phone, bill: Invoice) -> None:
    phone.ward.driven(bill)
    phone.ward.ended(bill)


def at_the_window(phone: Phone, bill: Invoice) -> None:
    """Whose code was scanned and not sent pays another way."""
    if bill.status == "ISSUED":
        payments.collect(bill, "cash", request_no=f"W{bill.pk}")
        phone.ward.driven(bill)


def dearer(phone: Phone) -> Invoice:
    phone.ward.agreement()
    bill = phone.ward.priced()
    phone.ward.fault("settle", "settle_differs", seed=HIGHER)
    payments.collect(bill, request_no=f"R{bill.pk}")
    return bill


def collected(phone: Phone) -> Invoice:
    """Paid by the hall and the agreement."""
    bill = asked("auto")(phone)
    driven(phone, bill)
    assert bill.status == "PAID", bill.status
    return bill


def asked_back(phone: Phone) -> Invoice:
    bill = collected(phone)
    ask_back(bill, part(bill, 1), refund_no=f"F{bill.pk}")
    return bill


def returned(phone: Phone, bill: Invoice) -> None:
    phone.ward.driven(bill)
    phone.ward.refund()


def case_of(bill: Invoice, reason: str) -> BillingReview | None:
    return BillingReview.objects.filter(invoice=bill, reason_code=reason, status="OPEN").first()


def to_be_borne(phone: Phone) -> Invoice:
    """A return the insurer settles no more: a clerk asks that the hospital bear the rest."""
    bill = collected(phone)
    phone.ward.fault("presettle", "decline", times=9)
    ask_back(bill, part(bill, 0), refund_no=f"F{bill.pk}")
    returned(phone, bill)
    case = case_of(bill, "return_not_settled")
    assert case is not None
    exit_ask(review_id=case.pk, back_fen=BACK_FEN, by=CLERK, comment="医保不再受理")
    return bill


def agreed(phone: Phone, bill: Invoice) -> None:
    """The reviewer agrees, and again where the page broke before it was done."""
    case = case_of(bill, "hospital_bears")
    if case is not None:
        exit_approve(review_id=case.pk, by=REVIEWER, comment="已核对")
    phone.ward.refund()


def stuck(phone: Phone) -> Invoice:
    """Settled dearer than was taken, and the insurer does not take it back."""
    bill = dearer(phone)
    phone.ward.fault("settle_reverse", "already_cleared")
    driven(phone, bill)
    assert bill.status == "REVIEW", bill.status
    return bill


def let_stand(phone: Phone, bill: Invoice) -> None:
    case = case_of(bill, "claim_not_reversed")
    if case is not None:
        claim_review_stand(review_id=case.pk, by=REVIEWER, comment="患者同意")
    bill.refresh_from_db()
    if bill.status == "ISSUED":
        payments.collect(bill, request_no=f"S{bill.pk}")
    driven(phone, bill)


def proved_late(phone: Phone) -> Invoice:
    """A known patient's next visit: the collect ended at the missing code; then the card is read
    at some other door."""
    first = collected(phone).encounter
    visit = phone.ward.insurer.encounter = patients.encounter(
        of=first.patient, campus=first.campus, self_pay=False, diagnoses=first.diagnoses
    )
    bill = phone.ward.bill()
    payments.collect(bill, request_no=f"R{bill.pk}")
    driven(phone, bill)
    assert bill.status == "ISSUED", bill.status
    number = visit.patient.id_number
    credential_keep(encounter=visit, credential=Credential(CredentialKind.ID_CARD, number))
    return bill


def gone_on(phone: Phone, bill: Invoice) -> None:
    bills_proved_resume(limit=10)
    driven(phone, bill)


def priced(phone: Phone) -> Invoice:
    return phone.ward.priced()


def allowed(phone: Phone) -> Invoice:
    return phone.allowed(phone.ward.priced())


def tried(phone: Phone) -> Invoice:
    return phone.tried(phone.ward.priced())


def pressed(phone: Phone, bill: Invoice) -> None:
    """The one tap."""
    phone.pressed(bill)


def by_phone(phone: Phone, bill: Invoice) -> None:
    """Whoever wanted to pay on the phone does so, from wherever the bill stands."""
    if bill.status == "ISSUED" and not (phone_priced(bill) and is_priced(bill)):
        phone.allowed(bill)
    if bill.status == "ISSUED" and phone.pressed(bill) is not None:
        phone.confirmed()
        phone.heard(bill)


def tapped_again(phone: Phone, bill: Invoice) -> None:
    """The page broke under the tap: the same form is sent, and the wallet opens."""
    if bill.status == "COLLECTING" and phone.pressed(bill) is not None:
        phone.confirmed()
        phone.heard(bill)
    by_phone(phone, bill)


def confirmed(phone: Phone) -> Invoice:
    bill = tried(phone)
    phone.confirmed()
    return bill


def cash_alone(phone: Phone) -> Invoice:
    bill = tried(phone)
    phone.ward.fault("mobile_order", "part_success", seed=2)
    assert phone.confirmed()["med_ins_pay_status"] == "MED_INS_PAY_FAIL"
    return bill


def insurance_alone(phone: Phone) -> Invoice:
    bill = tried(phone)
    phone.ward.sandbox.fault("capture", "decline", "wechat_pay", times=1)
    assert phone.confirmed()["med_ins_pay_status"] == "MED_INS_PAY_SUCCESS"
    return bill


def heard(phone: Phone, bill: Invoice) -> None:
    phone.heard(bill)
    phone.ward.refund()


def left(phone: Phone, bill: Invoice) -> None:
    """The page's deadline passes; the sweepers find out what the wallet did."""
    phone.left(bill)
    phone.told()


def dearer_by_phone(phone: Phone) -> Invoice:
    bill = tried(phone)
    phone.ward.fault("mobile_order", "settle_differs", seed=HIGHER)
    phone.confirmed()
    return bill


def back_by_phone(phone: Phone) -> Invoice:
    bill = confirmed(phone)
    phone.heard(bill)
    assert bill.status == "PAID", bill.status
    ask_back(bill, part(bill, 1), refund_no=f"F{bill.pk}")
    return bill


def returned_and_told(phone: Phone, bill: Invoice) -> None:
    returned(phone, bill)
    phone.told()


HALL = (
    Journey("collect by agreement", asked("auto"), driven),
    Journey("collect by code", asked("one_code"), driven, at_the_window),
    Journey("collect at the window", asked("cash"), driven, at_the_window),
    Journey("return", asked_back, returned, ends="PARTLY_REFUNDED"),
    Journey("dearer settlement", dearer, driven),
    Journey("hospital bears", to_be_borne, agreed, agreed, "PARTLY_REFUNDED"),
    Journey("dearer stands", stuck, let_stand, let_stand),
    Journey("late proof", proved_late, gone_on),
)
PHONE = (
    Journey("phone allowed", priced, lambda phone, bill: phone.allowed(bill), by_phone),
    Journey("phone pressed", allowed, pressed, tapped_again),
    Journey("phone heard", confirmed, heard),
    Journey("phone left", tried, left, ends="ISSUED"),
    Journey("phone cash alone", cash_alone, heard, ends="ISSUED"),
    Journey("phone insurance alone", insurance_alone, left, ends="ISSUED"),
    Journey("phone return", back_by_phone, returned_and_told, ends="PARTLY_REFUNDED"),
    Journey("phone dearer", dearer_by_phone, heard, ends="ISSUED"),
)


def childs_bill(phone: Phone) -> Invoice:
    """Priced in the hall; the guardian's account would pay what the fund does not."""
    return phone.ward.priced((DRUG, 10_000))


def unheard(phone: Phone) -> Invoice:
    """The centre settles and its answer is lost."""
    bill = childs_bill(phone)
    phone.ward.fault("mobile_order", "drop_after")
    return bill


def asleep(phone: Phone) -> Invoice:
    """The order lies at the centre, which does not say more."""
    bill = childs_bill(phone)
    phone.ward.fault("mobile_order", "never_final")
    return bill


def tapped(phone: Phone, bill: Invoice) -> None:
    phone.allowed(bill)


def tapped_until_paid(phone: Phone, bill: Invoice) -> None:
    """The guardian sees a bill to pay, and taps; while it is looked into nothing more is begun."""
    if bill.status == "ISSUED":
        phone.allowed(bill)


# 6202 settles them by itself: nobody confirms anything, and no money but the insurer's moves.
CASHLESS = tuple(
    Journey(name, begin, tapped, tapped_until_paid, who=guardian)
    for name, begin in (
        ("guardian taps", childs_bill),
        ("guardian taps, answer lost", unheard),
        ("guardian taps, no end", asleep),
    )
)
JOURNEYS = HALL + PHONE + CASHLESS
