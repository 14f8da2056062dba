"""The catalogue and the benefit parameters: data with their basis, never code."""

from __future__ import annotations

from django.db import models


class CatalogueItem(models.Model):
    """One national code in one place of care, from `valid_from` until `valid_to`."""

    NO_LIMIT = 999_999

    region = models.CharField(max_length=6)
    code = models.CharField(max_length=50)
    name = models.CharField(max_length=200)
    list_type = models.CharField(max_length=3)
    chrgitm_type = models.CharField(max_length=6)
    level = models.CharField(max_length=3)
    selfpay_prop = models.DecimalField(max_digits=5, decimal_places=4)
    price_limit = models.DecimalField(max_digits=16, decimal_places=6)
    limited_use = models.BooleanField(default=False)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    basis = models.CharField(max_length=120)
    source = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["region", "code", "valid_from"], name="nhsa_catalogue_once"
            ),
        )

    def __str__(self) -> str:
        return self.code


class BenefitTerm(models.Model):
    """Deductible, ratio and cap of (pool, scheme, care, level of hospital, retired) by year."""

    pool = models.CharField(max_length=6)
    insutype = models.CharField(max_length=6)
    care = models.CharField(max_length=12)
    hosp_lv = models.CharField(max_length=1)
    retired = models.BooleanField()
    from_year = models.IntegerField()
    deductible_fen = models.BigIntegerField()
    ratio = models.DecimalField(max_digits=5, decimal_places=4)
    # Empty: no yearly limit.
    cap_fen = models.BigIntegerField(null=True)
    basis = models.CharField(max_length=60)
    source = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["pool", "insutype", "care", "hosp_lv", "retired", "from_year"],
                name="nhsa_term_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.pool} {self.insutype} {self.care} {self.hosp_lv}"


class Pool(models.Model):
    """A place of insurance with the rules above the basic fund, as `pools.json` writes them."""

    pool = models.CharField(max_length=6)
    name = models.CharField(max_length=60)
    valid_from = models.DateField()
    rules = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["pool", "valid_from"], name="nhsa_pool_once"),
        )

    def __str__(self) -> str:
        return self.pool
