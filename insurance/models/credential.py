"""The insured person's proof for one visit."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from insurance.gateway.visit_values import CredentialKind
from patients.models import Encounter


class HeldCredential(models.Model):
    """The ecToken or card a visit is insured by, kept as long as the visit and no longer.

    Trial and settlement must bear the very proof of the registration, so it outlives the request
    that read it: encrypted, bound to its visit, emptied when the visit ends or it expires.
    """

    encounter = models.OneToOneField(
        Encounter, on_delete=models.PROTECT, related_name="insurance_credential"
    )
    kind = models.CharField(
        _("kind"), max_length=2, choices=[(one.value, one.name) for one in CredentialKind]
    )
    number = EncryptedField(blank=True, default="")
    card_serial = EncryptedField(blank=True, default="")
    insured_area = models.CharField(_("insured place"), max_length=6, blank=True)
    held = models.BooleanField(_("held"), default=True)
    obtained_at = models.DateTimeField(_("obtained at"))
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("credential of a visit")
        verbose_name_plural = _("credentials of visits")
        indexes: ClassVar = [
            models.Index(
                fields=["expires_at"],
                name="credential_still_held",
                condition=models.Q(held=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.encounter_id}"
