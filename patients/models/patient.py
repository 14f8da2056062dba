"""The person, and the numbers a hospital knows them by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import BlindIndexField, EncryptedField
from core.review import ReviewCase
from patients.models.hospital import HisClient

ID_NUMBER_TAIL = 6


class Sex(models.TextChoices):
    MALE = "male", _("male")
    FEMALE = "female", _("female")
    UNKNOWN = "unknown", _("unknown")


class IdType(models.TextChoices):
    """Certificate kinds (证件类型); the number itself is optional: a newborn has none."""

    ID_CARD = "id_card", _("ID card")
    PASSPORT = "passport", _("passport")
    HK_MO_PERMIT = "hk_mo_permit", _("travel permit for Hong Kong and Macao residents")
    TW_PERMIT = "tw_permit", _("travel permit for Taiwan residents")
    FOREIGN_RESIDENT = "foreign_resident", _("foreign permanent resident card")
    HOUSEHOLD = "household", _("household register")
    OTHER = "other", _("other certificate")


class Patient(models.Model):
    """A person. The same id_type, number and name is the same person; another name is a review."""

    name = models.CharField(max_length=100, db_index=True)
    sex = models.CharField(max_length=8, choices=Sex, default=Sex.UNKNOWN)
    birth_date = models.DateField(null=True, blank=True)
    id_type = models.CharField(max_length=20, choices=IdType, default=IdType.ID_CARD)
    id_number = EncryptedField(blank=True, default="")
    id_number_index = models.CharField(max_length=64, blank=True, default="", db_index=True)
    # For who reads the end of a card aloud; found by it, never read from it.
    id_number_tail = BlindIndexField(
        source="id_number", purpose="patient id number tail", tail=ID_NUMBER_TAIL, db_index=True
    )
    phone = EncryptedField(blank=True, default="")
    phone_index = models.CharField(max_length=64, blank=True, default="", db_index=True)
    # Who told the phone, and may change it; empty where it was recorded before this was.
    phone_client = models.ForeignKey(
        HisClient, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    guardian = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="wards"
    )
    # Who told birth, sex and guardian, and may change them; empty where recorded before this was.
    facts_client = models.ForeignKey(
        HisClient, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # A duplicate that was joined with this other record; it is empty and gets nothing new.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        permissions: ClassVar = [
            ("search_patient", "Can look patients up"),
            ("reveal_patient", "Can see unmasked personal data, recorded"),
        ]

    def __str__(self) -> str:
        return self.name


class IdentifierKind(models.TextChoices):
    MRN = "mrn", _("medical record number")
    CARD = "card", _("visiting card")


class Identifier(models.Model):
    """A number the hospital gave a patient; unique per client and kind."""

    client = models.ForeignKey(HisClient, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField(max_length=8, choices=IdentifierKind)
    value = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "kind", "value"], name="identifier_unique"),
        ]
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")

    def __str__(self) -> str:
        return self.value


class PatientReview(ReviewCase):
    """A question about who somebody is: the same certificate number under another name.

    Two records, or one (`patient` is `other`) whose own client tells another name for it.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="reviews")
    other = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    # The name told for the one record; it is taken over when the case is settled.
    told_name = models.CharField(_("name told"), max_length=100, blank=True, default="")

    class Meta(ReviewCase.Meta):
        verbose_name = _("patient review")
        verbose_name_plural = _("patient reviews")
