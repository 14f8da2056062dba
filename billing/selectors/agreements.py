"""Deduction agreements as their holder, a patient's clerk and the pages read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Mode
from billing.models import (
    Agreement,
    AgreementPatient,
    AgreementStatus,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.models.agreement import holder_agrees
from billing.models.invoice import INVOICE_TAIL
from billing.selectors.payments import agreement_use
from billing.words import WALLETS, way_text
from core import clock
from core.crypto import mask_name
from core.errors import NotFound
from core.models import User
from patients.models import PatientAccess, Relation

LIVE = (AgreementStatus.ACTIVE, AgreementStatus.PAUSED)
ENDED_SHOWN = timedelta(days=30)
PAGE_SIZE = 20
ROWS_MAX = 20


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the holder may pay for; `name` is masked, and empty for the holder's own person."""

    patient_id: int
    name: str
    relation: str
    word: str | Promise
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """An agreement as its holder reads it; `place` counts the live ones in their order."""

    agreement: Agreement
    channel: str | Promise
    institution: str
    people: tuple[Person, ...]
    used_fen: int
    used_times: int
    place: int = 0

    @property
    def single_fen(self) -> int:
        return self.agreement.single_fen

    @property
    def daily_fen(self) -> int:
        return self.agreement.daily_fen

    @property
    def state(self) -> str:
        """As its status; paused too while its holder has not agreed to today's words."""
        status = self.agreement.status
        if status == AgreementStatus.ACTIVE and not getattr(self.agreement, "is_agreed", False):
            status = AgreementStatus.PAUSED
        return str(status).lower()

    @property
    def people_words(self) -> str:
        """For whom it pays, relatives with what they are."""
        names = [
            gettext("%(name)s (%(word)s)") % {"name": one.name, "word": one.word}
            if one.name
            else str(one.word)
            for one in self.people
        ]
        return gettext("pays for %(names)s") % {"names": gettext(" and ").join(names)}

    @property
    def campus(self) -> str:
        """The one place whose bills it pays; empty where it pays everywhere."""
        campus = self.agreement.plan.merchant.campus
        return campus.name if campus is not None else ""


@dataclass(frozen=True, slots=True)
class Deduction:
    """One deduction as its payer may read it: masked name (their own in full), amount, number's
    tail."""

    pk: int
    name: str
    amount_fen: int
    number: str
    badge: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeductionsPage:
    rows: tuple[Deduction, ...]
    older: int | None


def agreement_channel_word(channel: str) -> str | Promise:
    return way_text(channel, Mode.AGREEMENT)


def agreements_of(user: User) -> list[AgreementRow]:
    """What stands, in the order of deduction, then what is being signed and what ended lately."""
    since = clock.now() - ENDED_SHOWN
    rows = _with_plan(Agreement.objects.filter(holder=user)).filter(
        ~Q(status=AgreementStatus.ENDED) | Q(ended_at__gte=since, signed_at__isnull=False)
    )
    found = sorted(rows.order_by("-pk")[:ROWS_MAX], key=_order)
    return _rows(user, found)


def agreement_row(*, user: User, agreement_id: int) -> AgreementRow:
    """One agreement of this holder; NotFound for anybody else's."""
    return _rows(user, [agreement_own(user=user, agreement_id=agreement_id)])[0]


def agreement_own(*, user: User, agreement_id: int) -> Agreement:
    """The agreement if it is this user's, or NotFound, the same as for one that never was."""
    found = _with_plan(Agreement.objects.filter(holder=user, pk=agreement_id)).first()
    if found is None:
        raise NotFound("unknown_agreement", _("There is no such agreement."))
    return found


def payable_people(user: User, chosen: Iterable[int] = ()) -> tuple[Person, ...]:
    """Whom this user may pay for, the user's own person first."""
    marked = set(chosen)
    access = PatientAccess.objects.live().filter(user=user, may_pay=True)
    rows = sorted(
        access.select_related("patient").order_by("pk"),
        key=lambda row: row.relation != Relation.SELF,
    )
    return tuple(_person(row, row.patient_id in marked) for row in rows)


def wallets_standing(user: User) -> tuple[list[str], bool]:
    """For the home page: the wallets that deduct now, else those that rest, and which it is."""
    rows = Agreement.objects.filter(holder=user, status__in=LIVE).order_by("preference", "pk")
    known = rows.annotate(is_agreed=holder_agrees())
    found = list(known.values_list("plan__merchant__channel", "status", "is_agreed"))
    active = [
        channel for channel, status, agreed in found if agreed and status == AgreementStatus.ACTIVE
    ]
    shown = active or [channel for channel, _status, _agreed in found]
    return [str(WALLETS.get(one, one)) for one in dict.fromkeys(shown)], bool(active)


def deductions_of(agreement: Agreement, *, before: int | None = None) -> DeductionsPage:
    """What was taken under an agreement, newest first; one that took nothing is not among them."""
    rows = PaymentTransaction.objects.filter(
        agreement=agreement,
        kind=TransactionKind.CAPTURE,
        status__in=PaymentTransaction.TAKEN_OR_OPEN,
    )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    given = Sum(
        "refunds__amount_fen", filter=Q(refunds__status=TransactionStatus.SUCCEEDED), default=0
    )
    rows = rows.annotate(back_fen=Coalesce(given, 0)).select_related("payment__invoice__patient")
    found = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    older = shown[-1].pk if len(found) > PAGE_SIZE else None
    own = PatientAccess.objects.own().filter(user=agreement.holder_id)
    own_id = own.values_list("patient_id", flat=True).first()
    return DeductionsPage(tuple(_deduction(row, own_id) for row in shown), older)


def _deduction(row: PaymentTransaction, own_id: int | None) -> Deduction:
    invoice, name = row.payment.invoice, ""
    if invoice is not None:
        own = invoice.patient_id == own_id
        name = invoice.patient.name if own else mask_name(invoice.patient.name)
    back_fen = int(getattr(row, "back_fen", 0))
    badge = "paid" if row.status == TransactionStatus.SUCCEEDED else "in_progress"
    if back_fen:
        badge = "refunded" if back_fen >= row.amount_fen else "part_refunded"
    return Deduction(
        pk=row.pk,
        name=name,
        amount_fen=row.amount_fen,
        number=invoice.tail if invoice else row.number[-INVOICE_TAIL:],
        badge=badge,
        at=row.occurred_at or row.created_at,
    )


def _with_plan(rows: QuerySet[Agreement]) -> QuerySet[Agreement]:
    beside = ("plan__merchant__institution", "plan__merchant__campus")
    known = rows.annotate(is_agreed=holder_agrees())
    return known.select_related(*beside).defer("plan__merchant__secrets")


def _order(row: Agreement) -> tuple[int, int, int]:
    ranks = {AgreementStatus.ACTIVE: 0, AgreementStatus.PAUSED: 0, AgreementStatus.SIGNING: 1}
    return ranks.get(AgreementStatus(row.status), 2), row.preference, row.pk


def _rows(user: User, found: list[Agreement]) -> list[AgreementRow]:
    """With whom each pays for and what it took today; three statements however many they are."""
    ids = [row.pk for row in found]
    if not ids:
        return []
    chosen: dict[int, set[int]] = {}
    marked = AgreementPatient.objects.filter(agreement__in=ids, active=True)
    for agreement_id, patient_id in marked.values_list("agreement_id", "patient_id"):
        chosen.setdefault(agreement_id, set()).add(patient_id)
    people = payable_people(user)
    used = agreement_use(ids, clock.today())
    return [
        AgreementRow(
            agreement=row,
            channel=agreement_channel_word(row.plan.merchant.channel),
            institution=row.plan.merchant.institution.name,
            people=tuple(one for one in people if one.patient_id in chosen.get(row.pk, set())),
            used_fen=used.get(row.pk, (0, 0))[0],
            used_times=used.get(row.pk, (0, 0))[1],
            place=place,
        )
        for place, row in enumerate(found, start=1)
    ]


def _person(access: PatientAccess, chosen: bool) -> Person:
    own = access.relation == Relation.SELF
    return Person(
        patient_id=access.patient_id,
        name="" if own else mask_name(access.patient.name),
        relation=access.relation,
        word=_("myself") if own else Relation(access.relation).label,
        chosen=chosen,
    )
