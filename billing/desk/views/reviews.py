"""The queue and its decisions: two buttons, a reason, and never by who asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing.channels.base import Mode
from billing.desk.doors import (
    DECIDE_PERSON_REVIEW,
    VIEW_PERSON_REVIEW,
    VIEW_REVIEW,
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
from billing.desk.questions import Case, age_of, case_get, people_queue, queue
from billing.models import PaymentTransaction
from billing.services.insuring.deciding import claim_review_again, claim_review_leave
from billing.services.insuring.exits import (
    claim_review_stand,
    exit_approve,
    exit_ask,
    exit_reject,
)
from billing.services.refunding.return_reviews import return_review_approve, return_review_reject
from billing.services.review_decisions import (
    refund_review_hand_out,
    refund_review_reissue,
    review_close,
    review_dismiss,
)
from billing.tasks import go_on, tell
from core.crypto import mask_name
from core.errors import BadInput, Forbidden, NotFound, Refusal
from core.money import MoneyError, fen_from_yuan, format_yuan
from core.review import ReviewStatus
from patients.models import PatientReview
from patients.services.reviews import patient_review_close

TABS = ("open", "people", "decided")
Decide = Callable[..., Any]


@require_http_methods(["GET"])
@staff_page(VIEW_REVIEW)
def reviews(request: HttpRequest) -> HttpResponse:
    """What waits, oldest first; a tab is a link of its own."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in TABS else "open"
    may_people = staff_of(request).has_perm(VIEW_PERSON_REVIEW)
    if tab == "people" and may_people:
        rows, more = people_queue(), 0
    else:
        rows, more = queue(decided=tab == "decided", after=whole(request, "after"))
    context = {"title": _("Reviews"), "tab": tab, "rows": rows, "more": more}
    return shown(request, "billing/desk/reviews.html", {**context, "may_people": may_people})


@require_http_methods(["GET", "POST"])
@staff_page(VIEW_REVIEW)
def review_show(request: HttpRequest, review_id: int) -> HttpResponse:
    """One question with its evidence; a POST decides it."""
    case = case_get(review_id)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            return _decided(request, case)
        except Refusal as refused:
            refusal = refused
            case = case_get(review_id)
    invoice = case.review.invoice
    if invoice is not None:
        looked_up(request, invoice.patient_id, page="review", by="link")
    context = {
        "title": _("Review"),
        "case": case,
        "words": _words(case),
        "face": _face(request, case),
        "maker": _is_maker(request, case),
        "may_ask": case.is_settlement and rights_of(request).give_back,
        "comment": request.POST.get("comment", ""),
        "refusal": refusal,
        "search_first": False,
    }
    status = refusal.status if refusal else 200
    return shown(request, "billing/desk/review.html", context, status=status)


def _decided(request: HttpRequest, case: Case) -> HttpResponse:
    verdict = request.POST.get("verdict", "")
    if verdict == "bears":
        return _bearing_asked(request, case)
    if not rights_of(request).decide:
        raise Forbidden("no_right", _("You do not hold the right to decide."))
    decide = _deciders(case).get(verdict)
    if decide is None:
        raise BadInput("verdict", _("Choose one of the two buttons."))
    done = decide(review_id=case.review.pk, by=actor_of(request), comment=line(request, "comment"))
    if isinstance(done, PaymentTransaction) and done.payment.mode == Mode.CASH:
        text = _("%(sum)s is booked out of your drawer. Hand it out now; the patient signs.")
        messages.success(request, text % {"sum": format_yuan(done.amount_fen)})
    else:
        messages.success(request, _("Decided. Both names are on record."))
    if case.review.invoice_id is None:
        tell()
    else:
        go_on(case.review.invoice_id)
    return HttpResponseRedirect(reverse("desk_reviews"))


def _bearing_asked(request: HttpRequest, case: Case) -> HttpResponse:
    """Who gives back at the window asks that the hospital bears a part; a reviewer decides."""
    if not rights_of(request).give_back or not case.is_settlement:
        raise Forbidden("no_right", _("You do not hold the right to ask for this."))
    try:
        back_fen = fen_from_yuan(request.POST.get("back", "").strip() or "0")
    except MoneyError:
        raise BadInput("back_amount", _("Enter an amount in yuan."), "back") from None
    exit_ask(
        review_id=case.review.pk,
        back_fen=back_fen,
        by=actor_of(request),
        comment=line(request, "comment"),
    )
    messages.success(request, _("Asked for. Another person decides."))
    return HttpResponseRedirect(reverse("desk_reviews"))


def _deciders(case: Case) -> dict[str, Decide]:
    if case.is_return:
        return {"approve": return_review_approve, "reject": return_review_reject}
    if case.is_declined_refund:
        return {"approve": refund_review_reissue, "reject": refund_review_hand_out}
    if case.is_asked_to_bear:
        return {"approve": exit_approve, "reject": exit_reject}
    if case.is_settlement:
        leave = claim_review_stand if case.is_unpaid else claim_review_leave
        return {"approve": claim_review_again, "reject": leave}
    return {"approve": review_close, "reject": review_dismiss}


def _words(case: Case) -> dict[str, str | Promise]:
    """What the two buttons say and what follows from them."""
    if case.is_return:
        return {
            "approve": gettext_lazy("Approve the return"),
            "reject": gettext_lazy("Send it back"),
            "then": gettext_lazy("Once approved the money leaves; this cannot be taken back."),
        }
    if case.is_declined_refund:
        return {
            "approve": gettext_lazy("Send again under a new number"),
            "reject": gettext_lazy("Hand it out in cash"),
            "then": gettext_lazy(
                "The channel is asked first. Cash leaves your own drawer, and the patient signs."
            ),
        }
    if case.is_asked_to_bear:
        return {
            "approve": gettext_lazy("The hospital bears it"),
            "reject": gettext_lazy("Send it back"),
            "then": gettext_lazy(
                "Once approved the amount goes back and the bill ends; the rest is the hospital's."
            ),
        }
    if case.is_settlement and case.is_unpaid:
        return {
            "approve": gettext_lazy("Ask the insurer again"),
            "reject": gettext_lazy("Let it stand, the patient pays the rest"),
            "then": gettext_lazy("Nobody is charged by itself: the bill waits to be paid."),
        }
    if case.is_settlement:
        return {
            "approve": gettext_lazy("Ask the insurer again"),
            "reject": gettext_lazy("Leave the settlement as it is"),
            "then": gettext_lazy(
                "Nobody is charged more by asking again. Left as it is, the return is given up."
            ),
        }
    return {
        "approve": gettext_lazy("Settled by hand"),
        "reject": gettext_lazy("Nothing to be done"),
        "then": gettext_lazy("No money moves by this. Say what was done."),
    }


def _face(request: HttpRequest, case: Case) -> Face | None:
    invoice = case.review.invoice
    if invoice is None:
        return None
    return face_of(invoice.patient, full_name=rights_of(request).reveal)


def _is_maker(request: HttpRequest, case: Case) -> bool:
    """Whoever asked never decides; the services and the database say so again."""
    me, returned = actor_of(request), case.review.invoice_return
    codes = [returned.operator_code] if returned is not None else []
    if returned is not None and case.is_return:
        codes.append(returned.approver_code)
    return me.key == case.review.opened_by or me.code in codes


@require_http_methods(["GET", "POST"])
@staff_page(VIEW_PERSON_REVIEW)
def person_review_show(request: HttpRequest, review_id: int) -> HttpResponse:
    """Two records of perhaps one person, side by side, or one and another name told for it.

    Nothing is merged here.
    """
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            return _person_decided(request, review_id)
        except Refusal as refused:
            refusal = refused
    row = _person_review(review_id)
    full_name = rights_of(request).reveal
    people = list({one.pk: one for one in (row.patient, row.other)}.values())
    for patient in people:
        looked_up(request, patient.pk, page="person_review", by="link")
    context = {
        "title": _("Review"),
        "review": row,
        "age": age_of(row.opened_at)[0],
        "faces": [face_of(one, full_name=full_name) for one in people],
        "told_name": row.told_name if full_name else mask_name(row.told_name),
        "open": row.status == ReviewStatus.OPEN,
        "may_decide": staff_of(request).has_perm(DECIDE_PERSON_REVIEW),
        "comment": request.POST.get("comment", ""),
        "refusal": refusal,
        "search_first": False,
    }
    status = refusal.status if refusal else 200
    return shown(request, "billing/desk/person_review.html", context, status=status)


def _person_review(review_id: int) -> PatientReview:
    rows = PatientReview.objects.select_related("patient__guardian", "other__guardian")
    rows = rows.prefetch_related("patient__identifiers", "other__identifiers")
    found = rows.filter(pk=review_id).first()
    if found is None:
        raise NotFound("unknown_review", _("There is no such case."))
    return found


def _person_decided(request: HttpRequest, review_id: int) -> HttpResponse:
    if not staff_of(request).has_perm(DECIDE_PERSON_REVIEW):
        raise Forbidden("no_right", _("You do not hold the right to decide."))
    verdict = request.POST.get("verdict", "")
    if verdict not in ("approve", "reject"):
        raise BadInput("verdict", _("Choose one of the two buttons."))
    patient_review_close(
        review_id=review_id,
        settled=verdict == "approve",
        by=actor_of(request),
        comment=line(request, "comment"),
    )
    messages.success(request, _("Decided. Both names are on record."))
    return HttpResponseRedirect(f"{reverse('desk_reviews')}?tab=people")
