"""Orders at the mobile-pay centre: how each stands there, and the question a person must answer.

An order that needs a person has an open case in the operator's queue (`claims`); from here a
link leads to it. Consents, tokens and the place of the phone are shown to nobody.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import ReadOnlyAdmin
from core.admin_values import NONE
from core.crypto import mask_name
from core.money import format_yuan
from core.review import ReviewStatus
from insurance.admin_words import ORDER_WORDS
from insurance.gateway.mobile.states import ORDER_STATES, OrderClass
from insurance.models import InsuranceReview, MobileOrder

NOT_ENDED = frozenset({OrderClass.OPEN, OrderClass.CASH_ONLY, OrderClass.FUND_ONLY})
GIVEN_BACK = frozenset({OrderClass.REFUNDED, OrderClass.PARTLY_REFUNDED})


def order_word(code: str) -> str:
    """A state of the centre in words; a code whose meaning nobody knows says so."""
    if not code:
        return NONE
    word = ORDER_WORDS.get(code)
    return str(word) if word is not None else _("meaning unknown (%s)") % code


class AtCentre(admin.SimpleListFilter):
    """Orders by what is to be done about them."""

    title = gettext_lazy("state at the centre")
    parameter_name = "centre"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("person", _("waits for a person")),
            ("open", _("not ended yet")),
            ("back", _("given back, wholly or in part")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {
            "person": Q(case__isnull=False),
            "open": Q(state__in=_codes(NOT_ENDED)),
            "back": Q(state__in=_codes(GIVEN_BACK)),
        }.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


@admin.register(MobileOrder)
class MobileOrderAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "order_no", "person", "amount", "at_centre", "claim_state", "queue",
    )  # fmt: skip
    list_filter = (AtCentre,)
    search_fields = ("order_no__exact", "pay_order_no__exact")
    fields = (
        "order_no", "pay_order_no", "person", "amount", "at_centre", "claim_state", "claimed",
        "queue", "offered_at", "refund_no", "created_at",
    )  # fmt: skip

    @admin.display(description=gettext_lazy("Patient"))
    def person(self, obj: Any) -> str:
        return mask_name(obj.person_name or "") or NONE

    @admin.display(description=gettext_lazy("Amount"))
    def amount(self, obj: MobileOrder) -> str:
        return format_yuan(obj.claim.amount_fen)

    @admin.display(description=gettext_lazy("state at the centre"))
    def at_centre(self, obj: MobileOrder) -> str:
        return order_word(obj.state)

    @admin.display(description=gettext_lazy("state of the claim"))
    def claim_state(self, obj: MobileOrder) -> str:
        return obj.claim.get_status_display()

    @admin.display(description=gettext_lazy("claim"))
    def claimed(self, obj: MobileOrder) -> str:
        page = reverse("admin:insurance_claim_change", args=[obj.claim_id])
        return format_html('<a href="{}">{}</a>', page, obj.claim.batch_no)

    @admin.display(description=gettext_lazy("waits for a person"))
    def queue(self, obj: Any) -> str:
        if obj.case is None:
            return NONE
        page = reverse("admin:insurance_insurancereview_change", args=[obj.case])
        return format_html('<a href="{}">{}</a>', page, _("open the case"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[MobileOrder]:
        """Each with the one name it needs and its oldest open case."""
        rows: QuerySet[MobileOrder] = super().get_queryset(request)
        cases = InsuranceReview.objects.filter(
            claim=OuterRef("claim"), status=ReviewStatus.OPEN
        ).order_by("pk")
        return (
            rows.select_related("claim")
            .defer("pay_auth_no", "pay_token")
            .annotate(person_name=F("claim__patient__name"), case=Subquery(cases.values("pk")[:1]))
        )


def _codes(classes: frozenset[OrderClass]) -> list[str]:
    return [code for code, found in ORDER_STATES.items() if found in classes]
