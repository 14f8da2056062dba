"""After a lost answer: ask what stands (5304, 5301), and let that be the end. Nothing is resent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from core import clock
from core.failpoints import failpoint
from core.outcomes import Outcome
from insurance.gateway.base import Answer
from insurance.gateway.nhsa.filings import Away, Chronic, chronic_query, transfer_query
from insurance.locks import filing_lock, filings_lease
from insurance.models import Filing, FilingKind, FilingStatus
from insurance.policy import POLICY
from insurance.selectors import institution_speaking
from insurance.services.claims.asking import place_ask
from insurance.services.claims.waiting import still_sent
from insurance.services.entitlements import aways_keep, chronics_keep
from insurance.services.filings.following import filing_followed
from insurance.services.filings.learning import (
    filing_later,
    filing_not_executed,
    filing_over,
    filing_stands,
)


@dataclass(frozen=True, slots=True)
class _Standing:
    """A filing the insurer lists."""

    number: str
    from_day: date | None
    until_day: date | None


def filings_due(*, limit: int) -> list[int]:
    """Filings whose time to ask has come, leased to the caller."""
    return filings_lease(limit=limit, lease_s=POLICY.lease_s)


def filing_look(*, filing_id: int) -> Filing:
    """Learn what became of a call whose answer did not come.

    What stands is adopted. What is not listed once nobody can still be sending never happened: the
    filing is REFUSED and may be asked for anew, or it is ENDED. While the insurer says neither, it
    stays in doubt with a later `due_at`. A send that another process may still be making is left
    alone. One whose end is known and not followed up yet is followed up. Never inside a
    transaction.
    """
    row = Filing.objects.select_related("message", "patient").get(pk=filing_id)
    asked = row.message
    if row.status not in Filing.IN_DOUBT or asked is None:
        return filing_followed(row)
    if still_sent(asked):
        return row
    answer = _asked(row)
    failpoint("filing.after_query")
    young = (clock.now() - asked.created_at).total_seconds() < POLICY.sending_s
    with transaction.atomic():
        locked = filing_lock(filing_id)
        if locked.status not in Filing.IN_DOUBT or locked.message_id != asked.pk:
            return locked
        if answer.outcome is not Outcome.SUCCEEDED:
            filing_later(locked, answer)
            return locked
        found = _found(locked, answer.value or ())
        _ended(locked, found, answer, young=young)
    return filing_followed(locked)


def _ended(row: Filing, found: _Standing | None, answer: Answer[Any], *, young: bool) -> None:
    if row.status == FilingStatus.ASKED and found is not None:
        filing_stands(row, number=found.number, from_day=found.from_day, until_day=found.until_day)
    elif row.status == FilingStatus.ENDING and found is None:
        filing_over(row)
    elif young:
        filing_later(row, answer)  # it may arrive there yet
    else:
        filing_not_executed(row)


def _asked(row: Filing) -> Answer[Any]:
    place = institution_speaking(row.institution_id)
    if row.kind == FilingKind.CHRONIC:
        diseases = place_ask(
            place, chronic_query(row.person_no, insured_area=row.insured_area), row.subject
        )
        if diseases.outcome is Outcome.SUCCEEDED:
            chronics_keep(
                patient=row.patient, insured_area=row.insured_area, told=diseases.value or ()
            )
        return diseases
    aways = place_ask(
        place, transfer_query(row.person_no, insured_area=row.insured_area), row.subject
    )
    if aways.outcome is Outcome.SUCCEEDED:
        aways_keep(patient=row.patient, insured_area=row.insured_area, told=aways.value or ())
    return aways


def _found(row: Filing, listed: tuple[Away | Chronic, ...]) -> _Standing | None:
    """This filing among what stands: by its number, else the same thing for the same days."""
    for one in listed:
        if row.filing_no:
            same = one.serial == row.filing_no
        elif isinstance(one, Chronic):
            same = one.code == row.code and one.stands_on(row.from_day)
        else:
            same = (one.way, one.care_area) == (row.code, row.care_area) and _overlaps(one, row)
        if same:
            return _Standing(one.serial, one.from_day, one.until_day)
    return None


def _overlaps(one: Away, row: Filing) -> bool:
    begun = one.from_day is None or one.from_day <= row.until_day
    return begun and (one.until_day is None or row.from_day <= one.until_day)
