"""Rate a visit: asked from the day after, on a page of its own, never in the way of paying."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from billing.models import Grade, Invoice, RatingTag
from billing.models.rating import BAD_TAGS, GOOD_TAGS, TEXT_LENGTH_MAX
from billing.pay_right import PayRight
from billing.selectors.portal_bills import bill_of, bill_title
from billing.selectors.ratings import rating_of
from billing.services.ratings import GRADE_MISSING, rating_give
from billing.views.pay import to
from core.errors import BadInput, NotFound, Refusal
from core.page_faults import faults_of
from core.page_mode import page_mode


@require_http_methods(["GET", "HEAD", "POST"])
def rating(request: HttpRequest, right: PayRight) -> HttpResponse:
    """The form and its thanks. Elder mode asks one thing a page: the grade, then why."""
    assert right.user is not None
    invoice, _access = bill_of(user=right.user, invoice_id=right.invoice_id, need="view")
    if invoice.status not in Invoice.PAID_ONCE:
        raise NotFound("nothing_to_rate", "")
    if request.method != "POST":
        return form(request, invoice)
    try:
        rating_give(
            invoice=invoice,
            user=right.user,
            grade=grade_of(request.POST.get("grade", "")) or 0,
            tags=request.POST.getlist("tags"),
            text=request.POST.get("text", "").replace("\0", "").strip(),
        )
    except Refusal as refusal:
        if refusal.code != "rated":
            return form(request, invoice, refusal)
    return to(reverse("bill_rating", args=[invoice.pk]))


def form(request: HttpRequest, invoice: Invoice, refusal: Refusal | None = None) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    grade = grade_of(sent.get("grade", ""))
    if refusal is None and grade is None and "asked" in request.GET:
        refusal = BadInput("grade_missing", GRADE_MISSING, "grade")
    elder = page_mode(request.COOKIES).elder
    good = grade is None or grade >= Grade.FAIR
    context = {
        "title": bill_title(invoice),
        "given": rating_of(invoice),
        "grades": Grade.choices,
        "grade": grade,
        "grade_word": Grade(grade).label if grade else "",
        "tags": [(tag.value, tag.label) for tag in tags_of(elder=elder, good=good)],
        "tags_sent": request.POST.getlist("tags"),
        "text_sent": request.POST.get("text", ""),
        "text_max": TEXT_LENGTH_MAX,
        "step": ("why" if grade else "grade") if elder else "all",
        "faults": faults_of(refusal),
    }
    status = refusal.status if refusal else 200
    return render(request, "portal/rating.html", context, status=status)


def tags_of(*, elder: bool, good: bool) -> tuple[RatingTag, ...]:
    """Once the grade is known, only what fits it; else both kinds."""
    if not elder:
        return (*GOOD_TAGS, *BAD_TAGS)
    return GOOD_TAGS if good else BAD_TAGS


def grade_of(text: str) -> int | None:
    return int(text) if text in {str(value) for value in Grade.values} else None
