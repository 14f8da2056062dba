"""What the hospital told this user, to read again; a message about a bill leads to the bill."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.selectors.message_bills import bills_of_messages
from patients.doors import patient_required, the_patient
from patients.selectors.messages import messages_page

NUMBER_LENGTH_MAX = 18


@patient_required
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    user, before = the_patient(request), request.GET.get("before", "")
    known = before.isascii() and before.isdigit() and len(before) <= NUMBER_LENGTH_MAX
    page = messages_page(user, before=int(before) if known else None)
    bills = bills_of_messages(user=user, keys=[row.key for row in page.rows])
    context = {
        "page": page,
        "rows": [(row, bills.get(row.key)) for row in page.rows],
    }
    return render(request, "portal/messages.html", context)
