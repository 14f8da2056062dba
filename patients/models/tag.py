"""Places with a tag: a QR code and an NFC chip that open the patient's code page."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.hospital import Campus


class LocationKind(models.TextChoices):
    WINDOW = "window", _("window")
    CONSULTING_ROOM = "consulting_room", _("consulting room")
    SERVICE_DESK = "service_desk", _("service desk")


class Location(models.Model):
    """A window, room or desk. Its code is in the address on the tag, so it is never changed."""

    code = models.CharField(
        _("code on the tag"),
        max_length=24,
        unique=True,
        validators=[RegexValidator(r"\A[A-Z0-9][A-Z0-9-]*\Z", _("Capitals, digits and hyphens."))],
    )
    campus = models.ForeignKey(Campus, on_delete=models.PROTECT, verbose_name=_("campus"))
    kind = models.CharField(_("kind"), max_length=16, choices=LocationKind)
    name = models.CharField(_("name on the page"), max_length=60)
    active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("location with a tag")
        verbose_name_plural = _("locations with a tag")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class TagTouch(models.Model):
    """A signed-in patient held the phone to a tag: who, where, when."""

    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="touches")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tag_touches"
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["location", "-id"], name="tag_touch_location"),
            models.Index(fields=["user", "-id"], name="tag_touch_user"),
        ]
        verbose_name = _("touch of a tag")
        verbose_name_plural = _("touches of tags")

    def __str__(self) -> str:
        return f"{self.location_id} {self.created_at:%Y-%m-%d %H:%M}"
