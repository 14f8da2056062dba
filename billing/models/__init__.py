"""What is owed, how it is paid, and what was told to whom.

Nouns: a `ChargeItem` is one priced line of a visit; an `Invoice` freezes charges into one payable
bill; a `Payment` is one tender (who pays by which channel), a `PaymentTransaction` one movement of
money under it (CAPTURE or REFUND) with a number committed before the call; a `PaymentNotice` is
what a channel told us; an `Agreement` a signed deduction mandate; an `InvoiceReturn` goods or
services given back; an `InsuredCourse` says where a bill with a claim stands, a `MixedOrder` in
which tender the claim rides; a `FundLoss` is fund money the hospital bears, a `LossStep` what
followed; a `HisEvent` what the HIS is told; a `Rating` a patient's word on a visit.

Invariants: a charge is on at most one live invoice; an invoice has one tender in flight, unless a
cashier took it upon them to go on without the end of the last;
numbers are unique and never reused; a status changes only through `core.states.transition`; rows of
money are never deleted. `due_at` makes a row its own work queue: whatever must still happen to it
is found by a sweeper, so a lost task loses nothing (docs/adr).
"""

from billing.models.agreement import (
    Agreement,
    AgreementEnd,
    AgreementPatient,
    AgreementStatus,
)
from billing.models.charge import ChargeItem, ChargeStatus
from billing.models.collect import (
    CODE_METHODS,
    CollectMethod,
    CollectRequest,
    CollectStatus,
    PayLink,
)
from billing.models.course import CourseStep, InsuredCourse, Why
from billing.models.event import EventType, HisEvent
from billing.models.institution import AgreementPlan, Merchant, PaymentInstitution
from billing.models.invoice import Invoice, InvoiceLine, InvoiceStatus
from billing.models.loss import FundLoss, LossReason, LossStep, LossStepKind
from billing.models.mixed import MixedOrder
from billing.models.payment import (
    Payment,
    PaymentNotice,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.models.rating import Grade, Rating, RatingTag
from billing.models.returns import InvoiceReturn, ReturnLine, ReturnStatus
from billing.models.review import BillingReview, ReviewReason
from billing.models.shift import Shift

__all__ = [
    "CODE_METHODS",
    "Agreement",
    "AgreementEnd",
    "AgreementPatient",
    "AgreementPlan",
    "AgreementStatus",
    "BillingReview",
    "ChargeItem",
    "ChargeStatus",
    "CollectMethod",
    "CollectRequest",
    "CollectStatus",
    "CourseStep",
    "EventType",
    "FundLoss",
    "Grade",
    "HisEvent",
    "InsuredCourse",
    "Invoice",
    "InvoiceLine",
    "InvoiceReturn",
    "InvoiceStatus",
    "LossReason",
    "LossStep",
    "LossStepKind",
    "Merchant",
    "MixedOrder",
    "PayLink",
    "Payment",
    "PaymentInstitution",
    "PaymentNotice",
    "PaymentTransaction",
    "Rating",
    "RatingTag",
    "ReturnLine",
    "ReturnStatus",
    "ReviewReason",
    "Shift",
    "TransactionKind",
    "TransactionStatus",
    "Why",
]
