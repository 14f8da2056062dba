"""How a patient's account is entered: one verified phone, and the codes sent to phones."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import BlindIndexField, EncryptedField

# Its own purpose: a user's phone and a patient's phone must not look equal in the tables.
PHONE_INDEX_PURPOSE = "user phone"


class UserPhone(models.Model):
    """The phone that opens an account. Verified when it is written: there is no other way in."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="phone"
    )
    phone = EncryptedField()
    phone_index = BlindIndexField(
        source="phone", purpose=PHONE_INDEX_PURPOSE, unique=True, null=False
    )
    verified_at = models.DateTimeField()
    # When a code to it last opened the account, and the wrong answers to who holds it since.
    used_at = models.DateTimeField(null=True, blank=True)
    doubts = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = _("phone of a user")
        verbose_name_plural = _("phones of users")

    def __str__(self) -> str:
        return f"phone of account {self.user_id}"


class CodePurpose(models.TextChoices):
    """What a code opens. One sent for a purpose opens nothing else."""

    SIGN_IN = "sign_in", _("sign in")
    CHANGE = "change", _("change the phone")
    LEAVE = "leave", _("leave the phone")


class PhoneCode(models.Model):
    """A code that was sent to a phone. It lives minutes, counts its guesses and works once.

    The code itself is not here, only a keyed hash of it. Rows are also what the limits count, so
    that every process sees the same figures; `tries` is raised by one statement, which is why a
    thousand guesses at the same instant are still five.
    """

    phone = EncryptedField()
    phone_index = BlindIndexField(source="phone", purpose=PHONE_INDEX_PURPOSE, null=False)
    purpose = models.CharField(max_length=12, choices=CodePurpose)
    code_digest = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["phone_index", "created_at"], name="phone_code_phone"),
            models.Index(fields=["address", "created_at"], name="phone_code_address"),
            models.Index(fields=["created_at"], name="phone_code_created"),
        ]
        verbose_name = _("phone code")
        verbose_name_plural = _("phone codes")

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
