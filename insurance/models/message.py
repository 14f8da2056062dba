"""What was said to the insurer, committed before it was sent, and what was learnt."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.outcomes import Outcome
from core.triggers import append_only
from insurance.models.region import Institution


class InsuranceMessage(models.Model):
    """One message to the insurer's platforms, by the number that a reversal (2601) names.

    The body itself is not kept: it holds personal data. Its hash says whether a body that is sent
    again under the number is the same one.
    """

    message_no = models.CharField(_("message number"), max_length=30, unique=True)
    gateway = models.CharField(_("platform"), max_length=16)
    operation = models.CharField(_("operation"), max_length=24)
    code = models.CharField(_("transaction"), max_length=24)
    body_hash = models.CharField(_("hash of the body"), max_length=64)
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    sign_no = models.CharField(_("sign-in number"), max_length=30, blank=True)
    # A word and a number instead of a foreign key: many kinds of rows ask the insurer.
    subject = models.CharField(_("subject"), max_length=64)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("message to the insurer")
        verbose_name_plural = _("messages to the insurer")
        indexes: ClassVar = [models.Index(fields=["subject", "-id"], name="message_of_subject")]
        triggers: ClassVar = [append_only("append_only")]

    def __str__(self) -> str:
        return f"{self.code} {self.message_no}"


class InsuranceReply(models.Model):
    """What one send of a message learnt. Without a row the send may or may not have happened."""

    message = models.ForeignKey(InsuranceMessage, on_delete=models.PROTECT, related_name="replies")
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=[(one.value, one.value) for one in Outcome]
    )
    code = models.CharField(_("code"), max_length=32, blank=True)
    text = models.CharField(_("text"), max_length=500, blank=True)
    executed = models.BooleanField(_("executed"), null=True)
    platform_no = models.CharField(_("the insurer's number"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("reply of the insurer")
        verbose_name_plural = _("replies of the insurer")
        triggers: ClassVar = [append_only("append_only")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.code}"
