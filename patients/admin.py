"""Places, systems and messages. Patients are not here: a look at one is recorded at the desk."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from patients.models import Campus, HisClient, Notification


@admin.register(Campus)
class CampusAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "kind", "institution_code")
    search_fields = ("code__exact",)


@admin.register(HisClient)
class HisClientAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "active", "events_url")
    exclude: ClassVar = ("token_digest", "events_secret")
    search_fields = ("code__exact",)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "messenger", "status", "attempts", "sent_at")
    exclude: ClassVar = ("address", "patient")
    list_filter = ("status", "messenger")
    search_fields = ("key__exact",)
