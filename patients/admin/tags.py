"""Places with a tag, for those who run the house: the list, the sheets to print, the touches."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import ModelAdmin

from core import clock
from core.admin import ReadOnlyAdmin
from core.admin_values import words_add
from core.audit import record
from core.models import User
from core.staff import staff_actor
from core.web_addresses import peer_address
from patients.locations import tag_address
from patients.models import Location, TagTouch
from patients.ndef import uri_record

words_add("action", {
    "location_added": pgettext_lazy("action", "location with a tag added"),
    "location_changed": pgettext_lazy("action", "location with a tag changed"),
})  # fmt: skip


@admin.register(Location)
class LocationAdmin(ModelAdmin):  # type: ignore[misc]
    """Places with a tag. A code is on tags that hang somewhere: it is set once, and never freed."""

    list_display = ("code", "name", "kind", "campus", "active")
    list_filter = ("active", "kind", "campus")
    search_fields = ("code__exact", "name")
    fields = ("code", "name", "kind", "campus", "active")
    ordering = ("code",)
    actions = ("print_tags",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        record(
            by=staff_actor(request.user),
            action="location_changed" if change else "location_added",
            subject="patients.location",
            subject_id=obj.pk,
            detail={"fields": form.changed_data},
            address=peer_address(request),
        )

    @admin.action(description=_("Print QR and NFC sheets"), permissions=["view"])
    def print_tags(self, request: HttpRequest, rows: QuerySet[Location]) -> HttpResponse:
        codes = "&".join(f"code={one.code}" for one in rows.order_by("code"))
        return HttpResponseRedirect(f"{reverse('admin:patients_location_print')}?{codes}")

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "print/", self.admin_site.admin_view(self.print_page), name="patients_location_print"
        )
        return [own, *super().get_urls()]

    def print_page(self, request: HttpRequest) -> HttpResponse:
        """One sheet a place: what people scan or touch, and what the chip is to hold."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Location.objects.filter(active=True).select_related("campus").order_by("code")
        codes = request.GET.getlist("code")
        sheets = []
        for one in rows.filter(code__in=codes) if codes else rows:
            address = tag_address(one)
            sheets.append(
                {"location": one, "address": address, "hex": uri_record(address).hex(" ")}
            )
        return render(request, "patients/tags/print.html", {"sheets": sheets})


@admin.register(TagTouch)
class TagTouchAdmin(ReadOnlyAdmin):
    """Where, and how often; who it was is not shown here."""

    list_display = ("created_at", "location")
    fields = ("created_at", "location")
    list_select_related = ("location",)
    list_filter = ("location__kind",)
