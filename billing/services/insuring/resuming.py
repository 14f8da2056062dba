"""A bill that waited for the insurance code goes on by itself once the code was shown, wherever.

The proof arrives at one door and the bill waits at another: the sweeper finds both, and a door that
knows its visit asks at once. What was being collected when the code was missing is collected on,
while whoever was told to show the code can still be expected; later the bill is only priced.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from billing.locks import collect_last_held, invoice_lock
from billing.models import (
    CollectMethod,
    CollectRequest,
    CollectStatus,
    CourseStep,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
)
from billing.policy import policy
from billing.reasons import Reason
from billing.services.insuring.opening import course_of, course_set
from core import clock
from core.actors import SYSTEM
from core.failpoints import failpoint
from core.states import transition
from insurance.models import HeldCredential

PROVED = "insurance code shown"
# These need nobody at the desk; a payment code has run out and the window counts its cash anew.
GO_ON = frozenset({CollectMethod.AUTO, CollectMethod.AGREEMENT, CollectMethod.PAY_LINK})


def bills_proved_resume(*, limit: int) -> list[int]:
    """Every bill whose code was shown meanwhile; each is due at once."""
    rows = _proved().order_by("proof_wanted_at").values_list("invoice_id", flat=True)[:limit]
    return [invoice_id for invoice_id in rows if _resume(invoice_id)]


def visit_bills_resume(*, encounter_id: int) -> list[int]:
    """The bills of a visit whose code has just been shown."""
    rows = _proved().filter(invoice__encounter=encounter_id)
    found = list(rows.order_by("invoice_id").values_list("invoice_id", flat=True))
    return [invoice_id for invoice_id in found if _resume(invoice_id)]


def _proved() -> QuerySet[InsuredCourse]:
    proof = HeldCredential.objects.filter(
        encounter=OuterRef("invoice__encounter"), held=True, expires_at__gt=clock.now()
    )
    return InsuredCourse.objects.filter(
        Exists(proof), proof_wanted_at__isnull=False, invoice__status=InvoiceStatus.ISSUED
    )


def _resume(invoice_id: int) -> bool:
    """Begin the pricing again under the bill's lock; False where somebody else did."""
    now = clock.now()
    with transaction.atomic():
        invoice = invoice_lock(invoice_id)
        course = course_of(invoice)
        wanted = course.proof_wanted_at
        if wanted is None or invoice.status != InvoiceStatus.ISSUED:
            return False
        course_set(course, CourseStep.PRICE)
        collect = _waiting(invoice, wanted)
        if collect is not None:
            transition(collect, CollectStatus.RUNNING, by=SYSTEM, reason=PROVED, decline_code="")
        to = InvoiceStatus.PRICING if collect is None else InvoiceStatus.COLLECTING
        transition(invoice, to, by=SYSTEM, reason=PROVED, due_at=now, action=None, decline_code="")
        failpoint("proof.written")
    failpoint("proof.committed")
    return True


def _waiting(invoice: Invoice, wanted: datetime) -> CollectRequest | None:
    """The collect that was told to have the code shown, if that can still be meant."""
    collect = collect_last_held(invoice)
    if collect is None or collect.decline_code != Reason.NO_CREDENTIAL:
        return None
    late = clock.now() >= wanted + timedelta(seconds=policy().show_code_s)
    fits = collect.status == CollectStatus.ACTION_REQUIRED and collect.method in GO_ON
    return collect if fits and not late else None
