"""Reading questions of the catalogue: which code an item has on a day, and which have none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from insurance.models import CatalogueItem, Institution, ItemMapping


@dataclass(frozen=True, slots=True)
class ItemCode:
    """What the insurer calls an item on a day."""

    hospital_code: str
    national_code: str
    level: str
    price_limit: Decimal | None


def codes_at(
    institution: Institution, hospital_codes: Collection[str], day: date
) -> dict[str, ItemCode]:
    """The standing code of each item that has one; one statement for any number of them."""
    rows = (
        ItemMapping.objects.filter(
            item__institution=institution,
            item__hospital_code__in=hospital_codes,
            valid_from__lte=day,
        )
        .order_by("item_id", "-valid_from")
        .distinct("item_id")
        .values_list("item__hospital_code", "national_code", "level", "price_limit", "valid_until")
    )
    return {
        code: ItemCode(code, national, level, limit)
        for code, national, level, limit, until in rows
        if until is None or until > day
    }


def items_with_code(day: date) -> QuerySet[CatalogueItem]:
    """Items, each marked with whether it has a code that day (`coded`)."""
    stands = ItemMapping.objects.filter(item=OuterRef("pk"), valid_from__lte=day).filter(
        Q(valid_until=None) | Q(valid_until__gt=day)
    )
    return CatalogueItem.objects.annotate(coded=Exists(stands))
