"""What the insurer's side shows to staff: configuration, codes, and what was said to it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, row_value, word_of, words_add
from core.admin_words import columns_add
from insurance.admin_words import (
    COLUMN_WORDS,
    GATEWAY_WORDS,
    MED_TYPE_WORDS,
    OPERATION_WORDS,
    OUTCOME_WORDS,
    SCHEME_WORDS,
)
from insurance.gateway.base import Operation
from insurance.models import (
    Institution,
    InsuranceMessage,
    InsuranceReason,
    InsuranceRegion,
    ItemLevel,
)

columns_add(COLUMN_WORDS)
words_add("gateway", GATEWAY_WORDS)
# "reverse" is an operation of the payment channels as well; the calls to the outside name theirs.
words_add("operation", {
    code: word for code, word in OPERATION_WORDS.items() if code != Operation.REVERSE
})  # fmt: skip
words_add("action", {
    "items_imported": pgettext_lazy("action", "items imported"),
    "family_account_linked": pgettext_lazy("action", "family account linked"),
    "family_account_ended": pgettext_lazy("action", "family account ended"),
    "insurance_filing_asked": pgettext_lazy("action", "filed at the insurer"),
    "insurance_filing_doubt": pgettext_lazy("action", "end of a filing in doubt said"),
    "insurance_filing_ended": pgettext_lazy("action", "filing taken back"),
})  # fmt: skip
words_add("right", {
    "import_items": pgettext_lazy("right", "import the hospital's items"),
    "file_filing": pgettext_lazy("right", "file at the insurer for a patient"),
    "decide_insurancereview": pgettext_lazy("right", "decide insurance reviews"),
})  # fmt: skip
# Billing's reviews have reasons of their own under the same codes.
words_add("insurance_reason", {one.value: one.label for one in InsuranceReason})
words_add("item_level", {one.value: one.label for one in ItemLevel})
words_add("scheme", SCHEME_WORDS)
words_add("med_type", MED_TYPE_WORDS)
words_add("heard", OUTCOME_WORDS)


@admin.register(InsuranceRegion)
class InsuranceRegionAdmin(ReadOnlyAdmin):
    list_display = ("area", "name", "style", "active")
    exclude: ClassVar = ("secrets",)
    search_fields = ("area__exact", "name")


@admin.register(Institution)
class InstitutionAdmin(ReadOnlyAdmin):
    list_display = ("name", "campus", "code", "region", "active")
    list_select_related = ("campus", "region")
    search_fields = ("campus__institution_code__exact", "name")

    @admin.display(description=_("code at the insurer"))
    def code(self, obj: Institution) -> str:
        return obj.campus.institution_code or NONE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Institution]:
        rows: QuerySet[Institution] = super().get_queryset(request)
        return rows.select_related("campus", "region").defer("region__secrets")


class ByGateway(admin.SimpleListFilter):
    """Messages of one platform, named without asking the table which there are."""

    title = _("platform")
    parameter_name = "gateway"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, str(word)) for code, word in GATEWAY_WORDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(gateway=self.value()) if self.value() else queryset


@admin.register(InsuranceMessage)
class InsuranceMessageAdmin(ReadOnlyAdmin):
    """What was said, by number; its content is not kept."""

    list_display = ("created_at", "operation", "code", "message_no", "institution", "learnt")
    list_select_related = ("institution",)
    list_filter = (ByGateway,)
    search_fields = ("message_no__exact", "subject__exact")

    def row_title(self, row: InsuranceMessage) -> str:
        return f"{OPERATION_WORDS.get(row.operation, row.operation)} {row.message_no}"

    @admin.display(description=_("operation"))
    def operation(self, obj: InsuranceMessage) -> str:
        return str(OPERATION_WORDS.get(obj.operation, obj.operation))

    @admin.display(description=_("insured institution"))
    def institution(self, obj: InsuranceMessage) -> str:
        return str(obj.institution)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InsuranceMessage]:
        rows: QuerySet[InsuranceMessage] = super().get_queryset(request)
        return rows.prefetch_related("replies")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), "replies"]

    @admin.display(description=_("what was learnt"))
    def learnt(self, obj: InsuranceMessage) -> str:
        """The last reply; none at all is the case that a person must see."""
        found = list(obj.replies.all())
        return str(word_of("heard", found[-1].outcome)) if found else str(_("no answer yet"))

    @admin.display(description=_("replies of the insurer"))
    def replies(self, obj: InsuranceMessage) -> str:
        return format_html_join("", "<div>{} {} <code>{}</code> {} <code>{}</code></div>", (
            (row_value(row, "created_at"), word_of("heard", row.outcome), row.code, row.text,
             row.platform_no)
            for row in obj.replies.order_by("pk")
        )) or NONE  # fmt: skip
