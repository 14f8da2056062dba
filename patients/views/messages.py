"""What the hospital told this user, to read again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from patients.doors import patient_required, the_patient
from patients.selectors.messages import messages_page

NUMBER_LENGTH_MAX = 18


@patient_required
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    known = before.isascii() and before.isdigit() and len(before) <= NUMBER_LENGTH_MAX
    page = messages_page(the_patient(request), before=int(before) if known else None)
    return render(request, "portal/messages.html", {"page": page})
