"""Filings and entitlements: lists that staff read. Filing itself is done at the window's page; a
filing whose end the insurer does not say is ended on its own page here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, actor_text, word_of
from core.crypto import mask_name
from core.review import ReviewStatus
from insurance.admin.filing_doubts import doubt_of, filing_decide, filing_doubt
from insurance.areas import area_name
from insurance.claim_pages import messages_table
from insurance.filings import what_of
from insurance.models import Entitlement, Filing
from insurance.services.filings.answers import filing_sentence


class NotKnown(admin.SimpleListFilter):
    """Filings whose end is not known."""

    title = gettext_lazy("to be watched")
    parameter_name = "watch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("doubt", _("end not known")), ("waits", _("waits for a decision"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "waits":
            return queryset.filter(decisions__status=ReviewStatus.OPEN)
        return queryset.filter(status__in=Filing.IN_DOUBT) if self.value() else queryset


class OfPatient(ReadOnlyAdmin):
    """Whose a row is, masked; the person's own page opens more, on record."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = rows.annotate(person_name=F("patient__name"))
        return named

    @admin.display(description=gettext_lazy("Patient"))
    def person(self, obj: Any) -> str:
        page = reverse("desk_insurance", args=[obj.patient_id])
        return format_html('<a href="{}">{}</a>', page, mask_name(obj.person_name or "") or NONE)

    @admin.display(description=gettext_lazy("insured place"))
    def home(self, obj: Any) -> str:
        return area_name(obj.insured_area)

    @admin.display(description=gettext_lazy("place of care"))
    def here(self, obj: Any) -> str:
        return area_name(obj.care_area) if obj.care_area else NONE


@admin.register(Filing)
class FilingAdmin(OfPatient):
    list_display = (
        "created_at", "kind", "what", "status", "home", "until_day", "filing_no",
    )  # fmt: skip
    list_filter = (NotKnown, "status", "kind")
    search_fields = ("filing_no__exact",)
    ordering: ClassVar = ("-pk",)
    change_form_outer_before_template = "insurance/filing_decide.html"
    fields = (
        "person", "kind", "what", "status", "scheme_word", "home", "here", "from_day", "until_day",
        "filing_no", "sentence", "promised_at", "asker", "due_at", "looks", "exchanges",
    )  # fmt: skip

    def row_title(self, row: Filing) -> str:
        return f"{row.get_kind_display()} {row.filing_no}".strip()

    @admin.display(description=gettext_lazy("way or disease"))
    def what(self, obj: Filing) -> str:
        return str(what_of(obj))

    @admin.display(description=gettext_lazy("scheme"))
    def scheme_word(self, obj: Filing) -> str:
        return str(word_of("scheme", obj.scheme))

    @admin.display(description=gettext_lazy("what the insurer said"))
    def sentence(self, obj: Filing) -> str:
        return str(filing_sentence(obj)) or obj.answer_text or NONE

    @admin.display(description=gettext_lazy("asked by"))
    def asker(self, obj: Filing) -> Any:
        return actor_text(obj.asked_by)

    @admin.display(description=gettext_lazy("messages"))
    def exchanges(self, obj: Filing) -> str:
        return str(messages_table([obj.subject]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        doubt = {} if row is None else doubt_of(request, row)
        return super().change_view(request, object_id, form_url, doubt | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        door, name = self.admin_site.admin_view, "insurance_filing"
        return [
            path("<path:object_id>/doubt/", door(filing_doubt), name=f"{name}_doubt"),
            path("<path:object_id>/decide/", door(filing_decide), name=f"{name}_decide"),
            *super().get_urls(),
        ]


@admin.register(Entitlement)
class EntitlementAdmin(OfPatient):
    list_display = (
        "told_at", "kind", "code", "name", "home", "here", "until_day", "filing_no",
    )  # fmt: skip
    list_filter = ("kind",)
    search_fields = ("filing_no__exact", "code__exact")
    ordering: ClassVar = ("-pk",)
    fields = (
        "person", "kind", "code", "name", "home", "here", "from_day", "until_day", "filing_no",
        "told_at",
    )  # fmt: skip

    def row_title(self, row: Entitlement) -> str:
        return f"{row.get_kind_display()} {row.code}"
