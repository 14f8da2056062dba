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
from core.states import transition
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
from insurance.locks import claim_lock, statement_lock
from insurance.models import (
    Institution,
    InsuredVisit,
    InsurerStatement,
    StatementDifference,
    StatementStatus,
)
from insurance.selectors import region_profile
from insurance.services.claims.asking import place_ask
from insurance.services.statements.sums import OurRow, rows_of

MEMO_MAX, FILE_MAX = 200, 200
_AMOUNTS = ("total_fen", "fund_fen", "account_fen")


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
    found = _found(place, differing, ours, verdicts)
    with transaction.atomic():
        for group in differing:
            _keep(group.pk, file, [one for one in found if one.statement_id == group.pk])
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
    return {visit.pk: visit.coverage.person_no for visit in visits.select_related("coverage")}


def _found(
    place: Institution,
    differing: Sequence[InsurerStatement],
    ours: Sequence[OurRow],
    verdicts: Sequence[DetailVerdict],
) -> list[StatementDifference]:
    """The differences, each in the group of its scheme; only the insurer's go to the first."""
    by_number = {row.number: row for row in ours if row.number}
    unnumbered = [row for row in ours if not row.number]
    by_scheme = {group.scheme: group for group in differing}
    inside = region_profile(place.region).fund_includes_account
    found = []
    for said in verdicts:
        if said.verdict is Verdict.EVEN:
            continue
        own = by_number.get(said.settlement_no)
        if own is None and _numbered(said, unnumbered):
            continue
        group = by_scheme.get(own.scheme, differing[0]) if own is not None else differing[0]
        found.append(_difference(group, said, own, inside=inside))
    return found


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


def _difference(
    group: InsurerStatement, said: DetailVerdict, own: OurRow | None, *, inside: bool
) -> StatementDifference:
    theirs = {name: getattr(said, name) for name in _AMOUNTS}
    if said.verdict is Verdict.HOSPITAL_MORE:
        theirs = dict.fromkeys(_AMOUNTS)  # the row it quotes is the one we sent
    elif inside and theirs["fund_fen"] is not None:
        theirs["fund_fen"] -= theirs["account_fen"] or 0
    return StatementDifference(
        statement=group,
        kind=said.verdict.value,
        settlement_no=said.settlement_no,
        mdtrt_id=said.mdtrt_id,
        refund=said.refund,
        claim_id=own.claim_id if own is not None else None,
        memo=said.memo[:MEMO_MAX],
        found_at=clock.now(),
        **{f"ours_{name}": getattr(own, name) if own is not None else None for name in _AMOUNTS},
        **{f"theirs_{name}": fen for name, fen in theirs.items()},
    )


def _keep(group_id: int, file: FileReference, found: list[StatementDifference]) -> None:
    """What is found stands; what a later comparison finds no more is gone, and stays on record."""
    group, now = statement_lock(group_id), clock.now()
    if group.status != StatementStatus.DIFFERENT:
        return
    StatementDifference.objects.bulk_create(
        found,
        update_conflicts=True,
        unique_fields=["statement", "settlement_no"],
        update_fields=[
            "kind", "refund", "claim", "memo", "gone_at",
            *(f"{side}_{name}" for side in ("ours", "theirs") for name in _AMOUNTS),
        ],
    )  # fmt: skip
    standing = [one.settlement_no for one in found]
    StatementDifference.objects.filter(statement=group, gone_at=None).exclude(
        settlement_no__in=standing
    ).update(gone_at=now)
    transition(
        group,
        StatementStatus.DETAILED,
        by=SYSTEM,
        result_file=file.name[:FILE_MAX],
        compared_at=now,
    )
