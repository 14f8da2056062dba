"""Admin is a window: money rows and evidence are looked at, never edited, there."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from core.models import AuditEvent, JobRun, OutboundCall, StateChange


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """No add, no change, no delete, no bulk action. What moves a row is a service behind a button.

    Lists count no table: on millions of rows the number of all of them costs more than the page.
    """

    show_full_result_count = False
    list_per_page = 50
    actions: ClassVar = None
    ordering: ClassVar = ("-pk",)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(StateChange)
class StateChangeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "entity", "entity_id", "from_status", "to_status", "actor")
    list_filter = ("entity",)
    search_fields = ("=entity_id", "=actor")


@admin.register(OutboundCall)
class OutboundCallAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "counterparty", "operation", "reference", "status", "failure", "duration_ms"
    )  # fmt: skip
    list_filter = ("counterparty", "operation", "failure")
    search_fields = ("=reference",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "actor_name", "action", "subject", "subject_id")
    list_filter = ("action",)
    search_fields = ("=actor", "=subject_id")


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "key", "outcome", "finished_at", "error")
    list_filter = ("key", "outcome")
