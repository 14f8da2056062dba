"""Tables of libraries in the admin: the beat's jobs, and the second factors of staff."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin

from core.admin import ReadOnlyAdmin
from core.audit import record
from core.models import User
from core.staff import peer_address, staff_actor

for foreign in (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
    EmailAddress,
    Authenticator,
):
    admin.site.unregister(foreign)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ModelAdmin):  # type: ignore[misc]
    """One switch. A pause is recorded with its name; the next deploy does not undo it."""

    list_display = ("name", "enabled", "scheduler_text", "last_run_at")
    fields = ("name", "description", "enabled", "scheduler_text", "last_run_at", "total_run_count")
    actions: ClassVar = None
    ordering = ("name",)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.fields if name != "enabled"]

    @admin.display(description="")
    def scheduler_text(self, obj: Any) -> str:
        """When it runs, in the scheduler's words."""
        return str(obj.schedule)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        if "enabled" in form.changed_data:
            record(
                by=staff_actor(request.user),
                action="job_resumed" if form.cleaned_data["enabled"] else "job_paused",
                subject="django_celery_beat.periodictask",
                subject_id=str(obj.pk),
                detail={"job": str(getattr(obj, "name", ""))},
                address=peer_address(request),
            )


@admin.register(Authenticator)
class SecondFactorAdmin(ReadOnlyAdmin):
    """Who has an authenticator app. A lost one is taken away here, recorded; its secret is never
    shown."""

    list_display = ("user", "created_at", "last_used_at")
    fields = ("user", "created_at", "last_used_at")

    def has_module_permission(self, request: HttpRequest) -> bool:
        user = getattr(request, "user", None)
        return isinstance(user, User) and user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        assert isinstance(request.user, User)
        record(
            by=staff_actor(request.user),
            action="second_factor_taken_away",
            subject="core.user",
            subject_id=str(obj.user_id),
            address=peer_address(request),
        )
        super().delete_model(request, obj)
