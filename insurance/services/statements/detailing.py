"""3202: our rows go out in a file, the insurer's word on each comes back in one, and what the two
sides do not share is kept.

The insurer compares the rows of one kind and office whatever their scheme, so the file holds all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction

from core import clock
from core.actors import SYSTEM
from core.outcomes import Outcome
from core.states import transition_all
from insurance.gateway.base import Answer, GatewayFault
from insurance.gateway.identities import totals_of
from insurance.gateway.nhsa.statements import (
    DetailVerdict,
    FileReference,
    Group,
    StatementRow,
    Verdict,
    details_compare,
    file_download,
    file_upload,
    fund_said_fen,
    rows_pack,
    verdicts_unpack,
)
from insurance.gateway.visit_values import Scheme
from insurance.locks import claim_lock, statements_lock
from insurance.models import (
    Institution,
    InsuredVisit,
    InsurerStatement,
    StatementStatus,
)
from insurance.selectors import region_profile
from insurance.services.claims.asking import place_ask
from insurance.services.statements.matching import differences_match
from insurance.services.statements.sums import OurRow, rows_of

FILE_MAX = 200


def details_settle(*, place: Institution, day: date, kind: str, office: str) -> bool:
    """List what differs; False when the insurer did not answer, then the next run asks again."""
    groups = InsurerStatement.objects.filter(
        institution=place, day=day, clearing_kind=kind, office=office
    )
    differing = list(groups.filter(status=StatementStatus.DIFFERENT).order_by("pk"))
    if not differing:
        return False
    ours = rows_of(place, day, kind, office)
    told = _exchanged(place, differing[0], ours)
    if told is None:
        return False
    file, verdicts = told
    _keep(place, differing, file, _to_match(ours, verdicts))
    return True


def _exchanged(
    place: Institution, group: InsurerStatement, ours: Sequence[OurRow]
) -> tuple[FileReference, tuple[DetailVerdict, ...]] | None:
    """9101, 3202, 9102; None when one of them was not answered or cannot be read."""
    code, subject = place.campus.institution_code, group.subject
    name = f"{code}_{group.day:%Y%m%d}_{group.clearing_kind}_{group.office}"
    rows = _rows_said(place, ours)
    content = rows_pack(rows, name=name)
    sent = place_ask(
        place, file_upload(content, name=f"{name}.zip", institution_code=code), subject
    )
    if not _answered(sent):
        return None
    said = Group(Scheme(group.scheme), group.clearing_kind, group.office, group.day, group.day)
    asked = place_ask(
        place,
        details_compare(
            said,
            totals_of((row.total_fen, row.fund_fen, row.account_fen) for row in rows),
            cash_fen=sum(row.cash_fen for row in ours),
            file=sent.known,
        ),
        subject,
    )
    if not _answered(asked):
        return None
    result = place_ask(place, file_download(asked.known, institution_code=code), subject)
    if not _answered(result):
        return None
    try:
        return asked.known, verdicts_unpack(result.known)
    except GatewayFault:
        return None


def _answered(answer: Answer[Any]) -> bool:
    return answer.outcome is Outcome.SUCCEEDED


def _rows_said(place: Institution, ours: Sequence[OurRow]) -> list[StatementRow]:
    """A reversal that is known without its number cannot be named; it is looked for afterwards."""
    profile, persons = region_profile(place.region), _persons(ours)
    return [
        StatementRow(
            settlement_no=row.number,
            mdtrt_id=row.mdtrt_id,
            person_no=persons.get(row.visit_id, ""),
            total_fen=row.total_fen,
            fund_fen=fund_said_fen(row.fund_fen, row.account_fen, profile),
            account_fen=row.account_fen,
            refund=row.refund,
        )
        for row in ours
        if row.number
    ]


def _persons(ours: Sequence[OurRow]) -> Mapping[int | None, str]:
    visits = InsuredVisit.objects.filter(pk__in={row.visit_id for row in ours if row.visit_id})
    return dict(visits.values_list("pk", "coverage__person_no"))


def _to_match(ours: Sequence[OurRow], verdicts: Sequence[DetailVerdict]) -> Sequence[DetailVerdict]:
    """What the insurer said of rows, without those that are reversals of ours not numbered yet."""
    unnumbered = [row for row in ours if not row.number]
    if not unnumbered:
        return verdicts
    known = {row.number for row in ours}
    return [
        said
        for said in verdicts
        if said.verdict is Verdict.EVEN
        or said.settlement_no in known
        or not _numbered(said, unnumbered)
    ]


def _numbered(said: DetailVerdict, unnumbered: list[OurRow]) -> bool:
    """Whether this is a reversal of ours whose number was never told; it is, from now on."""
    for row in unnumbered:
        same = said.total_fen in (None, row.total_fen) and said.mdtrt_id == row.mdtrt_id
        if said.refund and row.refund and same:
            with transaction.atomic():
                claim = claim_lock(row.claim_id)
                claim.reversal_no = said.settlement_no
                claim.save(update_fields=["reversal_no"])
            unnumbered.remove(row)
            return True
    return False


def _keep(
    place: Institution,
    groups: Sequence[InsurerStatement],
    file: FileReference,
    said: Sequence[DetailVerdict],
) -> None:
    """The differences of all groups, in those that were not compared anew meanwhile."""
    with transaction.atomic():
        locked = statements_lock([group.pk for group in groups])
        open_ = [group for group in locked if group.status == StatementStatus.DIFFERENT]
        if not open_:
            return
        differences_match(place=place, day=groups[0].day, groups=groups, open_=open_, said=said)
        transition_all(
            open_,
            StatementStatus.DETAILED,
            by=SYSTEM,
            result_file=file.name[:FILE_MAX],
            compared_at=clock.now(),
        )
