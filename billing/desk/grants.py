"""Who is bound to a patient, and which agreements concern them: six statements, however many.

An agreement is here when it pays for the patient, and when the patient's own account holds it.
Holders and everybody else are masked, unless the data was asked for with a reason.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.models import Agreement, AgreementPatient, AgreementStatus
from billing.selectors.agreements import LIVE, agreement_channel_word
from billing.selectors.pay_ways import holder_word
from billing.selectors.payments import agreement_use
from core import clock
from core.crypto import mask_name
from core.errors import NotFound
from core.money import format_yuan
from patients.models import Patient, PatientAccess, Relation
from patients.selectors.desk_bindings import (
    DeskBinding,
    Holder,
    bindings_of_patient,
    holders_of,
)

SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """One agreement as the window reads it; `access` is the holder's own binding that lives."""

    agreement: Agreement
    way: str | Promise
    holder: Holder
    access: PatientAccess | None
    for_whom: tuple[str, ...]
    pays_here: bool
    used_fen: int

    @property
    def single_fen(self) -> int:
        return self.agreement.single_fen

    @property
    def daily_fen(self) -> int:
        return self.agreement.daily_fen

    @property
    def live(self) -> bool:
        return self.agreement.status != AgreementStatus.ENDED

    @property
    def may_pay(self) -> bool:
        return self.access is not None and self.access.may_pay

    @property
    def asks(self) -> bool:
        """Ended here, while the channel has not confirmed it yet."""
        row = self.agreement
        return row.unsign_asked_at is not None and row.channel_ended_at is None

    @property
    def campus(self) -> str:
        """The one place whose bills it pays; empty where it pays everywhere."""
        campus = self.agreement.plan.merchant.campus
        return campus.name if campus is not None else ""

    @property
    def relation(self) -> str:
        """Who the holder is to the patient; the binding itself says the opposite."""
        if self.access is None:
            return ""
        own = self.access.relation == Relation.SELF
        return _("own") if own else str(holder_word(self.access.relation))


@dataclass(frozen=True, slots=True)
class Grants:
    bindings: tuple[DeskBinding, ...]
    agreements: tuple[AgreementLine, ...]

    @property
    def persons(self) -> list[int]:
        """Whose names a reader of the open data has seen."""
        holders = [row.holder for row in self.bindings] + [row.holder for row in self.agreements]
        return sorted({one.patient_id for one in holders} - {0})


@dataclass(frozen=True, slots=True)
class PayerRow:
    place: int
    way: str
    terms: str


def grants_of(patient: Patient, *, live_only: bool = False, open_data: bool = False) -> Grants:
    """Both lists of a patient: what lives first, then what ended."""
    bindings = bindings_of_patient(patient, live_only=live_only)
    own = [row.user_id for row in bindings if row.relation == Relation.SELF and not row.ended_at]
    agreements = _agreements(patient, own, live_only=live_only)
    users = [row.user_id for row in bindings] + [row.holder_id for row in agreements]
    holders = holders_of(users, open_data=open_data)
    return Grants(
        bindings=tuple(DeskBinding(row, holders[row.user_id]) for row in bindings),
        agreements=tuple(_lines(patient, agreements, bindings, holders)),
    )


def binding_of(grants: Grants, access_id: int) -> DeskBinding:
    """One of them by its number, or NotFound, also for somebody else's."""
    for row in grants.bindings:
        if row.access.pk == access_id:
            return row
    raise NotFound("unknown_access", _("There is no such binding here."))


def agreement_of(grants: Grants, agreement_id: int) -> AgreementLine:
    """One of them by its number, or NotFound, also for somebody else's."""
    for row in grants.agreements:
        if row.agreement.pk == agreement_id:
            return row
    raise NotFound("unknown_agreement", _("There is no such agreement."))


def payer_rows(grants: Grants, phone: str) -> list[PayerRow]:
    """Who pays, in the order the chain asks them; the phone comes last."""
    paying = [row for row in grants.agreements if row.pays_here and row.agreement.status in LIVE]
    rows = [PayerRow(place, _way(row), _terms(row)) for place, row in enumerate(paying, 1)]
    if phone:
        rows.append(PayerRow(len(rows) + 1, _("pay link on the phone"), phone))
    return rows


def _agreements(patient: Patient, own: list[int], *, live_only: bool) -> list[Agreement]:
    # A union, since an OR of the two would be answered by reading everybody's agreements.
    named = AgreementPatient.objects.filter(patient=patient).values("agreement")
    held = Agreement.objects.filter(holder__in=own).values("pk")
    rows = Agreement.objects.filter(pk__in=named.union(held))
    # A link that nobody signed never was an agreement.
    rows = rows.exclude(status=AgreementStatus.ENDED, signed_at=None)
    if live_only:
        rows = rows.exclude(status=AgreementStatus.ENDED)
    beside = ("plan__merchant__institution", "plan__merchant__campus")
    rows = rows.select_related(*beside).defer("plan__merchant__secrets")
    found = rows.order_by("-pk")[:SHOWN_MAX]
    return sorted(
        found, key=lambda row: (row.status == AgreementStatus.ENDED, row.preference, row.pk)
    )


def _lines(
    patient: Patient,
    rows: list[Agreement],
    bindings: list[PatientAccess],
    holders: dict[int, Holder],
) -> list[AgreementLine]:
    ids = [row.pk for row in rows]
    if not ids:
        return []
    used = agreement_use(ids, clock.today())
    access = {row.user_id: row for row in bindings if row.ended_at is None}
    people: dict[int, dict[int, str]] = defaultdict(dict)
    marked = AgreementPatient.objects.filter(agreement__in=ids, active=True)
    for one in marked.select_related("patient").order_by("pk"):
        people[one.agreement_id][one.patient_id] = mask_name(one.patient.name)
    return [
        AgreementLine(
            agreement=row,
            way=agreement_channel_word(row.plan.merchant.channel),
            holder=holders[row.holder_id],
            access=access.get(row.holder_id),
            for_whom=tuple(people[row.pk].values()),
            pays_here=patient.pk in people[row.pk],
            used_fen=used.get(row.pk, (0, 0))[0],
        )
        for row in rows
    ]


def _way(row: AgreementLine) -> str:
    if not row.may_pay:
        return _("%(way)s, without the right to pay now") % {"way": row.way}
    return _("%(way)s (%(holder)s)") % {"way": row.way, "holder": row.relation}


def _terms(row: AgreementLine) -> str:
    if row.agreement.status == AgreementStatus.PAUSED:
        return _("paused, nothing is deducted")
    figures = {"limit": format_yuan(row.daily_fen), "used": format_yuan(row.used_fen)}
    return _("%(limit)s a day, used %(used)s") % figures
