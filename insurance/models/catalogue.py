"""What the hospital charges for, and what the insurer calls it (医保目录对照)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.triggers import append_only
from insurance.models.region import Institution

# Published codes have 10 to 27 signs, by kind (drug, herb, material, service). Which kind has which
# length is disputed between the sources, so the shape alone is held to.
NATIONAL_CODE = RegexValidator(
    r"^[0-9A-Z]{10,50}$", _("A national code has 10 to 50 digits and capital letters.")
)


class ItemCategory(models.TextChoices):
    """Kinds of charges (med_chrgitm_type)."""

    BED = "01", _("bed")
    CONSULTATION = "02", _("consultation")
    EXAMINATION = "03", _("examination")
    LABORATORY = "04", _("laboratory test")
    TREATMENT = "05", _("treatment")
    SURGERY = "06", _("surgery")
    NURSING = "07", _("nursing")
    MATERIAL = "08", _("medical materials")
    WESTERN_DRUG = "09", _("western medicine")
    HERB = "10", _("herbal pieces")
    CHINESE_DRUG = "11", _("Chinese patent medicine")
    GENERAL = "12", _("general consultation fee")
    REGISTRATION = "13", _("registration")
    OTHER = "14", _("other charge")


# Drugs, in the order they are shown in.
DRUGS = (ItemCategory.WESTERN_DRUG, ItemCategory.CHINESE_DRUG, ItemCategory.HERB)


class ItemLevel(models.TextChoices):
    """How the catalogue of the place of care reimburses an item (chrgitm_lv)."""

    A = "01", _("class A")
    B = "02", _("class B")
    C = "03", _("self-paid")


class CatalogueItem(models.Model):
    """One item of an institution's price list, by the code the HIS charges it under."""

    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="items", db_index=False
    )
    hospital_code = models.CharField(_("hospital's code"), max_length=150)
    name = models.CharField(_("item"), max_length=200)
    category = models.CharField(_("kind of charge"), max_length=2, choices=ItemCategory)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("item of the hospital")
        verbose_name_plural = _("items of the hospital")
        permissions: ClassVar = [("import_items", "Can import the hospital's items")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "hospital_code"], name="catalogue_item_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hospital_code} {self.name}"


class ItemMapping(models.Model):
    """The national code an item is charged by, from a day on, with what the insurer makes of it.

    `price_limit` is a unit price in yuan; above it the patient pays. The newest span that has begun
    counts, so that two spans can never both hold on one day.
    """

    item = models.ForeignKey(
        CatalogueItem, on_delete=models.PROTECT, related_name="mappings", db_index=False
    )
    national_code = models.CharField(
        _("national code"), max_length=50, validators=[NATIONAL_CODE], db_index=True
    )
    level = models.CharField(_("class"), max_length=2, choices=ItemLevel, blank=True)
    price_limit = models.DecimalField(
        _("price limit"), max_digits=16, decimal_places=6, null=True, blank=True
    )
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until, without it"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("code of an item")
        verbose_name_plural = _("codes of items")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "valid_from"], name="item_mapping_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(valid_until=None)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="item_mapping_span",
            ),
            models.CheckConstraint(
                condition=models.Q(price_limit=None) | models.Q(price_limit__gt=Decimal(0)),
                name="item_mapping_limit_above_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.national_code} {self.valid_from}"


class ItemImport(models.Model):
    """A file of items that somebody uploaded, with what it would do; kept as evidence.

    What it did stands in the audit trail: the file itself never changes.
    """

    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="item_imports"
    )
    name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField()
    content_hash = models.CharField(_("hash of the file"), max_length=64)
    preview = models.JSONField(_("preview"))
    uploaded_by = models.CharField(_("uploaded by"), max_length=140)
    uploaded_by_name = models.CharField(_("name"), max_length=100)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("uploaded list of items")
        verbose_name_plural = _("uploaded lists of items")
        triggers: ClassVar = [append_only("append_only")]

    def __str__(self) -> str:
        return self.name
