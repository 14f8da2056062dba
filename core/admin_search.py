"""How staff find the rows of a trail: by whom, as the list names them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from core.actors import ActorKind


class ByActor(ModelAdmin):  # type: ignore[misc]
    """Found by the code a person logs in by, which the list shows, or by the key in the trail."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, doubled = super().get_search_results(request, queryset, search_term)
        codes = search_term.split()[-1:]
        keys = [f"{kind}:{code}" for code in codes for kind in ActorKind]
        return (found | queryset.filter(actor__in=keys)) if keys else found, doubled
