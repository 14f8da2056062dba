"""The two forms on a filing's page: how one in doubt ended, and another person's word on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from core.actors import Actor
from core.admin_values import NONE, actor_text
from core.errors import Refusal
from core.models import User
from core.review import ReviewStatus
from core.staff import staff_actor
from core.web_addresses import peer_address
from insurance.filings import bills_hang_on
from insurance.models import Filing, FilingDecision, FilingVerdict
from insurance.services.filings import filing_doubt_decide, filing_doubt_end, filing_doubt_ready

ASK, DECIDE = "insurance.file_filing", "insurance.decide_insurancereview"
VERDICTS = {
    "approve": ReviewStatus.APPROVED,
    "reject": ReviewStatus.REJECTED,
    "withdraw": ReviewStatus.WITHDRAWN,
}
DIGITS_MAX = 18


def doubt_of(request: HttpRequest, row: Filing) -> dict[str, Any]:
    """What was said about a filing in doubt, and the form of who may go on."""
    assert isinstance(request.user, User)
    asked = list(row.decisions.order_by("pk"))
    waits = next((one for one in asked if one.status == ReviewStatus.OPEN), None)
    ready = filing_doubt_ready(row)
    return {
        "decisions": [(one, actor_text(one.opened_by), _decider(one)) for one in asked],
        "waits": waits,
        "is_own": waits is not None and waits.opened_by == staff_actor(request.user).key,
        "doubt_ready": ready,
        "doubt_young": row.status in Filing.IN_DOUBT and not ready,
        "bills_hang": ready and bills_hang_on(row),
        "verdicts": FilingVerdict.choices,
        "original_no": row.filing_no,
    }


def filing_doubt(request: HttpRequest, object_id: str) -> HttpResponse:
    """A clerk says how it ended: at once, or for another person to decide."""
    actor = _actor(request, ASK)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        waits = filing_doubt_end(
            filing_id=_whole(object_id),
            verdict=request.POST.get("verdict", ""),
            filing_no=request.POST.get("filing_no", ""),
            why=request.POST.get("why", ""),
            by=actor,
            address=peer_address(request),
        )
    except Refusal as refused:
        messages.error(request, str(refused.message))
    else:
        told = _("It is ended. The patient is told.")
        messages.success(request, _("Recorded. Another person decides.") if waits else told)
    return _to(object_id)


def filing_decide(request: HttpRequest, object_id: str) -> HttpResponse:
    """Approve or reject what somebody else said; whoever said it may withdraw it."""
    verdict = VERDICTS.get(request.POST.get("verdict", ""))
    withdraws = verdict == ReviewStatus.WITHDRAWN
    actor = _actor(request, ASK if withdraws else DECIDE)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    decision = FilingDecision.objects.filter(
        filing=_whole(object_id), pk=_whole(request.POST.get("decision", ""))
    ).first()
    if verdict is None or decision is None:
        messages.error(request, _("Choose one of the buttons."))
        return _to(object_id)
    comment = request.POST.get("comment", "").replace("\0", "")
    try:
        filing_doubt_decide(decision_id=decision.pk, to=verdict, by=actor, comment=comment)
    except Refusal as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("Decided. It is on record with your name."))
    return _to(object_id)


def _decider(one: FilingDecision) -> Any:
    return actor_text(one.decided_by) if one.decided_by else NONE


def _actor(request: HttpRequest, right: str) -> Actor:
    if not request.user.has_perm(right):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return staff_actor(request.user)


def _to(object_id: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:insurance_filing_change", args=[_whole(object_id)]))


def _whole(text: str) -> int:
    """A row's number from an address or a form; 0 is nobody's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else 0
