"""A code or face shown now: whose it is, and the insurance of the bill that it opens.

The same code pays the cash part afterwards by the ordinary way of a scanned code. A face yields an
identity and never money.
"""

from __future__ import annotations

from django.db import transaction

from billing.locks import collect_lock, invoice_lock
from billing.models import (
    CollectMethod,
    CollectRequest,
    CollectStatus,
    EventType,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
)
from billing.reasons import Reason
from billing.services.handing_back import collect_end, hand_back, his_told
from billing.services.insuring.course import Ask
from billing.services.insuring.opening import claim_begin
from core import clock
from core.actors import Actor
from core.errors import Refusal
from core.failpoints import failpoint
from core.ids import business_number
from core.outcomes import Outcome
from insurance.gateway.base import Answer
from insurance.gateway.credential import (
    Identity,
    Terminal,
    code_decode,
    face_authorise,
    face_identity,
)
from insurance.models import Institution
from insurance.selectors import institution_of
from insurance.services.credentials import credential_hold
from insurance.services.exchange import message_send
from patients.models import Encounter

# Reading leaves nothing behind, so a silence is answered by asking once more.
READ_TRIES = 2
REASONS = {"other_person": Reason.OTHER_PERSON}


class CodeRefused(Exception):
    """The code or face opens nothing; the reason is ours, the sentence for who stands there."""

    def __init__(self, reason: Reason, sentence: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.sentence = sentence


def code_read(ask: Ask) -> bool:
    """Read the code of a collect and hold the proof; True when the bill goes on from there."""
    rows = CollectRequest.objects.select_related("invoice__encounter__patient")
    collect = rows.get(pk=ask.collect_id)
    if collect.status != CollectStatus.RUNNING:
        return False
    by = Actor(collect.operator_kind, collect.operator_code, collect.operator_name)
    visit = collect.invoice.encounter
    try:
        identity = identity_read(
            visit=visit,
            method=collect.method,
            code=collect.auth_code,
            subject=f"collect:{collect.pk}",
        )
        credential_hold(encounter=visit, identity=identity, by=by)
        failpoint("code.held")
        return _opened(ask, by)
    except CodeRefused as refused:
        return _refused(ask, refused.reason, refused.sentence)
    except Refusal as refused:
        reason = REASONS.get(refused.code, Reason.LINES_REFUSED)
        return _refused(ask, reason, str(refused.message))


def identity_read(*, visit: Encounter, method: str, code: str, subject: str) -> Identity:
    """Whose code or face it is. Raises CodeRefused, NotOffered without a contract."""
    institution = institution_of(visit.campus_id)
    answer = _read(institution, _terminal(visit, method, code), method, code, subject)
    for _again in range(1, READ_TRIES):
        if answer.outcome in (Outcome.SUCCEEDED, Outcome.DECLINED):
            break
        answer = _read(institution, _terminal(visit, method, code), method, code, subject)
    if answer.outcome is Outcome.SUCCEEDED:
        return answer.known
    if answer.outcome is Outcome.DECLINED:
        raise CodeRefused(Reason.INSURANCE_CODE, str(answer.sentence))
    raise CodeRefused(Reason.INSURER_SILENT, str(answer.sentence))


def _terminal(visit: Encounter, method: str, code: str) -> Terminal:
    """At a face terminal what is given is its number."""
    number = code if method == CollectMethod.FACE else ""
    return Terminal(visit.department_code, visit.department_name, number=number)


def _read(
    institution: Institution, terminal: Terminal, method: str, code: str, subject: str
) -> Answer[Identity]:
    if method != CollectMethod.FACE:
        call = code_decode(code, terminal)
        return message_send(institution=institution, call=call, subject=subject)
    number = business_number("FA")
    seen = message_send(
        institution=institution, call=face_authorise(number, terminal), subject=subject
    )
    if seen.outcome is not Outcome.SUCCEEDED:
        return Answer(seen.outcome, seen.code, seen.message, seen.sentence)
    call = face_identity(number, seen.known, terminal)
    return message_send(institution=institution, call=call, subject=subject)


def _opened(ask: Ask, by: Actor) -> bool:
    """The proof is there: the bill has a claim from now on."""
    with transaction.atomic():
        invoice = invoice_lock(ask.invoice_id)
        collect = collect_lock(invoice)
        if collect is None or collect.pk != ask.collect_id:
            return False
        CollectRequest.objects.filter(pk=collect.pk).update(code_read_at=clock.now())
        if invoice.claim_id is None:
            claim_begin(invoice=invoice, by=by)
        InsuredCourse.objects.filter(invoice=invoice).update(busy_until=None, tries=0)
    return True


def _refused(ask: Ask, reason: Reason, sentence: str) -> bool:
    """The collect says why; the bill stays as it was, to pay."""
    with transaction.atomic():
        invoice = invoice_lock(ask.invoice_id)
        collect = collect_lock(invoice)
        InsuredCourse.objects.filter(invoice=invoice).update(
            busy_until=None, sentence=sentence[:500]
        )
        if collect is None or collect.pk != ask.collect_id:
            return False
        if invoice.status in (InvoiceStatus.COLLECTING, InvoiceStatus.PRICING):
            hand_back(invoice, collect, CollectStatus.DECLINED, reason, action=None)
        else:
            collect_end(collect, CollectStatus.DECLINED, reason)
            Invoice.objects.filter(pk=invoice.pk).update(due_at=None)
        told = {"reason": str(reason)} | ({"sentence": sentence} if sentence else {})
        his_told(invoice, EventType.DECLINED, told)
    return False
