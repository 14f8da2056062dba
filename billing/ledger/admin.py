"""The books, to be read."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from billing.ledger.chart import UnknownAccount, family_of
from billing.ledger.models import ClosedDay, JournalEntry, LedgerAccount, Posting
from core.admin import ReadOnlyAdmin
from core.money import format_yuan


class PostingInline(TabularInline):  # type: ignore[misc]
    """The legs of an entry, in yuan."""

    model = Posting
    fields = ("line_no", "account", "subject", "yuan")
    readonly_fields = fields
    ordering = ("line_no",)
    extra = 0
    can_delete = False

    @admin.display(description=_("Amount"))
    def yuan(self, obj: Posting) -> str:
        return format_yuan(obj.amount_fen)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        rows: QuerySet[Posting] = super().get_queryset(request)
        return rows.select_related("account")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "reference", "event", "business_day", "posting_count")
    search_fields = ("reference__exact",)
    inlines: ClassVar = (PostingInline,)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    list_display = ("code", "title", "kind")
    ordering: ClassVar = ("code",)
    search_fields = ("code__exact",)

    @admin.display(description=_("title"))
    def title(self, obj: LedgerAccount) -> str:
        try:
            return family_of(obj.code).title
        except UnknownAccount:
            return ""


@admin.register(ClosedDay)
class ClosedDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "closed_at", "entry_count", "posting_count", "debit")

    @admin.display(description=_("debit"))
    def debit(self, obj: ClosedDay) -> str:
        return format_yuan(obj.debit_fen)
