"""The frame of every page of the window: who may open it, what surrounds it, how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Forbidden, Refusal
from core.models import User
from core.staff import staff_actor
from core.web_addresses import peer_address

Page = Callable[..., HttpResponse]
SEARCH_PATIENT = "patients.search_patient"
VIEW_PATIENT = "patients.view_patient"
REVEAL_PATIENT = "patients.reveal_patient"
END_BINDING = "patients.end_binding"
VIEW_MERGE = "patients.view_patientmerge"
PROPOSE_MERGE = "patients.propose_patientmerge"
DECIDE_MERGE = "patients.decide_patientmerge"
END_AGREEMENT = "billing.end_agreement"
FILE_FILING = "insurance.file_filing"
VIEW_INVOICE = "billing.view_invoice"
COLLECT_INVOICE = "billing.collect_invoice"
RETURN_INVOICE = "billing.return_invoice"
GO_ON_UNCONFIRMED = "billing.pass_over_tender"
VIEW_REVIEW = "billing.view_billingreview"
DECIDE_REVIEW = "billing.decide_billingreview"
VIEW_PERSON_REVIEW = "patients.view_patientreview"
DECIDE_PERSON_REVIEW = "patients.change_patientreview"
VIEW_POSTING = "ledger.view_posting"
VIEW_CALL = "core.view_outboundcall"
WHOLE_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class Rights:
    """What this member of staff may do, as templates ask for it."""

    search: bool
    see: bool
    reveal: bool
    end_binding: bool
    end_agreement: bool
    propose: bool
    collect: bool
    give_back: bool
    pass_over: bool
    review: bool
    decide: bool
    books: bool
    calls: bool
    file: bool


def rights_of(request: HttpRequest) -> Rights:
    may = staff_of(request).has_perm
    return Rights(
        search=may(SEARCH_PATIENT),
        see=may(VIEW_PATIENT),
        reveal=may(REVEAL_PATIENT),
        end_binding=may(END_BINDING),
        end_agreement=may(END_AGREEMENT),
        propose=may(PROPOSE_MERGE),
        collect=may(COLLECT_INVOICE),
        give_back=may(RETURN_INVOICE),
        pass_over=may(GO_ON_UNCONFIRMED),
        review=may(VIEW_REVIEW),
        decide=may(DECIDE_REVIEW),
        books=may(VIEW_POSTING),
        calls=may(VIEW_CALL),
        file=may(FILE_FILING),
    )


def staff_page(permission: str) -> Callable[[Page], Page]:
    """A page for staff who hold a permission; a refusal of a service becomes a page as well."""

    def guard(view: Page) -> Page:
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                if not staff_of(request).has_perm(permission):
                    raise PermissionDenied
                return view(request, *args, **kwargs)
            except PermissionDenied:
                text = _("You do not hold the right for this page.")
                return refused(request, Forbidden("no_right", text))
            except Refusal as refusal:
                return refused(request, refusal)

        guarded: Page = admin.site.admin_view(page)
        return guarded

    return guard


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Why not, and the way on."""
    context = {"title": _("Not possible"), "refusal": refusal}
    return shown(request, "billing/desk/refused.html", context, status=refusal.status)


def shown(
    request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """A page in the admin's frame."""
    frame = {
        **admin.site.each_context(request),
        "is_fullwidth": "1",
        "rights": rights_of(request),
        "search_first": True,
    }
    return render(request, template, {**frame, **context}, status=status)


def staff_of(request: HttpRequest) -> User:
    """The member of staff behind a request that passed the admin's own check."""
    assert isinstance(request.user, User)
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    return staff_actor(staff_of(request))


def whole(request: HttpRequest, name: str) -> int:
    """A whole number of the address; whatever else stands there means the beginning."""
    return _whole(request.GET.get(name, ""))


def number(request: HttpRequest, name: str) -> int:
    """The number of a row, asked for by address or sent by a form; 0, which no row has, if none."""
    return _whole((request.POST if request.method == "POST" else request.GET).get(name, ""))


def _whole(text: str) -> int:
    fits = text.isascii() and text.isdigit() and len(text) <= WHOLE_DIGITS_MAX
    return int(text) if fits else 0


def line(request: HttpRequest, name: str) -> str:
    """One line a person typed; BadInput for what no keyboard types."""
    text = request.POST.get(name, "").strip()
    if not text.isprintable():
        raise BadInput("control", _("Control characters are not allowed."), name)
    return text


def looked_up(request: HttpRequest, patient_id: int, **detail: Any) -> None:
    """Somebody of the staff looked at a patient. `detail` holds kinds, never numbers."""
    record(
        by=actor_of(request),
        action="patient_lookup",
        subject="patients.patient",
        subject_id=patient_id,
        detail=detail,
        address=peer_address(request),
    )
