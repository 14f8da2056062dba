"""The history of bills: everybody the user may see, newest first, filtered by links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billing.selectors.portal_bills import STATES, Filters, bills_page
from core import clock
from core.crypto import mask_name
from core.page_mode import page_mode
from patients.doors import patient_required, the_patient
from patients.models import PatientAccess, Relation
from patients.selectors import access_of

MONTHS = 12
NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
STATE_WORDS = {
    "to_pay": _("to pay"),
    "in_progress": _("in progress"),
    "paid": _("paid"),
    "refunded": _("refunded"),
}
QUESTIONS = ("person", "month", "state")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to one of the filters; `address` is the page with it."""

    value: str
    word: object
    address: str
    current: bool


@patient_required
@require_safe
def bills(request: HttpRequest) -> HttpResponse:
    """The list; in elder mode `?ask=` shows one filter as a page of its own."""
    user = the_patient(request)
    access = access_of(user)
    wanted = filters_of(request, access)
    choices = {
        "person": people(request, access),
        "month": months(request),
        "state": states(request),
    }
    ask = request.GET.get("ask", "")
    if ask in QUESTIONS and page_mode(request.COOKIES).elder:
        question = {"ask": ask, "choices": choices[ask]}
        return render(request, "portal/bills_ask.html", question)
    page = bills_page(user, access, wanted)
    context: dict[str, object] = {
        "page": page,
        "choices": choices,
        "filtered": any(request.GET.get(name) for name in QUESTIONS),
        "older": address(request, before=str(page.older)) if page.older else "",
        "asks": {name: address(request, ask=name) for name in QUESTIONS},
        "several": len(access) > 1,
    }
    return render(request, "portal/bills.html", context)


def filters_of(request: HttpRequest, access: list[PatientAccess]) -> Filters:
    """What the address asks for; what it cannot mean is left out."""
    person = number(request.GET.get("person", ""))
    known = {row.patient_id for row in access}
    return Filters(
        person=person if person in known else None,
        month=month_of(request.GET.get("month", "")),
        state=request.GET.get("state", ""),
        before=number(request.GET.get("before", "")),
    )


def number(text: str) -> int | None:
    return int(text) if NUMBER.fullmatch(text) else None


def month_of(text: str) -> date | None:
    found = MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found else None


def address(request: HttpRequest, **changes: str) -> str:
    """This list with other filters; another filter begins at its newest bill."""
    kept = {name: request.GET.get(name, "") for name in QUESTIONS} | changes
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{request.path}?{query}" if query else request.path


def people(request: HttpRequest, access: list[PatientAccess]) -> list[Choice]:
    now = request.GET.get("person", "")
    words = {
        str(row.patient_id): _("myself")
        if row.relation == Relation.SELF
        else mask_name(row.patient.name)
        for row in access
    }
    return choices_of(request, "person", {"": _("everybody"), **words}, now)


def months(request: HttpRequest) -> list[Choice]:
    """The last twelve months, newest first."""
    today = clock.today()
    numbers = [today.year * 12 + today.month - 1 - back for back in range(MONTHS)]
    values = [f"{number // 12}-{number % 12 + 1:02}" for number in numbers]
    words = {value: date(int(value[:4]), int(value[5:]), 1) for value in values}
    return choices_of(
        request, "month", {"": _("every month"), **words}, request.GET.get("month", "")
    )


def states(request: HttpRequest) -> list[Choice]:
    words = {state: STATE_WORDS[state] for state in STATES}
    return choices_of(
        request, "state", {"": _("every state"), **words}, request.GET.get("state", "")
    )


def choices_of(request: HttpRequest, name: str, words: dict[str, object], now: str) -> list[Choice]:
    now = now if now in words else ""
    return [
        Choice(value, word, address(request, **{name: value}), value == now)
        for value, word in words.items()
    ]
