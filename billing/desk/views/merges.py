"""Two records of one person at the window: find, compare, propose, decide, part again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing.desk.compare import case_name, compare_rows, record_name, two_patients
from billing.desk.doors import (
    DECIDE_MERGE,
    PROPOSE_MERGE,
    VIEW_MERGE,
    actor_of,
    line,
    looked_up,
    rights_of,
    shown,
    staff_of,
    staff_page,
    whole,
)
from billing.desk.faces import face_of
from billing.desk.names import names_of
from billing.desk.search import KINDS, desk_find, search_text
from billing.desk.views.patients import noted, searched
from core import clock
from core.errors import BadInput, Conflict, Forbidden, NotFound, Refusal
from core.review import ReviewStatus
from patients.models import PatientMerge
from patients.selectors.merges import merge_counts, merge_refusal
from patients.services.merges import (
    patient_merge_decide,
    patient_merge_propose,
    patient_merge_undo,
)

SHOWN_MAX = 50


@require_GET
@staff_page(VIEW_MERGE)
def merges(request: HttpRequest) -> HttpResponse:
    """What waits, oldest first, then what was decided, latest first."""
    rows = PatientMerge.objects.select_related("kept", "merged").prefetch_related(
        "kept__identifiers", "merged__identifiers"
    )
    waiting = list(rows.filter(status=ReviewStatus.OPEN).order_by("pk")[:SHOWN_MAX])
    decided = list(rows.exclude(status=ReviewStatus.OPEN).order_by("-pk")[:SHOWN_MAX])
    names = names_of(key for row in (*waiting, *decided) for key in (row.opened_by, row.decided_by))
    context = {
        "title": _("Joined records"),
        "now": clock.now(),
        "waiting": [(row, case_name(row), names[row.opened_by]) for row in waiting],
        "decided": [(row, case_name(row), names[row.decided_by]) for row in decided],
    }
    return shown(request, "billing/desk/merges.html", context)


@require_http_methods(["GET", "POST"])
@staff_page(PROPOSE_MERGE)
def merge_new(request: HttpRequest) -> HttpResponse:
    """Find the two records, look at both with what would move, then propose."""
    kept_id, merged_id = whole(request, "kept"), whole(request, "merged")
    context: dict[str, Any] = {"title": _("Join two records"), "search_first": False}
    context |= {"kept_id": kept_id, "merged_id": merged_id}
    if request.method == "POST":
        if "q" in request.POST:
            context |= _found(request, kept_id)
        else:
            answer = _proposed(request, kept_id, merged_id)
            if isinstance(answer, HttpResponse):
                return answer
            context["refusal"] = answer
    if kept_id and merged_id:
        context |= _compared(request, kept_id, merged_id)
    elif kept_id:
        context |= _first(request, kept_id)
    refusal = context.get("refusal")
    status = refusal.status if refusal else 200
    return shown(request, "billing/desk/merge_new.html", context, status)


@require_http_methods(["GET", "POST"])
@staff_page(VIEW_MERGE)
def merge_show(request: HttpRequest, merge_id: int) -> HttpResponse:
    """One case: both records, what moves or moved, and the two buttons."""
    merge = PatientMerge.objects.filter(pk=merge_id).first()
    if merge is None:
        raise NotFound("unknown_merge", _("There is no such case."))
    may, refusal = staff_of(request).has_perm(DECIDE_MERGE), None
    if request.method == "POST":
        if not may:
            raise Forbidden("no_right", _("You may look, not decide."))
        try:
            _decided(request, merge)
        except Refusal as found:
            refusal = found
        else:
            messages.success(request, _("Recorded."))
            return _to_case(merge_id)
    context = {
        "title": _("Join two records"),
        "merge": merge,
        "open": merge.status == ReviewStatus.OPEN,
        "joined": merge.status == ReviewStatus.APPROVED and merge.undone_at is None,
        "may": may,
        "maker": actor_of(request).key == merge.opened_by,
        "checker": actor_of(request).key == merge.decided_by,
        "refusal": refusal,
        "typed": request.POST.get("comment", ""),
        "search_first": False,
        **_who(merge),
        **_compared(request, merge.kept_id, merge.merged_id),
    }
    if merge.moved:
        context["counts"] = merge_counts({key: len(ids) for key, ids in merge.moved.items()})
    return shown(request, "billing/desk/merge.html", context, refusal.status if refusal else 200)


def _found(request: HttpRequest, kept_id: int) -> dict[str, Any]:
    """People by what was typed, but for the record that is chosen already; recorded as a search."""
    try:
        found = desk_find(search_text(request.POST.get("q", "")))
    except BadInput as refusal:
        return {"refusal": refusal}
    searched(request, found)
    full_name = rights_of(request).reveal
    hits = [
        (KINDS[by], face_of(row, full_name=full_name))
        for by, row in found.people
        if row.pk != kept_id
    ]
    return {"hits": hits, "looked_for": True}


def _proposed(request: HttpRequest, kept_id: int, merged_id: int) -> HttpResponse | Refusal:
    """The case's page, also for a form sent twice; or why it was not proposed."""
    try:
        merge = patient_merge_propose(
            kept_id=kept_id,
            merged_id=merged_id,
            reason=line(request, "reason"),
            by=actor_of(request),
        )
    except Conflict as refusal:
        waiting = PatientMerge.objects.filter(
            kept=kept_id, merged=merged_id, status=ReviewStatus.OPEN
        ).first()
        if waiting is None:
            return refusal
        messages.warning(request, str(refusal.message))
        return _to_case(waiting.pk)
    except Refusal as refusal:
        return refusal
    messages.success(request, _("Proposed. Somebody else decides."))
    return _to_case(merge.pk)


def _to_case(merge_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk_merge", args=[merge_id]), status=303)


def _decided(request: HttpRequest, merge: PatientMerge) -> None:
    verdict, words, by = request.POST.get("verdict"), line(request, "comment"), actor_of(request)
    if verdict == "part":
        patient_merge_undo(merge_id=merge.pk, by=by, reason=words)
    elif verdict in {"approve", "reject"}:
        agreed = verdict == "approve"
        patient_merge_decide(merge_id=merge.pk, agreed=agreed, by=by, comment=words)
    else:
        raise BadInput("no_verdict", _("Choose one of the two buttons."))


def _who(merge: PatientMerge) -> dict[str, Any]:
    names = names_of([merge.opened_by, merge.decided_by, merge.undone_by])
    return {
        "opened_by": names[merge.opened_by],
        "decided_by": names[merge.decided_by],
        "undone_by": names[merge.undone_by],
    }


def _first(request: HttpRequest, kept_id: int) -> dict[str, Any]:
    """The record that is chosen already, while the other one is looked for."""
    row = two_patients([kept_id]).get(kept_id)
    if row is None:
        raise NotFound("unknown_patient", _("There is no such record."))
    looked_up(request, row.pk, page="merge")
    return {"face": face_of(row, full_name=rights_of(request).reveal), **noted(request)}


def _compared(request: HttpRequest, kept_id: int, merged_id: int) -> dict[str, Any]:
    """Both records, masked as everywhere; each look is recorded."""
    rows = two_patients([kept_id, merged_id])
    if kept_id not in rows or merged_id not in rows:
        raise NotFound("unknown_patient", _("There is no such record."))
    kept, merged = rows[kept_id], rows[merged_id]
    for one in rows.values():
        looked_up(request, one.pk, page="merge")
    doubt = merge_refusal(kept, merged)
    return {
        "kept": kept,
        "merged": merged,
        "names": [record_name(kept), record_name(merged)],
        "rows": compare_rows(kept, merged, full_name=rights_of(request).reveal),
        "doubt": doubt[1] if doubt else "",
        "counts": merge_counts(None, kept=kept, merged=merged),
        **noted(request),
    }
