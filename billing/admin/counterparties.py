"""Those the house deals with, to be read: merchants and their plans, notices, events to the HIS."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.models import (
    AgreementPlan,
    HisEvent,
    Merchant,
    PaymentInstitution,
    PaymentNotice,
)
from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, word_of
from core.money import format_yuan


class OfMerchant(ReadOnlyAdmin):
    """Rows of one merchant, which is shown by its channel's word and its number there."""

    @admin.display(description=pgettext_lazy("column", "merchant"))
    def merchant(self, obj: Any) -> str:
        return _merchant(obj.merchant) if obj.merchant_id else NONE


@admin.register(HisEvent)
class HisEventAdmin(ReadOnlyAdmin):
    list_display = (
        "occurred_at", "invoice", "seq", "type", "event_id", "attempts", "delivered_at"
    )  # fmt: skip
    list_select_related = ("invoice",)
    search_fields = ("invoice__invoice_no__exact",)


@admin.register(PaymentNotice)
class PaymentNoticeAdmin(OfMerchant):
    list_display = ("received_at", "channel", "kind", "number", "outcome", "deliveries")
    list_select_related = ("merchant",)
    search_fields = ("number__exact",)


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    list_display = ("merchant_no", "channel", "institution", "campus", "active")
    list_select_related = ("institution", "campus")
    exclude: ClassVar = ("secrets",)
    search_fields = ("merchant_no__exact",)

    def row_title(self, row: Merchant) -> str:
        return _merchant(row)


@admin.register(PaymentInstitution)
class PaymentInstitutionAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "agreement_from", "agreement_until", "suspended")


@admin.register(AgreementPlan)
class AgreementPlanAdmin(OfMerchant):
    list_display = (
        "plan_id", "merchant", "name", "single", "daily", "daily_count", "hours_from",
        "hours_until", "offered",
    )  # fmt: skip
    list_select_related = ("merchant",)

    @admin.display(description=_("at once at most"))
    def single(self, obj: AgreementPlan) -> str:
        return format_yuan(obj.single_fen)

    @admin.display(description=_("a day at most"))
    def daily(self, obj: AgreementPlan) -> str:
        return format_yuan(obj.daily_fen)


def _merchant(merchant: Merchant) -> str:
    return f"{word_of('channel', merchant.channel)} {merchant.merchant_no}"
