"""The signed-in patient's pages that belong to no single app: the first one, the code at a
tag with the bill that waits, help and settings."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billing.selectors.agreements import wallets_standing
from billing.selectors.portal_bills import BillRow, bills_open, bills_recent
from billing.selectors.ratings import rating_asked
from core import clock
from core.models import User
from insurance.wallet import wallet_offered
from patients.doors import patient_of, patient_required, the_patient
from patients.models import PatientAccess, Relation
from patients.selectors import access_of
from patients.views import tags
from patients.views.card import card_page

# Surnames of two characters that are common enough to be taken for a given name otherwise.
LONG_SURNAMES = frozenset(("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "公孙", "慕容", "令狐"))
DAY_PARTS: tuple[tuple[int, Promise], ...] = (
    (5, _("good night")),
    (9, _("good morning")),
    (12, _("good day")),
    (18, _("good afternoon")),
    (24, _("good evening")),
)


@dataclass(frozen=True, slots=True)
class Home:
    """What waits for this reader: one bill, what runs, what was; others are counted, not listed."""

    name: str
    greeting: Promise
    pending: BillRow | None
    pending_count: int
    running: tuple[BillRow, ...]
    recent: tuple[BillRow, ...]
    family_count: int
    bound: bool
    rating: tuple[int, str] | None
    wallets: list[str]
    deducting: bool


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Staff go to their side; everybody else sees their own, or signs in first."""
    if isinstance(request.user, User) and request.user.is_staff:
        return HttpResponseRedirect("/admin/")
    return own_home(request)


@patient_required
def own_home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html", {"home": home_of(the_patient(request))})


def home_of(user: User) -> Home:
    """Everything of the first page, in a constant number of statements."""
    access = access_of(user)
    waiting = bills_open(user, access) if access else []
    payable = {row.patient_id for row in access if row.may_pay}
    wallets, deducting = wallets_standing(user)
    to_pay = [row for row in waiting if row.badge == "to_pay" and row.patient_id in payable]
    return Home(
        name=own_name(access),
        greeting=greeting(),
        pending=to_pay[0] if to_pay else None,
        pending_count=len(to_pay),
        running=tuple(row for row in waiting if row.badge == "in_progress")[:2],
        recent=tuple(bills_recent(user, access)) if access else (),
        family_count=sum(row.relation != Relation.SELF for row in access),
        bound=bool(access),
        rating=rating_asked(access) if access else None,
        wallets=wallets,
        deducting=deducting,
    )


@patient_required
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    return card_page(request, the_patient(request), None, _insurance_of)


def _insurance_of(_user: User, _person: PatientAccess) -> dict[str, object]:
    return {"insurance_code": wallet_offered()}


@require_safe
def tag(request: HttpRequest, code: str) -> HttpResponse:
    """The code at once, and the bill of that person that waits, if there is one."""
    return tags.tag(request, code, _waiting_of)


def _waiting_of(user: User, person: PatientAccess) -> dict[str, object]:
    if not person.may_pay:
        return {}
    rows = [row for row in bills_open(user, [person]) if row.badge == "to_pay"]
    return {"waiting": rows, "waiting_fen": sum(row.cash_fen for row in rows)}


def own_name(access: list[PatientAccess]) -> str:
    """The given name of the user's own person, as one is greeted; never the whole name."""
    own = next((row for row in access if row.relation == Relation.SELF), None)
    if own is None:
        return ""
    name = own.patient.name.strip()
    return name[2:] if name[:2] in LONG_SURNAMES else name[1:]


def greeting() -> Promise:
    hour = clock.now().astimezone(clock.ZONE).hour
    return next(words for until, words in DAY_PARTS if hour < until)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Open to everybody: how to pay without a phone, and whom to call."""
    return render(request, "portal/help.html", {"signed_in": patient_of(request) is not None})


@patient_required
@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """The size of the letters, and the ways to what was allowed and signed."""
    return render(request, "portal/settings.html")
