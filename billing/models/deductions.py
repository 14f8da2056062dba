"""What was deducted by agreement on a day: the figure the limits of a day are held against."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from billing.models.payment import PaymentTransaction, TransactionKind


def deductions(day: date) -> QuerySet[PaymentTransaction]:
    """What counts against the limits of a day: done, and not yet final."""
    return PaymentTransaction.objects.filter(
        kind=TransactionKind.CAPTURE,
        status__in=sorted(PaymentTransaction.TAKEN_OR_OPEN),
        business_day=day,
    )


def agreement_use_beside(day: date) -> dict[str, Combinable]:
    """Fen and number of a day's deductions, those not yet final too, as the columns `used_fen` and
    `used_times` of a query of agreements."""
    rows = deductions(day).filter(agreement=OuterRef("pk")).values("agreement")
    return {
        "used_fen": Coalesce(Subquery(rows.annotate(fen=Sum("amount_fen")).values("fen")), 0),
        "used_times": Coalesce(Subquery(rows.annotate(times=Count("pk")).values("times")), 0),
    }
