"""Tables of libraries in the admin: the beat's jobs, and the second factors of staff."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from config.job_words import JOB_REASONS, JOB_WORDS
from core.admin import NamedRows, ReadOnlyAdmin
from core.admin_values import NONE, word_of, words_add
from core.audit import record
from core.models import User
from core.staff import staff_actor
from core.web_addresses import peer_address

words_add("key", JOB_WORDS)
words_add(
    "action",
    {
        "job_paused": pgettext_lazy("action", "job paused"),
        "job_resumed": pgettext_lazy("action", "job resumed"),
        "group_set": pgettext_lazy("action", "rights of a group set"),
        "hospital_loaded": pgettext_lazy("action", "hospital's data entered"),
        "second_factor_taken_away": pgettext_lazy("action", "second factor taken away"),
        "passkey_added": pgettext_lazy("action", "passkey added"),
        "second_factor_enrolled": pgettext_lazy("action", "authenticator app set up"),
        "staff_logged_in": pgettext_lazy("action", "logged in"),
        "staff_login_refused": pgettext_lazy("action", "login refused"),
        "staff_locked_out": pgettext_lazy("action", "locked out"),
        "clock_wanted": pgettext_lazy("action", "clock of the demo moved"),
    },
)
words_add(
    "label",
    {
        "job": pgettext_lazy("column", "job"),
        "gains": pgettext_lazy("column", "gains"),
        "loses": pgettext_lazy("column", "loses"),
        "made": pgettext_lazy("column", "a new row"),
        "fields": pgettext_lazy("column", "fields"),
        "second_factor": pgettext_lazy("column", "second factor"),
    },
)
words_add(
    "role",
    {
        "cashier": pgettext_lazy("role", "cashier"),
        "refund_clerk": pgettext_lazy("role", "refund clerk"),
        "reviewer": pgettext_lazy("role", "reviewer"),
        "finance": pgettext_lazy("role", "finance"),
        "auditor": pgettext_lazy("role", "auditor"),
        "it": pgettext_lazy("role", "information department"),
    },
)

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

# The library names its table in English only, and the theme's own words lack a translation.
apps.get_app_config("mfa").verbose_name = _("Second factors")
Authenticator._meta.verbose_name = _("second factor")
FACTORS = {
    Authenticator.Type.TOTP: _("authenticator app"),
    Authenticator.Type.WEBAUTHN: _("passkey"),
}
Authenticator._meta.verbose_name_plural = _("Second factors")
THEME_WORDS = (_("Select action to run"),)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(NamedRows):
    """One switch. A pause is recorded with its name; the next deploy does not undo it."""

    list_display = ("job", "enabled", "runs", "last_run")
    fields = ("job", "reason", "enabled", "runs", "last_run", "total")
    actions: ClassVar = None
    ordering = ("name",)
    show_full_result_count = False
    empty_value_display = NONE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the row that beat put beside the jobs while it thought results were kept."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.exclude(task="celery.backend_cleanup")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.fields if name != "enabled"]

    def row_title(self, row: Any) -> str:
        return self.job(row)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "enabled":
            field.help_text = _("Switched off, it does not run until it is switched on again.")
        return field

    @admin.display(description=pgettext_lazy("column", "job"), ordering="name")
    def job(self, obj: Any) -> str:
        return str(word_of("key", obj.name))

    @admin.display(description=_("what for"))
    def reason(self, obj: Any) -> str:
        return str(JOB_REASONS.get(obj.name, NONE))

    @admin.display(description=_("runs"))
    def runs(self, obj: Any) -> str:
        """When it runs: each so many seconds, or at a time of day."""
        if obj.interval is not None:
            return gettext("every %(n)s s") % {"n": obj.interval.every}
        at = f"{int(obj.crontab.hour):02}:{int(obj.crontab.minute):02}"
        day = obj.crontab.day_of_month
        if day == "*":
            return gettext("every day at %(at)s") % {"at": at}
        return gettext("every month on day %(day)s at %(at)s") % {"day": day, "at": at}

    @admin.display(description=_("last run"))
    def last_run(self, obj: Any) -> Any:
        return obj.last_run_at

    @admin.display(description=_("runs so far"))
    def total(self, obj: Any) -> int:
        return int(obj.total_run_count)

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
    """Who has an app or a passkey. A lost one is taken away here, recorded; its secret is never
    shown."""

    list_display = ("user", "factor", "created_at", "last_used_at")
    fields = ("user", "factor", "created_at", "last_used_at")

    def row_title(self, row: Authenticator) -> str:
        return self.factor(row)

    @admin.display(description=_("second factor"))
    def factor(self, obj: Any) -> str:
        return str(FACTORS.get(obj.type, obj.type))

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
            detail={"kind": obj.type},
            address=peer_address(request),
        )
        super().delete_model(request, obj)
