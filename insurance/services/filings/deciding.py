"""People end a filing that was sent and never answered, while the insurer's queries say nothing.

Somebody asked at the insurer's counter, or was told its number, and says so with a reason. Where a
bill of the patient hangs on it, another person decides; else it ends at once. Nothing is sent: what
really stands at the insurer is what the next price goes by, whatever was said here.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor, ActorKind
from core.audit import record
from core.crypto import mask_name
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.failpoints import failpoint
from core.review import ReviewStatus, review_decide
from insurance.filings import bills_hang_on
from insurance.locks import filing_lock
from insurance.models import Filing, FilingDecision, FilingStatus, FilingVerdict
from insurance.policy import POLICY
from insurance.services.filings.following import filing_followed
from insurance.services.filings.learning import (
    BY_HAND,
    NUMBER_MAX,
    filing_back,
    filing_over,
    filing_stands,
)
from insurance.services.filings.locks import decision_lock, decisions_open_lock
from patients.models import Patient
from patients.services.notifications import OwnMessage, notifications_queue

WHY_MAX = 500
V = FilingVerdict


def filing_doubt_ready(row: Filing) -> bool:
    """Whether the insurer was asked long enough: a doubt that is younger ends by itself."""
    if row.status not in Filing.IN_DOUBT or row.message is None:
        return False
    age_s = (clock.now() - row.message.created_at).total_seconds()
    return bool(row.looks) and age_s >= POLICY.slow_after_s


def filing_doubt_end(
    *, filing_id: int, verdict: str, filing_no: str, why: str, by: Actor, address: str = ""
) -> FilingDecision | None:
    """Say how a filing in doubt ended, and how that is known. None: it ended by this; else what
    waits for another person, because a bill hangs on it.

    Raises NotFound, BadInput (no reason, no number), Forbidden, Conflict (its end is known, the
    insurer is still asked, or somebody has said so already).
    """
    number, words = filing_no.strip(), why.strip()
    _said_check(verdict, words, by)
    if not Filing.objects.filter(pk=filing_id).exists():
        raise NotFound("unknown_filing", _("There is no such filing."))
    with transaction.atomic():
        row = filing_lock(filing_id)
        _doubt_check(row)
        number = _number(row, verdict, number)
        if decisions_open_lock(row):
            raise Conflict("decision_waits", _("Another person has to decide about it already."))
        record(
            by=by,
            action="insurance_filing_doubt",
            subject="insurance.filing",
            subject_id=row.pk,
            detail={"patient": row.patient_id, "verdict": verdict, "filing_no": number},
            address=address,
        )
        if not bills_hang_on(row):
            _ended(row, verdict, number, by, words)
        else:
            return FilingDecision.objects.create(
                filing=row,
                verdict=verdict,
                filing_no=number,
                summary=words,
                opened_by=by.key,
                opened_at=clock.now(),
            )
    filing_followed(row)
    return None


def filing_doubt_decide(
    *, decision_id: int, to: str, by: Actor, comment: str = ""
) -> FilingDecision:
    """Another person approves what was said, which ends the filing; rejects it, saying why; or who
    said it withdraws it. Raises NotFound, Forbidden for who asked, BadInput, and Conflict where
    it is decided already."""
    with transaction.atomic():
        found = decision_lock(decision_id)
        if found is None:
            raise NotFound("unknown_decision", _("There is no such question."))
        decision, row = found
        review_decide(review=decision, to=to, by=by, comment=comment)
        if to == ReviewStatus.APPROVED:
            failpoint("filing.decided")
            _ended(row, decision.verdict, decision.filing_no, by, decision.summary)
        failpoint("filing.doubt_written")
    filing_followed(row)
    return decision


def _said_check(verdict: str, why: str, by: Actor) -> None:
    if by.kind != ActorKind.STAFF:
        raise Forbidden("not_staff", _("A filing in doubt is ended by a member of staff."))
    if verdict not in V.values:
        raise BadInput("verdict", _("Choose what stands at the insurer."), "verdict")
    if not why or len(why) > WHY_MAX or not why.isprintable():
        raise BadInput("why", _("Say how you know, in at most 500 characters."), "why")


def _doubt_check(row: Filing) -> None:
    if row.status not in Filing.IN_DOUBT:
        raise Conflict("end_known", _("How this filing ended is known already."))
    if not filing_doubt_ready(row):
        raise Conflict("still_asked", _("The insurer is still asked about it. Wait a little."))


def _number(row: Filing, verdict: str, typed: str) -> str:
    """The number the filing has at the insurer; one that was known before does not change."""
    if verdict == V.NOTHING:
        return ""
    number = row.filing_no or typed
    if not number or len(number) > NUMBER_MAX or not (number.isascii() and number.isalnum()):
        raise BadInput("filing_no", _("Give the number the insurer gave it."), "filing_no")
    return number


def _ended(row: Filing, verdict: str, number: str, by: Actor, why: str) -> None:
    """The locked filing ends as people said, and the patient hears it."""
    ending = row.status == FilingStatus.ENDING
    if verdict == V.STANDS and not ending:
        filing_stands(row, number=number, by=by, reason=why)
    elif verdict == V.NOTHING and ending:
        filing_over(row, by=by, reason=why)
    else:
        filing_back(row, BY_HAND, "", by=by, reason=why)
    _tell(row)


_KINDS = {
    FilingStatus.FILED: "filing_stands",
    FilingStatus.REFUSED: "filing_not_made",
    FilingStatus.ENDED: "filing_taken_back",
}


def _tell(row: Filing) -> None:
    """Never which disease, nor why here: only that it is known now."""
    kind = _KINDS[FilingStatus(row.status)]
    name = Patient.objects.values_list("name", flat=True).get(pk=row.patient_id)
    facts = {"hospital": row.institution.campus.name, "name": mask_name(name)}
    message = OwnMessage(f"{kind}/{row.pk}/{row.message_id}", kind, facts, on_record=True)
    notifications_queue(messages=[message], patient_id=row.patient_id)
