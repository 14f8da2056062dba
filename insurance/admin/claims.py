"""Claims and what only a person can decide about them: lists, read-only pages, and a queue."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, value_text, word_of
from core.crypto import mask_name
from core.errors import Refusal
from core.models import User
from core.money import format_yuan
from core.review import ReviewStatus
from core.staff import staff_actor
from insurance.claim_pages import (
    exchanges_table,
    fund_table,
    history_table,
    lines_table,
    reviews_table,
    split_table,
)
from insurance.models import Claim, ClaimStatus, InsuranceReason, InsuranceReview
from insurance.services.claims import Decision, claim_review_decide

DECIDE = "insurance.decide_insurancereview"
COMMENT_MAX = 500


class InDoubt(admin.SimpleListFilter):
    """Claims whose end is not known, or that a person must decide."""

    title = gettext_lazy("to be watched")
    parameter_name = "watch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("doubt", _("end not known")), ("review", _("in review"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"doubt": Claim.IN_DOUBT, "review": {ClaimStatus.REVIEW}}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(status__in=wanted)


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    """A claim shows whose it is masked; the bill's own page opens more, on record."""

    list_display = (
        "occurred_at", "person", "institution", "status", "amount", "fund", "cash",
        "settlement_no",
    )  # fmt: skip
    list_select_related = ("institution",)
    list_filter = (InDoubt, "status", "route")
    search_fields = ("settlement_no__exact", "batch_no__exact", "mdtrt_id__exact")
    fields = (
        "person", "bill", "institution", "status", "route", "amount", "covered_by", "med_type",
        "disease_code", "mdtrt_id", "batch_no", "settlement_no", "reversal_no", "splits", "payers",
        "priced_at", "valid_until", "settled_at", "reversed_at", "code", "message", "due_at",
        "questions", "exchanges", "items", "course",
    )  # fmt: skip

    def row_title(self, row: Claim) -> str:
        return f"{_('claim')} {row.settlement_no or row.batch_no}"

    @admin.display(description=gettext_lazy("Patient"))
    def person(self, obj: Any) -> str:
        return mask_name(obj.person_name or "") or NONE

    @admin.display(description=gettext_lazy("bill"))
    def bill(self, obj: Claim) -> str:
        page = reverse("desk_bill", args=[obj.invoice_ref])
        return format_html('<a href="{}">{}</a>', page, _("open the bill"))

    @admin.display(description=gettext_lazy("insured institution"))
    def institution(self, obj: Claim) -> str:
        return str(obj.institution)

    @admin.display(description=gettext_lazy("Amount"))
    def amount(self, obj: Claim) -> str:
        return format_yuan(obj.amount_fen)

    @admin.display(description=gettext_lazy("fund"))
    def fund(self, obj: Claim) -> str:
        split = obj.settled_split or obj.priced_split
        return format_yuan(split.fund_fen) if split else NONE

    @admin.display(description=gettext_lazy("cash part"))
    def cash(self, obj: Claim) -> str:
        split = obj.settled_split or obj.priced_split
        return format_yuan(split.cash_fen) if split else NONE

    @admin.display(description=gettext_lazy("coverage"))
    def covered_by(self, obj: Claim) -> str:
        row = obj.coverage
        if row is None:
            return NONE
        return f"{word_of('scheme', row.scheme)} {row.insured_area}"

    @admin.display(description=gettext_lazy("split"))
    def splits(self, obj: Claim) -> str:
        return split_table(obj)

    @admin.display(description=gettext_lazy("payers inside the fund"))
    def payers(self, obj: Claim) -> str:
        return fund_table(obj)

    @admin.display(description=gettext_lazy("reviews"))
    def questions(self, obj: Claim) -> str:
        return reviews_table(obj)

    @admin.display(description=gettext_lazy("said to the insurer"))
    def exchanges(self, obj: Claim) -> str:
        return exchanges_table(obj)

    @admin.display(description=gettext_lazy("lines"))
    def items(self, obj: Claim) -> str:
        return lines_table(obj)

    @admin.display(description=gettext_lazy("history"))
    def course(self, obj: Claim) -> str:
        return history_table(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        """Each with the one name it needs, and nothing else of the person."""
        rows: QuerySet[Claim] = super().get_queryset(request)
        return rows.select_related("institution", "coverage").annotate(
            person_name=F("patient__name")
        )


class Waiting(admin.SimpleListFilter):
    """The queue is what is open; who wants more asks for it."""

    title = gettext_lazy("state")
    parameter_name = "case"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("decided", _("decided")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        if self.value() == "decided":
            return queryset.exclude(status=ReviewStatus.OPEN)
        return queryset.filter(status=ReviewStatus.OPEN)


class ByReason(admin.SimpleListFilter):
    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.value, str(one.label)) for one in InsuranceReason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason_code=self.value()) if self.value() else queryset


@admin.register(InsuranceReview)
class InsuranceReviewAdmin(ReadOnlyAdmin):
    """The operator's queue, oldest first; a case is decided on its page, with its evidence."""

    list_display = ("opened_at", "age", "why", "claimed", "amount", "status", "decided_by")
    list_select_related = ("claim",)
    list_filter = (Waiting, ByReason)
    ordering: ClassVar = ("pk",)
    search_fields = ("claim__batch_no__exact", "claim__settlement_no__exact")
    fields = (
        "why", "summary", "figures", "status", "opened_at", "age", "claimed", "amount", "splits",
        "exchanges", "course", "decided_by", "decided_at", "comment",
    )  # fmt: skip
    change_form_outer_before_template = "insurance/review_decide.html"

    def row_title(self, row: InsuranceReview) -> str:
        return self.why(row)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, obj: InsuranceReview) -> str:
        return str(word_of("insurance_reason", obj.reason_code))

    @admin.display(description=gettext_lazy("what happened"))
    def summary(self, obj: InsuranceReview) -> str:
        return format_html("<code>{}</code>", obj.summary) if obj.summary else NONE

    @admin.display(description=gettext_lazy("figures"))
    def figures(self, obj: InsuranceReview) -> Any:
        return value_text("figures", obj.figures)

    @admin.display(description=gettext_lazy("waiting for"))
    def age(self, obj: InsuranceReview) -> str:
        return timesince(obj.opened_at, obj.decided_at or clock.now())

    @admin.display(description=gettext_lazy("claim"))
    def claimed(self, obj: InsuranceReview) -> str:
        page = reverse("admin:insurance_claim_change", args=[obj.claim_id])
        return format_html('<a href="{}">{}</a>', page, obj.claim.batch_no)

    @admin.display(description=gettext_lazy("Amount"))
    def amount(self, obj: InsuranceReview) -> str:
        return format_yuan(obj.claim.amount_fen)

    @admin.display(description=gettext_lazy("split"))
    def splits(self, obj: InsuranceReview) -> str:
        return split_table(obj.claim)

    @admin.display(description=gettext_lazy("said to the insurer"))
    def exchanges(self, obj: InsuranceReview) -> str:
        return exchanges_table(obj.claim)

    @admin.display(description=gettext_lazy("history of the claim"))
    def course(self, obj: InsuranceReview) -> str:
        return history_table(obj.claim)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InsuranceReview]:
        rows: QuerySet[InsuranceReview] = super().get_queryset(request)
        return rows.select_related("claim")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        waits = row is not None and row.status == ReviewStatus.OPEN
        context = {"case_waits": waits} | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[URLPattern]:
        door = self.admin_site.admin_view(self.decide)
        name = "insurance_insurancereview_decide"
        return [path("<path:object_id>/decide/", door, name=name), *super().get_urls()]

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One of the two buttons, with a reason; the sweeper does what was decided at once."""
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        assert isinstance(request.user, User)
        comment = request.POST.get("comment", "").replace("\0", "").strip()[:COMMENT_MAX]
        verdict = request.POST.get("verdict", "")
        back = reverse("admin:insurance_insurancereview_changelist")
        if not comment or verdict not in {one.value for one in Decision}:
            messages.error(request, _("Choose one of the two buttons and say why."))
            return HttpResponseRedirect(
                reverse("admin:insurance_insurancereview_change", args=[object_id])
            )
        try:
            claim_review_decide(
                review_id=int(object_id) if object_id.isdecimal() else 0,
                decision=Decision(verdict),
                by=staff_actor(request.user),
                comment=comment,
            )
        except Refusal as refused:
            messages.error(request, str(refused.message))
            return HttpResponseRedirect(back)
        messages.success(request, _("Decided. It is on record with your name."))
        return HttpResponseRedirect(back)
