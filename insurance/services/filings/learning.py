"""What an answer about a filing means: filed, refused in the insurer's words, or not known yet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.actors import SYSTEM, Actor
from core.outcomes import Outcome
from core.review import ReviewStatus
from core.states import transition
from insurance.gateway.base import Answer
from insurance.locks import filing_lock
from insurance.models import Entitlement, Filing, FilingKind, FilingStatus, InsuranceMessage
from insurance.services.claims.waiting import look_pause
from insurance.services.filings.following import filing_followed, follow_soon
from insurance.services.filings.locks import decisions_open_lock

NOT_EXECUTED = "NOT_EXECUTED"  # the insurer knows nothing of it: it may be filed anew
BY_HAND = "BY_HAND"  # people found out that the call did nothing
TEXT_MAX, CODE_MAX, NUMBER_MAX = 500, 64, 40


def filing_learnt(*, filing_id: int, message: InsuranceMessage, answer: Answer[Any]) -> Filing:
    """What was heard of the call of `message`; a later call of the filing is left alone."""
    with transaction.atomic():
        row = filing_lock(filing_id)
        if row.status not in Filing.IN_DOUBT or row.message_id != message.pk:
            return row
        if answer.outcome is Outcome.SUCCEEDED:
            _done(row, answer)
        elif answer.outcome is Outcome.DECLINED:
            filing_back(row, answer.code, answer.message)
        elif answer.executed is False:
            filing_back(row, NOT_EXECUTED, "")
        else:
            filing_later(row, answer)
    return filing_followed(row)


def _done(row: Filing, answer: Answer[Any]) -> None:
    if row.status == FilingStatus.ENDING:
        filing_over(row)
    else:
        filing_stands(row, number=str(answer.value or ""))


def filing_stands(
    row: Filing,
    *,
    number: str = "",
    from_day: date | None = None,
    until_day: date | None = None,
    by: Actor = SYSTEM,
    reason: str = "",
) -> None:
    """A locked filing is known to stand, for the days the insurer says."""
    filing_no = number[:NUMBER_MAX] or row.filing_no
    begun, ends = from_day or row.from_day, until_day or row.until_day
    if ends < begun:
        begun, ends = row.from_day, row.until_day
    transition(
        row,
        FilingStatus.FILED,
        by=by,
        reason=reason,
        filing_no=filing_no,
        from_day=begun,
        until_day=ends,
        looks=0,
        answer_code="",
        answer_text="",
        **follow_soon(),
    )
    _asked_no_more(row)
    Entitlement.objects.update_or_create(
        patient_id=row.patient_id,
        kind=row.kind,
        insured_area=row.insured_area,
        code=row.code,
        care_area=row.care_area,
        filing_no=filing_no,
        defaults={
            "name": row.name if row.kind == FilingKind.CHRONIC else "",
            "from_day": begun,
            "until_day": ends,
            "told_at": clock.now(),
        },
    )


def filing_over(row: Filing, *, by: Actor = SYSTEM, reason: str = "") -> None:
    """A locked filing is known to stand no more."""
    written = {"answer_code": "", "answer_text": ""} | follow_soon()
    transition(row, FilingStatus.ENDED, by=by, reason=reason, **written)
    _asked_no_more(row)
    Entitlement.objects.filter(
        patient_id=row.patient_id, kind=row.kind, code=row.code, filing_no=row.filing_no
    ).delete()


def filing_not_executed(row: Filing) -> None:
    """The insurer says that the call in doubt never happened."""
    filing_back(row, NOT_EXECUTED, "")


def filing_later(row: Filing, answer: Answer[Any]) -> None:
    """Nothing is known of a locked filing: when to ask again."""
    assert row.message is not None
    age = (clock.now() - row.message.created_at).total_seconds()
    row.due_at = clock.now() + timedelta(seconds=look_pause(age, row.looks))
    row.looks += 1
    row.answer_code = answer.code[:CODE_MAX]
    row.answer_text = answer.message[:TEXT_MAX]
    row.save(update_fields=["due_at", "looks", "answer_code", "answer_text"])


def filing_back(row: Filing, code: str, text: str, *, by: Actor = SYSTEM, reason: str = "") -> None:
    """The call did nothing: not filed, or filed still."""
    ending = row.status == FilingStatus.ENDING
    transition(
        row,
        FilingStatus.FILED if ending else FilingStatus.REFUSED,
        by=by,
        reason=reason or text[:TEXT_MAX],
        due_at=None,
        looks=0,
        answer_code=code[:CODE_MAX],
        answer_text=text[:TEXT_MAX],
    )
    _asked_no_more(row)


def _asked_no_more(row: Filing) -> None:
    """Nobody has to decide any more about a locked filing whose end is known."""
    for decision in decisions_open_lock(row):
        transition(
            decision,
            ReviewStatus.WITHDRAWN,
            by=SYSTEM,
            decided_at=clock.now(),
            comment=_("The insurer's answer is known now."),
        )
