"""Orders of insurance and wallet (医保自费混合): both parts, and what they wait for."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.desk.movements import movement_word
from billing.models import BillingReview, MixedOrder
from core.admin import ReadOnlyAdmin
from core.admin_values import NONE
from core.crypto import mask_name
from core.money import format_yuan
from core.review import ReviewStatus
from insurance.admin.mobile import order_word
from insurance.models import InsuranceReview


class Watched(admin.SimpleListFilter):
    title = gettext_lazy("to be watched")
    parameter_name = "watch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("person", _("waits for a person")),
            ("untold", _("channel not told of the return yet")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {
            "person": Q(asked=True) | Q(claim_asked=True),
            "untold": Q(due_at__isnull=False),
        }.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


@admin.register(MixedOrder)
class MixedOrderAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "number", "person", "wallet_part", "wallet_state", "insurance_part",
        "insurance_state", "at_centre", "queue",
    )  # fmt: skip
    list_filter = (Watched,)
    search_fields = ("transaction__number__exact", "claim__batch_no__exact")
    fields = (
        "number", "bill", "person", "wallet_part", "wallet_state", "insurance_part",
        "insurance_state", "at_centre", "claimed", "queue", "told_at", "created_at",
    )  # fmt: skip

    def row_title(self, row: MixedOrder) -> str:
        return f"{_('order of insurance and wallet')} {row.transaction.number}"

    @admin.display(description=gettext_lazy("number at the wallet"))
    def number(self, obj: MixedOrder) -> str:
        return obj.transaction.number

    @admin.display(description=gettext_lazy("bill"))
    def bill(self, obj: MixedOrder) -> str:
        page = reverse("desk_bill", args=[obj.claim.invoice_ref])
        return format_html('<a href="{}">{}</a>', page, _("open the bill"))

    @admin.display(description=gettext_lazy("Patient"))
    def person(self, obj: Any) -> str:
        return mask_name(obj.person_name or "") or NONE

    @admin.display(description=gettext_lazy("by the wallet"))
    def wallet_part(self, obj: MixedOrder) -> str:
        return format_yuan(obj.transaction.amount_fen)

    @admin.display(description=gettext_lazy("state at the wallet"))
    def wallet_state(self, obj: MixedOrder) -> str:
        return movement_word(obj.transaction.kind, obj.transaction.status)

    @admin.display(description=gettext_lazy("by the insurance"))
    def insurance_part(self, obj: MixedOrder) -> str:
        split = obj.claim.settled_split or obj.claim.priced_split
        if split is None:
            return NONE
        return format_yuan(split.fund_fen + split.own_account_fen + split.mutual_aid_fen)

    @admin.display(description=gettext_lazy("state of the claim"))
    def insurance_state(self, obj: MixedOrder) -> str:
        return obj.claim.get_status_display()

    @admin.display(description=gettext_lazy("state at the centre"))
    def at_centre(self, obj: Any) -> str:
        return order_word(obj.centre_state or "")

    @admin.display(description=gettext_lazy("claim"))
    def claimed(self, obj: MixedOrder) -> str:
        page = reverse("admin:insurance_claim_change", args=[obj.claim_id])
        return format_html('<a href="{}">{}</a>', page, obj.claim.batch_no)

    @admin.display(description=gettext_lazy("waits for a person"))
    def queue(self, obj: Any) -> str:
        if obj.claim_asked:
            page = reverse("admin:insurance_insurancereview_changelist")
            return format_html('<a href="{}">{}</a>', page, _("insurance review"))
        if obj.asked:
            return format_html('<a href="{}">{}</a>', reverse("desk_reviews"), _("review"))
        return NONE

    def get_queryset(self, request: HttpRequest) -> QuerySet[MixedOrder]:
        """Each with the one name it needs, and whether a question about it is open."""
        rows: QuerySet[MixedOrder] = super().get_queryset(request)
        asked = BillingReview.objects.filter(
            Q(transaction=OuterRef("transaction"))
            | Q(transaction__isnull=True, invoice=OuterRef("claim__invoice_ref")),
            status=ReviewStatus.OPEN,
        )
        of_claim = InsuranceReview.objects.filter(claim=OuterRef("claim"), status=ReviewStatus.OPEN)
        return rows.select_related("transaction", "claim").annotate(
            person_name=F("claim__patient__name"),
            centre_state=F("claim__mobile__state"),
            asked=Exists(asked),
            claim_asked=Exists(of_claim),
        )
