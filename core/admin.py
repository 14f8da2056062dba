"""Admin is a window: money rows and evidence are looked at, never edited, there."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.filters import ChoicesFieldListFilter
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.paginator import InfinitePaginator

from core.admin_search import ByActor
from core.admin_values import NONE, model_word, row_value, state_word, word_of, words_add
from core.admin_words import COLUMNS
from core.models import AuditEvent, JobRun, OutboundCall, StateChange, User

words_add("failure", {
    "NOT_SENT": pgettext_lazy("failure", "not sent"),
    "NO_ANSWER": pgettext_lazy("failure", "no answer"),
})  # fmt: skip
RIGHTS = {
    "view": pgettext_lazy("right", "look at"),
    "add": pgettext_lazy("right", "add"),
    "change": pgettext_lazy("right", "change"),
    "delete": pgettext_lazy("right", "delete"),
}


class WordedFilter(ChoicesFieldListFilter):
    """A filter headed by the same word as its column."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = str(COLUMNS.get(self.field_path, self.title))


class GroupFilter(admin.RelatedFieldListFilter):
    """Groups by what people call them."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        choices = super().field_choices(field, request, model_admin)
        return [(pk, word_of("role", str(name))) for pk, name in choices]


class Named:
    """A row under the name that staff know it by, where the theme prints the row."""

    def __init__(self, row: Any, name: str) -> None:
        self.pk = row.pk
        self._meta = row._meta
        self._name = name

    def __str__(self) -> str:
        return self._name


class NamedRows(ModelAdmin):  # type: ignore[misc]
    """The pages of a row are headed by what staff call it, not by how programs print it."""

    def row_title(self, row: Any) -> str:
        """What heads the page of one row."""
        return str(row)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        named = self._named(request, object_id, "original") | (extra_context or {})
        shown: HttpResponse = super().change_view(request, object_id, form_url, named)
        return shown

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        named = self._named(request, object_id, "object") | (extra_context or {})
        shown: HttpResponse = super().history_view(request, object_id, named)
        return shown

    def _named(self, request: HttpRequest, object_id: str, key: str) -> dict[str, Any]:
        row = self.get_object(request, object_id)
        if row is None:
            return {}
        name = Named(row, self.row_title(row))
        return {key: name, "title": str(name), "subtitle": None}


class ReadOnlyAdmin(NamedRows):
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
    empty_value_display = NONE
    sortable_by: ClassVar = ()  # sorting millions of rows by a column without an index

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._column(name) for name in super().get_list_display(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [self._column(name) for name in super().get_fields(request, obj)]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        names = super().get_list_filter(request)
        return [(name, WordedFilter) if name in COLUMNS else name for name in names]

    def _column(self, name: Any) -> Any:
        """A field under a word people read, with its value as they read it."""
        if not isinstance(name, str):
            return name
        own = getattr(self, name, None)
        if callable(own):
            return own  # under a field's name the theme would show the field
        try:
            field: Any = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return name
        boolean = True if isinstance(field, BooleanField) else None

        def value(row: Any) -> Any:
            return getattr(row, name) if boolean else row_value(row, name)

        value.__name__ = f"{name}_in_words"  # not the field's: its help is for programmers
        described = str(field.verbose_name) != field.name.replace("_", " ")
        title = field.verbose_name if described else COLUMNS.get(name, field.verbose_name)
        return admin.display(value, boolean=boolean, ordering=name, description=title)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(StateChange)
class StateChangeAdmin(ByActor, ReadOnlyAdmin):
    list_display = ("created_at", "entity", "entity_id", "from_status", "to_status", "actor")
    exclude: ClassVar = ("actor_name",)
    search_fields = ("actor__exact",)

    def row_title(self, row: StateChange) -> str:
        after = state_word(row.entity, row.to_status)
        return f"{model_word(row.entity)} {row.entity_id} → {after}"


@admin.register(OutboundCall)
class OutboundCallAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "counterparty", "operation", "reference", "status", "failure", "duration_ms"
    )  # fmt: skip
    search_fields = ("reference__exact",)

    def row_title(self, row: OutboundCall) -> str:
        verb = word_of("operation", row.operation)
        return f"{word_of('counterparty', row.counterparty)} {verb} {row.reference}"


@admin.register(AuditEvent)
class AuditEventAdmin(ByActor, ReadOnlyAdmin):
    list_display = ("created_at", "actor", "action", "subject", "subject_id", "detail")
    exclude: ClassVar = ("actor_name",)
    search_fields = ("actor__exact", "subject_id__exact")

    def row_title(self, row: AuditEvent) -> str:
        return f"{word_of('action', row.action)} {model_word(row.subject)} {row.subject_id}"


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "key", "outcome", "finished_at", "error")
    list_filter = ("outcome",)
    search_fields = ("key__exact",)

    def row_title(self, row: JobRun) -> str:
        return str(word_of("key", row.key))


class SuperuserOnly(NamedRows):
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
    list_filter = ("is_staff", "is_superuser", "is_active", ("groups", GroupFilter))
    search_fields = ("username__exact",)
    fieldsets: ClassVar = (
        (None, {"fields": ("username", "password", "first_name")}),
        (None, {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (None, {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    show_full_result_count = False

    def row_title(self, row: User) -> str:
        return row.get_full_name() or row.get_username()

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and isinstance(field, ModelMultipleChoiceField):
            setattr(field, "label_from_instance", _role)  # noqa: B010 — the hook Django names
            field.help_text = _("What a person may do follows from their roles.")
        return field


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SuperuserOnly, DjangoGroupAdmin):
    """Read only: a deploy writes the groups from the table in `config.roles`."""

    list_display = ("role",)
    fields = ("role", "rights")
    readonly_fields = fields
    search_fields: ClassVar = ()

    def row_title(self, row: Group) -> str:
        return _role(row)

    @admin.display(description=pgettext_lazy("column", "role"))
    def role(self, obj: Group) -> str:
        return _role(obj)

    @admin.display(description=_("rights"))
    def rights(self, obj: Group) -> str:
        rows = obj.permissions.select_related("content_type").order_by("content_type", "codename")
        return format_html_join("", "<div>{} {}</div>", (_right(row) for row in rows))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _is_superuser(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_active and getattr(user, "is_superuser", False))


def _role(group: Group) -> str:
    return str(word_of("role", group.name))


def _right(permission: Any) -> tuple[str, str]:
    """A right in words: a verb and its table, or what the right is called."""
    verb, _line, model = permission.codename.partition("_")
    kind = permission.content_type
    if verb in RIGHTS and model == kind.model:
        return str(RIGHTS[verb]), str(model_word(f"{kind.app_label}.{kind.model}"))
    return str(word_of("right", permission.codename)), ""
