"""The books, to be read."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import TabularInline

from billing.ledger.chart import UnknownAccount, family_of
from billing.ledger.models import ClosedDay, JournalEntry, LedgerAccount, Posting
from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, word_of
from core.money import format_yuan


class PostingInline(TabularInline):  # type: ignore[misc]
    """The legs of an entry, in yuan."""

    model = Posting
    fields = ("line", "account_title", "row", "yuan")
    readonly_fields = fields
    ordering = ("line_no",)
    extra = 0
    can_delete = False

    @admin.display(description=pgettext_lazy("column", "line"))
    def line(self, obj: Posting) -> int:
        return obj.line_no

    @admin.display(description=pgettext_lazy("column", "account"))
    def account_title(self, obj: Posting) -> str:
        return format_html("{} <code>{}</code>", account_word(obj.account.code), obj.account.code)

    @admin.display(description=pgettext_lazy("column", "number of the row"))
    def row(self, obj: Posting) -> str:
        return str(obj.subject or NONE)

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
    list_display = ("occurred_at", "event", "reference", "business_day", "posting_count")
    fields = ("event", "reference", "bill", "occurred_at", "business_day", "created_at")
    search_fields = ("reference__exact",)
    inlines: ClassVar = (PostingInline,)

    def row_title(self, row: JournalEntry) -> str:
        return f"{word_of('event', row.event)} {row.business_day.isoformat()}"

    @admin.display(description=pgettext_lazy("column", "bill"))
    def bill(self, obj: JournalEntry) -> str:
        if obj.invoice_id is None:
            return NONE
        address = reverse("desk_bill", args=[obj.invoice_id])
        return format_html('<a class="text-link" href="{}">{}</a>', address, _("Look"))


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    list_display = ("title", "code", "kind")
    fields = ("title", "code", "kind", "needs_subject", "created_at")
    ordering: ClassVar = ("code",)
    search_fields = ("code__exact",)

    def row_title(self, row: LedgerAccount) -> str:
        return account_word(row.code)

    @admin.display(description=_("title"))
    def title(self, obj: LedgerAccount) -> str:
        return account_word(obj.code)


def account_word(code: str) -> str:
    """An account as the chart calls it."""
    try:
        return str(family_of(code).title)
    except UnknownAccount:
        return code


@admin.register(ClosedDay)
class ClosedDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "closed_at", "entry_count", "posting_count", "debit")

    @admin.display(description=_("debit"))
    def debit(self, obj: ClosedDay) -> str:
        return format_yuan(obj.debit_fen)
