"""What every page of an agreement shares: whose it is, how it says no, where it leads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from billing.selectors.agreements import AgreementRow, agreement_row
from billing.tasks import tell
from core.errors import NotFound, Refusal
from core.page_faults import faults_of
from patients.doors import patient_required, signed_in_required, the_patient

Page = Callable[[HttpRequest, AgreementRow], HttpResponse]
NUMBER_LENGTH_MAX = 18


def by_holder(page: Page) -> Callable[..., HttpResponse]:
    """Open an agreement by its number for its holder; anybody else's is no page at all."""
    return patient_required(_of_holder(page))


def by_holder_always(page: Page) -> Callable[..., HttpResponse]:
    """As `by_holder`, also for whoever took back the consent to use their data: what was signed can
    be seen, paused and ended at any time."""
    return signed_in_required(_of_holder(page))


def _of_holder(page: Page) -> Callable[..., HttpResponse]:
    """A press may end or pause it; who must hear of that hears at once."""

    @wraps(page)
    def guarded(request: HttpRequest, agreement_id: int) -> HttpResponse:
        if len(str(agreement_id)) > NUMBER_LENGTH_MAX:
            raise Http404
        try:
            row = agreement_row(user=the_patient(request), agreement_id=agreement_id)
            answer = page(request, row)
        except NotFound as unknown:
            raise Http404 from unknown
        if request.method == "POST":
            tell()
        return answer

    return guarded


def shown(
    request: HttpRequest, name: str, context: dict[str, Any], refusal: Refusal | None = None
) -> HttpResponse:
    """The page, with what was refused above its title."""
    if refusal is not None:
        context["faults"] = faults_of(refusal)
    status = refusal.status if refusal is not None else 400 if context.get("faults") else 200
    return render(request, f"billing/agreements/{name}.html", context, status=status)


def to(name: str, agreement_id: int, **query: str) -> HttpResponseRedirect:
    address = reverse(name, args=[agreement_id])
    return HttpResponseRedirect(f"{address}?{urlencode(query)}" if query else address, status=303)


def number(text: str) -> int | None:
    known = text.isascii() and text.isdigit() and len(text) <= NUMBER_LENGTH_MAX
    return int(text) if known else None
