"""The places of the hospital and the systems that speak for it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from core.web_addresses import web_address_check


class CampusKind(models.TextChoices):
    HOSPITAL = "hospital", _("hospital")
    PHARMACY = "pharmacy", _("pharmacy")


class Campus(models.Model):
    """A place with its own institution code (定点医药机构编号) and its own merchants."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=CampusKind, default=CampusKind.HOSPITAL)
    institution_code = models.CharField(max_length=32, blank=True)
    window_text = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=32, blank=True)

    class Meta:
        verbose_name = _("campus")
        verbose_name_plural = _("campuses")

    def __str__(self) -> str:
        return self.name


class HisClient(models.Model):
    """A system of the hospital that may call the API, by token, scope and address.

    Numbers it gives us (encounter, charge, invoice, request, refund) are unique per client. It
    registers visits at its own campuses only, and so bills by their merchants only; a client
    without any may do so at all of them.
    """

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=100)
    token_digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="read, write, money; empty list = none")
    addresses = models.JSONField(default=list, help_text="networks; empty list = any")
    events_url = models.URLField(blank=True, validators=[web_address_check])
    events_secret = EncryptedField(blank=True, default="")
    active = models.BooleanField(default=True)
    campuses = models.ManyToManyField(
        Campus, blank=True, related_name="his_clients", verbose_name=_("campuses")
    )

    class Meta:
        verbose_name = _("HIS client")
        verbose_name_plural = _("HIS clients")

    def __str__(self) -> str:
        return self.name
