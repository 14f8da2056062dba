"""The floor's own tables: users, and what the house remembers about itself.

Three of them are evidence (StateChange, OutboundCall, AuditEvent): the database refuses to change
or remove a row. They name their subject by a word and an id instead of a foreign key, because the
floor knows no app above it and a foreign-key check would lock the subject's row on every write.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.triggers import append_only


class User(AbstractUser):
    """A person who logs in: staff or patient. What a patient is lives in `patients`."""


class StateChange(models.Model):
    """One step of one row, written in the same statement as the step itself."""

    id = models.BigAutoField(primary_key=True)
    entity = models.CharField(_("entity"), max_length=64)
    entity_id = models.BigIntegerField(_("entity number"))
    from_status = models.CharField(_("from"), max_length=32)
    to_status = models.CharField(_("to"), max_length=32)
    actor = models.CharField(_("actor"), max_length=80)
    actor_name = models.CharField(_("actor's name"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    fields = models.JSONField(_("changed with it"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("state change")
        verbose_name_plural = _("state changes")
        indexes: ClassVar = [
            models.Index(fields=["entity", "entity_id"], name="core_statechange_entity"),
        ]
        triggers: ClassVar = [append_only("append_only")]

    def __str__(self) -> str:
        return f"{self.entity} {self.entity_id}: {self.from_status} → {self.to_status}"


class OutboundCall(models.Model):
    """One call to a counterparty and its answer, without personal data or secrets."""

    id = models.BigAutoField(primary_key=True)
    counterparty = models.CharField(_("counterparty"), max_length=32)
    operation = models.CharField(_("operation"), max_length=48)
    reference = models.CharField(_("our number"), max_length=64)
    method = models.CharField(_("method"), max_length=8)
    url = models.CharField(_("address"), max_length=1000)
    request_headers = models.JSONField(_("request headers"), default=dict)
    request_body = models.TextField(_("request"), blank=True)
    # Keyed: a bare hash of a short secret could be guessed (`outbound._fingerprint`).
    request_sha256 = models.CharField(_("hash of the request"), max_length=64)
    status = models.SmallIntegerField(_("HTTP status"), null=True)
    failure = models.CharField(_("failure"), max_length=16, blank=True)
    failure_detail = models.CharField(_("what failed"), max_length=200, blank=True)
    response_headers = models.JSONField(_("response headers"), default=dict)
    response_body = models.TextField(_("response"), blank=True)
    duration_ms = models.IntegerField(_("duration in ms"))
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("outbound call")
        verbose_name_plural = _("outbound calls")
        indexes: ClassVar = [
            models.Index(fields=["reference"], name="core_outboundcall_reference"),
        ]
        triggers: ClassVar = [append_only("append_only")]

    def __str__(self) -> str:
        return f"{self.counterparty} {self.operation} {self.reference}"


class AuditEvent(models.Model):
    """Someone did or looked at something that matters beyond a state change."""

    id = models.BigAutoField(primary_key=True)
    actor = models.CharField(_("actor"), max_length=80)
    actor_name = models.CharField(_("actor's name"), max_length=100, blank=True)
    action = models.CharField(_("action"), max_length=64)
    subject = models.CharField(_("subject"), max_length=64)
    subject_id = models.CharField(_("subject number"), max_length=64)
    detail = models.JSONField(_("detail"), default=dict, encoder=DjangoJSONEncoder)
    address = models.GenericIPAddressField(_("network address"), null=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes: ClassVar = [
            models.Index(fields=["subject", "subject_id"], name="core_auditevent_subject"),
            models.Index(fields=["actor"], name="core_auditevent_actor"),
            models.Index(fields=["action", "created_at"], name="core_auditevent_action"),
        ]
        triggers: ClassVar = [append_only("append_only")]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.subject} {self.subject_id}"


class StaffLoginTry(models.Model):
    """One attempt to log in that has not succeeded: what the lock-out counts, for a day.

    The name is kept as a keyed hash: people type their password into the wrong box.
    """

    id = models.BigAutoField(primary_key=True)
    name_index = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("attempt to log in")
        verbose_name_plural = _("attempts to log in")
        indexes: ClassVar = [
            models.Index(fields=["name_index", "created_at"], name="core_staff_try_name"),
            models.Index(fields=["address", "created_at"], name="core_staff_try_address"),
            models.Index(fields=["created_at"], name="core_staff_try_created"),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


class ClockOffset(models.Model):
    """How far the simulated clock is ahead of the real one: at most one row, outside production."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    offset_us = models.BigIntegerField(_("microseconds ahead"))

    class Meta:
        verbose_name = _("clock offset")
        verbose_name_plural = _("clock offsets")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="core_clockoffset_single"),
            models.CheckConstraint(
                condition=models.Q(offset_us__gte=0), name="core_clockoffset_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offset_us} µs"


class JobRun(models.Model):
    """One run of a beat job or command; a run without an end was killed."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")
        FAILED = "FAILED", _("failed")

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(_("job"), max_length=64)
    outcome = models.CharField(
        _("outcome"), max_length=8, choices=Status.choices, default=Status.RUNNING
    )
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    result = models.JSONField(_("result"), null=True, encoder=DjangoJSONEncoder)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        indexes: ClassVar = [models.Index(fields=["key", "-id"], name="core_jobrun_latest")]

    def __str__(self) -> str:
        return f"{self.key} {self.started_at:%Y-%m-%d %H:%M}"
