"""The day's comparison with the insurer: its groups, and every row the two sides do not share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, word_of
from core.money import format_yuan
from insurance.claim_pages import differences_table, messages_table
from insurance.models import InsurerStatement, StatementDifference, StatementStatus

UNEVEN = (StatementStatus.DIFFERENT, StatementStatus.DETAILED)


class Uneven(admin.SimpleListFilter):
    """What a person must look at: groups that differ."""

    title = gettext_lazy("result")
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("uneven", _("different")), ("even", _("even")), ("open", _("not answered yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted: dict[str, tuple[StatementStatus, ...]] = {
            "uneven": UNEVEN,
            "even": (StatementStatus.EVEN,),
            "open": (StatementStatus.PENDING,),
        }
        chosen = wanted.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(status__in=chosen)


@admin.register(InsurerStatement)
class InsurerStatementAdmin(ReadOnlyAdmin):
    list_display = (
        "day", "institution", "scheme_word", "office", "rows", "bills", "fund", "accounts",
        "status", "open_differences",
    )  # fmt: skip
    list_select_related = ("institution",)
    list_filter = (Uneven,)
    search_fields = ("day__exact",)
    ordering: ClassVar = ("-pk",)
    fields = (
        "day", "institution", "scheme_word", "clearing_kind", "office", "status", "rows", "bills",
        "fund", "accounts", "cash", "its_words", "compared_at", "result_file", "listed",
        "exchanges",
    )  # fmt: skip

    def row_title(self, row: InsurerStatement) -> str:
        return f"{row.day} {word_of('scheme', row.scheme)}"

    @admin.display(description=gettext_lazy("insured institution"))
    def institution(self, obj: InsurerStatement) -> str:
        return str(obj.institution)

    @admin.display(description=gettext_lazy("scheme"))
    def scheme_word(self, obj: InsurerStatement) -> str:
        return str(word_of("scheme", obj.scheme))

    @admin.display(description=gettext_lazy("rows"))
    def rows(self, obj: InsurerStatement) -> int:
        return obj.ours_count

    @admin.display(description=gettext_lazy("charges in all"))
    def bills(self, obj: InsurerStatement) -> str:
        return format_yuan(obj.ours_total_fen)

    @admin.display(description=gettext_lazy("fund"))
    def fund(self, obj: InsurerStatement) -> str:
        return format_yuan(obj.ours_fund_fen)

    @admin.display(description=gettext_lazy("accounts"))
    def accounts(self, obj: InsurerStatement) -> str:
        return format_yuan(obj.ours_account_fen)

    @admin.display(description=gettext_lazy("cash"))
    def cash(self, obj: InsurerStatement) -> str:
        return format_yuan(obj.ours_cash_fen)

    @admin.display(description=gettext_lazy("its words"))
    def its_words(self, obj: InsurerStatement) -> str:
        return obj.text or NONE

    @admin.display(description=gettext_lazy("open differences"))
    def open_differences(self, obj: Any) -> int:
        return int(obj.standing)

    @admin.display(description=gettext_lazy("differences"))
    def listed(self, obj: InsurerStatement) -> str:
        return differences_table(obj)

    @admin.display(description=gettext_lazy("said to the insurer"))
    def exchanges(self, obj: InsurerStatement) -> str:
        return messages_table([obj.subject])

    def get_queryset(self, request: HttpRequest) -> QuerySet[InsurerStatement]:
        rows: QuerySet[InsurerStatement] = super().get_queryset(request)
        return rows.select_related("institution").annotate(
            standing=Count("differences", filter=Q(differences__gone_at=None))
        )


@admin.register(StatementDifference)
class StatementDifferenceAdmin(ReadOnlyAdmin):
    list_display = (
        "found_at", "day", "kind_word", "settlement_no", "undone", "ours", "theirs", "gone_at",
    )  # fmt: skip
    list_select_related = ("statement", "claim")
    search_fields = ("settlement_no__exact",)
    fields = (
        "day", "kind_word", "settlement_no", "mdtrt_id", "undone", "claimed", "ours", "ours_fund",
        "ours_accounts", "theirs", "theirs_fund", "theirs_accounts", "its_words", "found_at",
        "gone_at",
    )  # fmt: skip

    def row_title(self, row: StatementDifference) -> str:
        return f"{self.kind_word(row)} {row.settlement_no}"

    @admin.display(description=gettext_lazy("business day"))
    def day(self, obj: StatementDifference) -> str:
        page = reverse("admin:insurance_insurerstatement_change", args=[obj.statement_id])
        return format_html('<a href="{}">{}</a>', page, obj.statement.day)

    @admin.display(description=gettext_lazy("difference"))
    def kind_word(self, obj: StatementDifference) -> str:
        return str(obj.get_kind_display())

    @admin.display(description=gettext_lazy("reversed"))
    def undone(self, obj: StatementDifference) -> str:
        return _("yes") if obj.refund else _("no")

    @admin.display(description=gettext_lazy("claim"))
    def claimed(self, obj: StatementDifference) -> str:
        if obj.claim is None:
            return NONE
        page = reverse("admin:insurance_claim_change", args=[obj.claim_id])
        return format_html('<a href="{}">{}</a>', page, obj.claim.batch_no)

    @admin.display(description=gettext_lazy("bill (ours)"))
    def ours(self, obj: StatementDifference) -> str:
        return _fen(obj.ours_total_fen)

    @admin.display(description=gettext_lazy("fund (ours)"))
    def ours_fund(self, obj: StatementDifference) -> str:
        return _fen(obj.ours_fund_fen)

    @admin.display(description=gettext_lazy("accounts (ours)"))
    def ours_accounts(self, obj: StatementDifference) -> str:
        return _fen(obj.ours_account_fen)

    @admin.display(description=gettext_lazy("bill (theirs)"))
    def theirs(self, obj: StatementDifference) -> str:
        return _fen(obj.theirs_total_fen)

    @admin.display(description=gettext_lazy("fund (theirs)"))
    def theirs_fund(self, obj: StatementDifference) -> str:
        return _fen(obj.theirs_fund_fen)

    @admin.display(description=gettext_lazy("accounts (theirs)"))
    def theirs_accounts(self, obj: StatementDifference) -> str:
        return _fen(obj.theirs_account_fen)

    @admin.display(description=gettext_lazy("its words"))
    def its_words(self, obj: StatementDifference) -> str:
        return obj.memo or NONE


def _fen(value: int | None) -> str:
    return NONE if value is None else format_yuan(value)
