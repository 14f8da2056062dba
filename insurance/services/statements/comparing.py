"""3201 for every group of a day; a group that differs is looked at row by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from core import clock
from core.actors import SYSTEM
from core.errors import Conflict
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.identities import Totals
from insurance.gateway.nhsa.statements import Group, Verdict, fund_said_fen, totals_compare
from insurance.gateway.visit_values import Scheme
from insurance.locks import statement_lock
from insurance.models import (
    Institution,
    InsurerStatement,
    StatementDifference,
    StatementStatus,
)
from insurance.selectors import institution_speaking, region_profile, site_of
from insurance.services.claims.asking import place_ask
from insurance.services.sessions import session_open
from insurance.services.statements.detailing import details_settle
from insurance.services.statements.sums import begun_on, sums_write

# A day is asked about again for a week: what was lost is found late, and corrected late.
DAYS_BACK = 7
TEXT_MAX = 500
UNFINISHED = (StatementStatus.PENDING, StatementStatus.DIFFERENT)


@dataclass(frozen=True, slots=True)
class DayReport:
    """What became of a day's groups; `silent` ones are asked about again."""

    even: int = 0
    different: int = 0
    silent: int = 0


def days_due(place: Institution) -> list[date]:
    """Past days that were never compared, whose answer is missing, or that differed until today."""
    begun, today = begun_on(place), clock.today()
    if begun is None:
        return []
    known: dict[date, list[InsurerStatement]] = {}
    rows = InsurerStatement.objects.filter(
        institution=place, day__gte=today - timedelta(days=DAYS_BACK), day__lt=today
    )
    for row in rows:
        known.setdefault(row.day, []).append(row)
    days = [today - timedelta(days=back) for back in range(DAYS_BACK, 0, -1)]
    return [day for day in days if day >= begun and _due(known.get(day, []))]


def _due(rows: list[InsurerStatement]) -> bool:
    start = clock.day_bounds(clock.today())[0]
    return not rows or any(
        row.status in UNFINISHED
        or (
            row.status == StatementStatus.DETAILED
            and (row.compared_at is None or row.compared_at < start)
        )
        for row in rows
    )


def day_compare(*, institution_id: int, day: date) -> DayReport:
    """Count the day, ask about each of its groups, and list what differs. Safe to call at any time,
    twice and again; not inside a transaction."""
    place = _signed_in(institution_speaking(institution_id))
    with transaction.atomic():
        sums_write(place, day)
    rows = list(InsurerStatement.objects.filter(institution=place, day=day).order_by("pk"))
    told = [_group_compare(place, row) for row in rows]
    kinds = {
        (row.clearing_kind, row.office)
        for row, verdict in zip(rows, told, strict=True)
        if verdict not in (None, Verdict.EVEN)
    }
    for kind, office in sorted(kinds):
        details_settle(place=place, day=day, kind=kind, office=office)
    even, silent = told.count(Verdict.EVEN), told.count(None)
    return DayReport(even, len(told) - even - silent, silent)


def _signed_in(place: Institution) -> Institution:
    """A platform that gives no number takes messages without one."""
    if site_of(place).sign_no:
        return place
    try:
        session_open(institution=place)
    except Conflict:
        return place
    return institution_speaking(place.pk)


def _group_compare(place: Institution, row: InsurerStatement) -> Verdict | None:
    """Ask about one group and keep the answer; None where there is none to keep."""
    call = totals_compare(
        Group(Scheme(row.scheme), row.clearing_kind, row.office, row.day, row.day),
        totals_said(place, [row]),
    )
    answer = place_ask(place, call, row.subject)
    if answer.outcome is not Outcome.SUCCEEDED:
        return None
    verdict = answer.known.verdict
    even = verdict is Verdict.EVEN
    now = clock.now()
    with transaction.atomic():
        locked = statement_lock(row.pk)
        transition(
            locked,
            StatementStatus.EVEN if even else StatementStatus.DIFFERENT,
            by=SYSTEM,
            verdict=verdict.value,
            text=answer.known.text[:TEXT_MAX],
            compared_at=now,
        )
        if even:
            StatementDifference.objects.filter(statement=locked, gone_at=None).update(gone_at=now)
    return verdict


def totals_said(place: Institution, rows: list[InsurerStatement]) -> Totals:
    """Our sums as this region counts them."""
    profile = region_profile(place.region)
    account_fen = sum(row.ours_account_fen for row in rows)
    return Totals(
        total_fen=sum(row.ours_total_fen for row in rows),
        fund_fen=fund_said_fen(sum(row.ours_fund_fen for row in rows), account_fen, profile),
        account_fen=account_fen,
        count=sum(row.ours_count for row in rows),
    )
