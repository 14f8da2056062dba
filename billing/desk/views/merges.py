"""Two records of one person at the window: compare, propose, decide, part again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.desk.doors import (
    actor_of,
    line,
    looked_up,
    rights_of,
    shown,
    staff_of,
    staff_page,
    whole,
)
from billing.desk.faces import Face, face_of
from core.errors import BadInput, NotFound, Refusal
from core.review import ReviewStatus
from patients.models import Patient, PatientMerge
from patients.selectors.merges import merge_counts, merge_refusal
from patients.services.merges import (
    patient_merge_decide,
    patient_merge_propose,
    patient_merge_undo,
)

VIEW_MERGE = "patients.view_patientmerge"
PROPOSE_MERGE = "patients.propose_patientmerge"
DECIDE_MERGE = "patients.decide_patientmerge"
SHOWN_MAX = 50


@require_http_methods(["GET"])
@staff_page(VIEW_MERGE)
def merges(request: HttpRequest) -> HttpResponse:
    """What waits, oldest first, then what was decided, latest first."""
    rows = PatientMerge.objects.select_related("kept", "merged")
    context = {
        "title": _("Joined records"),
        "waiting": rows.filter(status=ReviewStatus.OPEN).order_by("pk")[:SHOWN_MAX],
        "decided": rows.exclude(status=ReviewStatus.OPEN).order_by("-pk")[:SHOWN_MAX],
        "may_propose": staff_of(request).has_perm(PROPOSE_MERGE),
    }
    return shown(request, "billing/desk/merges.html", context)


@require_http_methods(["GET", "POST"])
@staff_page(PROPOSE_MERGE)
def merge_new(request: HttpRequest) -> HttpResponse:
    """Name two records, look at both with what would move, then propose."""
    kept_id, merged_id = whole(request, "kept"), whole(request, "merged")
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            merge = patient_merge_propose(
                kept_id=kept_id,
                merged_id=merged_id,
                reason=line(request, "reason"),
                by=actor_of(request),
            )
        except Refusal as found:
            refusal = found
        else:
            messages.success(request, _("Proposed. Somebody else decides."))
            return HttpResponseRedirect(reverse("desk_merge", args=[merge.pk]), status=303)
    context: dict[str, object] = {"title": _("Join two records"), "refusal": refusal}
    if kept_id and merged_id:
        context |= _compared(request, kept_id, merged_id)
    context |= {"kept_id": kept_id or "", "merged_id": merged_id or ""}
    status = refusal.status if refusal else 200
    return shown(request, "billing/desk/merge_new.html", context, status)


@require_http_methods(["GET", "POST"])
@staff_page(VIEW_MERGE)
def merge_show(request: HttpRequest, merge_id: int) -> HttpResponse:
    """One case: both records, what moves or moved, and the two buttons."""
    merge = PatientMerge.objects.filter(pk=merge_id).first()
    if merge is None:
        raise NotFound("merge_unknown", _("There is no such case."))
    may, refusal = staff_of(request).has_perm(DECIDE_MERGE), None
    if request.method == "POST" and may:
        try:
            _decided(request, merge)
        except Refusal as found:
            refusal = found
        else:
            messages.success(request, _("Recorded."))
            return HttpResponseRedirect(reverse("desk_merge", args=[merge_id]), status=303)
    context = {
        "title": _("Join two records"),
        "merge": merge,
        "open": merge.status == ReviewStatus.OPEN,
        "joined": merge.status == ReviewStatus.APPROVED and merge.undone_at is None,
        "may": may,
        "maker": actor_of(request).key == merge.opened_by,
        "checker": actor_of(request).key == merge.decided_by,
        "refusal": refusal,
        **_compared(request, merge.kept_id, merge.merged_id),
    }
    if merge.moved:
        context["counts"] = merge_counts({key: len(ids) for key, ids in merge.moved.items()})
    return shown(request, "billing/desk/merge.html", context, refusal.status if refusal else 200)


def _decided(request: HttpRequest, merge: PatientMerge) -> None:
    verdict, words, by = request.POST.get("verdict"), line(request, "comment"), actor_of(request)
    if verdict == "part":
        patient_merge_undo(merge_id=merge.pk, by=by, reason=words)
    elif verdict in {"approve", "reject"}:
        agreed = verdict == "approve"
        patient_merge_decide(merge_id=merge.pk, agreed=agreed, by=by, comment=words)
    else:
        raise BadInput("no_verdict", _("Choose one of the two buttons."))


def _compared(request: HttpRequest, kept_id: int, merged_id: int) -> dict[str, object]:
    """Both faces, masked as everywhere; each look is recorded."""
    people = Patient.objects.select_related("guardian").prefetch_related("identifiers")
    rows = people.in_bulk([kept_id, merged_id])
    if kept_id not in rows or merged_id not in rows:
        raise NotFound("patient_unknown", _("There is no such record."))
    kept, merged = rows[kept_id], rows[merged_id]
    faces: list[Face] = []
    for one in (kept, merged):
        looked_up(request, one.pk, page="merge")
        faces.append(face_of(one, full_name=rights_of(request).reveal))
    doubt = merge_refusal(kept, merged)
    return {
        "faces": faces,
        "doubt": doubt[1] if doubt else "",
        "counts": merge_counts(None, kept=kept, merged=merged),
    }
