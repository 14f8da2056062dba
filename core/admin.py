"""Admin is a window: money rows and evidence are looked at, never edited, there."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import BooleanField
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.paginator import InfinitePaginator

from core.admin_words import COLUMNS
from core.models import AuditEvent, JobRun, OutboundCall, StateChange, User
from core.money import format_yuan


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """No add, no change, no delete, no bulk action. What moves a row is a service behind a button.

    Lists count no table: on millions of rows the number of all of them costs more than the page.
    Searches are equalities on an index; a word that is no number finds nothing.
    """

    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    list_fullwidth = True
    list_filter_submit = True
    actions: ClassVar = None
    ordering: ClassVar = ("-pk",)
    sortable_by: ClassVar = ()  # sorting millions of rows by a column without an index

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._column(name) for name in super().get_list_display(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [self._column(name) for name in super().get_fields(request, obj)]

    def _column(self, name: Any) -> Any:
        """A field under a word people read, fen as yuan; anything else as the theme shows it."""
        if name not in COLUMNS or hasattr(self, name):
            return name
        field = self.model._meta.get_field(name)
        if str(field.verbose_name) != name.replace("_", " "):
            return name  # the model says it itself

        boolean = True if isinstance(field, BooleanField) else None

        def value(obj: Any) -> Any:
            word = getattr(obj, f"get_{name}_display", None)
            shown = word() if word is not None else getattr(obj, name)
            if name.endswith("_fen") and shown is not None:
                return format_yuan(shown)
            # The page of one row shows a bare value as Python writes it: an instant in UTC.
            if not boolean and (shown is None or isinstance(shown, date)):
                return display_for_value(shown, self.get_empty_value_display())
            return shown

        value.__name__ = name
        return admin.display(value, boolean=boolean, ordering=name, description=COLUMNS[name])

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(StateChange)
class StateChangeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "entity", "entity_id", "from_status", "to_status", "actor")
    search_fields = ("actor__exact",)


@admin.register(OutboundCall)
class OutboundCallAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "counterparty", "operation", "reference", "status", "failure", "duration_ms"
    )  # fmt: skip
    search_fields = ("reference__exact",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "actor_name", "action", "subject", "subject_id")
    search_fields = ("actor__exact", "subject_id__exact")


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "key", "outcome", "finished_at", "error")
    list_filter = ("outcome",)
    search_fields = ("key__exact",)


class SuperuserOnly(ModelAdmin):  # type: ignore[misc]
    """Who may do what is not a permission that can be given away; nobody is ever deleted."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(SuperuserOnly, DjangoUserAdmin):  # type: ignore[type-arg]
    """Staff logins. Their rights come from groups; the groups come from `config.roles`."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("username__exact",)
    fieldsets: ClassVar = (
        (None, {"fields": ("username", "password", "first_name")}),
        (None, {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (None, {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    show_full_result_count = False


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SuperuserOnly, DjangoGroupAdmin):
    """Read only: a deploy writes the groups from the table in `config.roles`."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _is_superuser(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_active and getattr(user, "is_superuser", False))
