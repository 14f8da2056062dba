"""Lists of money, to be read. What acts on a bill is the window (`billing.desk`)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from billing.admin import values
from billing.admin_words import COLUMN_WORDS
from billing.desk.movements import movement_word
from billing.models import (
    Agreement,
    Invoice,
    InvoiceReturn,
    Payment,
    PaymentTransaction,
    Rating,
    RatingTag,
    Shift,
)
from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, word_of
from core.admin_words import columns_add
from core.crypto import mask_name
from core.money import format_yuan
from patients.models import PatientAccess

values.register()
columns_add(COLUMN_WORDS)


class ByChannel(admin.SimpleListFilter):
    """Rows of one channel, named without asking the table which there are."""

    title = _("channel")
    parameter_name = "channel"
    path: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, str(word_of("channel", code))) for code in settings.PAYMENT_CHANNELS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class OfPayment(ByChannel):
    path = "payment__channel"


class OfPlan(ByChannel):
    path = "plan__merchant__channel"


class MoneyAdmin(ReadOnlyAdmin):
    """Rows with an amount in fen, shown in yuan."""

    @admin.display(description=_("Amount"))
    def amount(self, obj: Any) -> str:
        return format_yuan(obj.amount_fen)


@admin.register(Invoice)
class InvoiceAdmin(MoneyAdmin):
    """The list names no patient; the bill's own page does, and records who looked."""

    list_display = ("invoice_no", "status", "amount", "cash", "department", "occurred_at")
    list_select_related = ("encounter",)
    search_fields = ("invoice_no__exact",)

    @admin.display(description=_("cash part"))
    def cash(self, obj: Invoice) -> str:
        return format_yuan(obj.cash_fen)

    @admin.display(description=_("Department"))
    def department(self, obj: Invoice) -> str:
        return obj.encounter.department_name

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if object_id.isascii() and object_id.isdigit():
            return HttpResponseRedirect(reverse("desk_bill", args=[int(object_id)]))
        return HttpResponseRedirect(reverse("admin:billing_invoice_changelist"))


@admin.register(PaymentTransaction)
class PaymentTransactionAdmin(MoneyAdmin):
    """Whose bill it was for stands masked; the bill's own page opens more, on record."""

    list_display = (
        "number", "kind", "channel", "state", "amount", "person", "channel_no", "created_at"
    )  # fmt: skip
    list_select_related = ("payment",)
    list_filter = ("kind", "status", OfPayment)
    search_fields = ("number__exact", "channel_no__exact")
    exclude: ClassVar = ("action",)

    @admin.display(description=_("channel"))
    def channel(self, obj: PaymentTransaction) -> str:
        return str(word_of("channel", obj.payment.channel))

    @admin.display(description=_("Patient"))
    def person(self, obj: Any) -> str:
        return mask_name(obj.person_name or "") or NONE

    @admin.display(description=_("state"))
    def state(self, obj: PaymentTransaction) -> str:
        """As the bill's page and the patient's call it."""
        return movement_word(obj.kind, obj.status)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentTransaction]:
        """Each with the one name it needs, and nothing else of the person."""
        rows: QuerySet[PaymentTransaction] = super().get_queryset(request)
        return rows.annotate(person_name=F("payment__invoice__patient__name"))


@admin.register(InvoiceReturn)
class InvoiceReturnAdmin(MoneyAdmin):
    list_display = ("refund_no", "status", "amount", "operator_name", "approver_name", "created_at")
    search_fields = ("refund_no__exact",)


@admin.register(Agreement)
class AgreementAdmin(ReadOnlyAdmin):
    """Who signed is their own person, masked; the patient's page opens more, on record."""

    list_display = ("contract_code", "person", "channel", "plan", "status", "signed_at", "ended_at")
    list_select_related = ("plan__merchant",)
    list_filter = ("status", OfPlan)
    exclude: ClassVar = ("payer_id", "holder")
    search_fields = ("contract_code__exact", "contract_id__exact")

    @admin.display(description=_("Signed by"))
    def person(self, obj: Any) -> str:
        return mask_name(obj.person_name or "") or NONE

    @admin.display(description=_("channel"))
    def channel(self, obj: Agreement) -> str:
        return str(word_of("channel", obj.plan.merchant.channel))

    @admin.display(description=pgettext_lazy("column", "plan"))
    def plan(self, obj: Agreement) -> str:
        return obj.plan.name or obj.plan.plan_id

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["person", "channel", *super().get_fields(request, obj)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agreement]:
        rows: QuerySet[Agreement] = super().get_queryset(request)
        own = PatientAccess.objects.own().filter(user=OuterRef("holder"))
        name = Subquery(own.values("patient__name")[:1])
        return rows.defer("plan__merchant__secrets").annotate(person_name=name)


@admin.register(Shift)
class ShiftAdmin(ReadOnlyAdmin):
    list_display = ("shift_no", "cashier", "status", "opened_at", "closed_at")
    search_fields = ("shift_no__exact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shift]:
        """Each with the name of its cashier, as the first collect of it has it."""
        rows: QuerySet[Shift] = super().get_queryset(request)
        taken = Payment.objects.filter(shift=OuterRef("pk"), collect__isnull=False).order_by("pk")
        return rows.annotate(cashier_name=Subquery(taken.values("collect__operator_name")[:1]))


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    """What patients said about their visits; who said it is not shown."""

    list_display = ("created_at", "invoice", "department", "grade", "said", "text")
    list_select_related = ("invoice__encounter",)
    list_filter = ("grade", "created_at")
    exclude: ClassVar = ("user",)
    search_fields = ("invoice__invoice_no__exact",)

    @admin.display(description=_("Department"))
    def department(self, obj: Rating) -> str:
        return obj.invoice.encounter.department_name

    @admin.display(description=_("What was it about?"))
    def said(self, obj: Rating) -> str:
        words = dict(RatingTag.choices)
        return gettext(", ").join(str(words[tag]) for tag in obj.tags if tag in words)
