"""2502 and 2504: a filing is taken back."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import Conflict
from core.failpoints import failpoint
from core.states import transition
from insurance.gateway.base import Call
from insurance.gateway.nhsa.filings import chronic_end, transfer_end
from insurance.locks import filing_lock
from insurance.models import Filing, FilingKind, FilingStatus
from insurance.policy import POLICY
from insurance.selectors import institution_speaking
from insurance.services.exchange import message_deliver, message_prepare
from insurance.services.filings.learning import filing_learnt


def filing_end(*, filing_id: int, by: Actor, address: str = "") -> Filing:
    """Take a filing back; ENDED, FILED still with the insurer's words, or ENDING: asked about
    until it is known. One that is being taken back is not said again. Not inside a transaction."""
    with transaction.atomic():
        row = filing_lock(filing_id)
        if row.status in (FilingStatus.ENDING, FilingStatus.ENDED):
            return row
        if row.status != FilingStatus.FILED or not row.filing_no:
            raise Conflict("not_filed", _("Only what is filed can be taken back."))
        prepared = message_prepare(
            institution=institution_speaking(row.institution_id),
            call=_call(row),
            subject=row.subject,
        )
        transition(
            row,
            FilingStatus.ENDING,
            by=by,
            message=prepared.message,
            looks=0,
            due_at=clock.now() + timedelta(seconds=POLICY.sending_s),
        )
        record(
            by=by,
            action="insurance_filing_ended",
            subject="insurance.filing",
            subject_id=row.pk,
            detail={"patient": row.patient_id, "kind": row.kind},
            address=address,
        )
    failpoint("filing.before_end")
    answer = message_deliver(prepared)
    return filing_learnt(filing_id=filing_id, message=prepared.message, answer=answer)


def _call(row: Filing) -> Call[bool]:
    end = chronic_end if row.kind == FilingKind.CHRONIC else transfer_end
    return end(row.person_no, row.filing_no, insured_area=row.insured_area)
