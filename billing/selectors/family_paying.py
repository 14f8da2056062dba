"""Who pays for whom by an agreement: the limit, and what went today. Never what went for others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Sum
from django.utils.functional import Promise

from billing.models import (
    Agreement,
    AgreementPatient,
    AgreementStatus,
    PaymentTransaction,
    TransactionKind,
)
from billing.selectors.agreements import LIVE, agreement_channel_word, agreements_of
from core import clock
from core.models import User

Pair = tuple[int, int]  # the payer's user, the person paid for


@dataclass(frozen=True, slots=True)
class PaysBy:
    """One agreement by which somebody is paid for, as far as both of them may know it."""

    agreement_id: int
    channel: str | Promise
    single_fen: int
    daily_fen: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Paying:
    """`used_fen` is what these agreements took today for this one person."""

    ways: tuple[PaysBy, ...] = ()
    used_fen: int = 0

    @property
    def deducting(self) -> bool:
        return any(not one.paused for one in self.ways)


def family_paying(pairs: Collection[Pair]) -> dict[Pair, Paying]:
    """For each pair what stands signed between the two; two statements however many they are."""
    marks = AgreementPatient.objects.filter(
        active=True,
        agreement__status__in=LIVE,
        agreement__holder__in={holder for holder, _person in pairs},
        patient__in={person for _holder, person in pairs},
    )
    rows = marks.select_related("agreement__plan__merchant")
    rows = rows.defer("agreement__plan__merchant__secrets")
    ways: dict[Pair, list[PaysBy]] = {}
    for row in rows.order_by("agreement__preference", "agreement"):
        pair = (row.agreement.holder_id, row.patient_id)
        if pair in pairs:
            ways.setdefault(pair, []).append(_pays_by(row.agreement))
    used = _used_today({one.agreement_id for found in ways.values() for one in found})
    return {pair: Paying(tuple(ways.get(pair, ())), used.get(pair, 0)) for pair in pairs}


def agreement_for(user: User, patient_id: int) -> tuple[int, set[int]] | None:
    """The agreement that shall pay for this person from now on, with those it pays for already:
    the one that did before, else the first in the payer's order; None where nothing is signed."""
    rows = [row for row in agreements_of(user) if row.agreement.status in LIVE]
    marks = AgreementPatient.objects.filter(
        agreement__in=[row.agreement.pk for row in rows], patient=patient_id
    )
    before = set(marks.values_list("agreement_id", flat=True)) if rows else set()
    rows.sort(key=lambda row: row.agreement.pk not in before)
    if not rows:
        return None
    return rows[0].agreement.pk, {one.patient_id for one in rows[0].people}


def _pays_by(agreement: Agreement) -> PaysBy:
    return PaysBy(
        agreement_id=agreement.pk,
        channel=agreement_channel_word(agreement.plan.merchant.channel),
        single_fen=agreement.single_fen,
        daily_fen=agreement.daily_fen,
        paused=agreement.status == AgreementStatus.PAUSED,
    )


def _used_today(agreement_ids: set[int]) -> dict[Pair, int]:
    """Counted as the limit counts: with what is not yet final."""
    if not agreement_ids:
        return {}
    rows = PaymentTransaction.objects.filter(
        agreement__in=agreement_ids,
        business_day=clock.today(),
        kind=TransactionKind.CAPTURE,
        status__in=PaymentTransaction.TAKEN_OR_OPEN,
    )
    between = rows.values_list("agreement__holder", "payment__invoice__patient")
    return {
        (holder, person): fen for holder, person, fen in between.annotate(fen=Sum("amount_fen"))
    }
