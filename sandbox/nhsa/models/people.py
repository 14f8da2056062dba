"""Who is insured, where, under what; who pays for whom; what a year has used up."""

from __future__ import annotations

from typing import Any

from django.db import models


class Person(models.Model):
    """An insured person; `openid` is the wallet on the same phone, if there is one."""

    psn_no = models.CharField(max_length=30, unique=True)
    psn_cert_type = models.CharField(max_length=6, default="01")
    certno = models.CharField(max_length=50, unique=True)
    name = models.CharField(max_length=50)
    gend = models.CharField(max_length=1)
    birthday = models.DateField()
    phone = models.CharField(max_length=32, blank=True)
    openid = models.CharField(max_length=64, blank=True)
    card_no = models.CharField(max_length=50, blank=True, db_index=True)
    card_valid = models.BooleanField(default=True)
    # Who enrolled a child: the only one whose account may pay for it.
    enrolled_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="wards")

    def __str__(self) -> str:
        return self.psn_no


class Coverage(models.Model):
    """One row of 1101 `insuinfo`: a scheme, its state, where, and the account on it."""

    ACTIVE = "1"

    person = models.ForeignKey(Person, models.CASCADE, related_name="coverages")
    insutype = models.CharField(max_length=6)
    psn_type = models.CharField(max_length=6)
    psn_insu_stas = models.CharField(max_length=2, default=ACTIVE)
    psn_insu_date = models.DateField()
    paus_insu_date = models.DateField(null=True)
    cvlserv_flag = models.CharField(max_length=1, default="0")
    insuplc_admdvs = models.CharField(max_length=6)
    emp_name = models.CharField(max_length=100, blank=True)
    balance_fen = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "insutype", "insuplc_admdvs"], name="nhsa_coverage_once"
            ),
            models.CheckConstraint(
                condition=models.Q(balance_fen__gte=0), name="nhsa_account_not_below_zero"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} {self.insutype}"

    @property
    def retired(self) -> bool:
        return self.psn_type.startswith("12")


class FamilyLink(models.Model):
    """`payer`'s account may pay for `member`; the conditions are kept as they were shown."""

    class Relation(models.TextChoices):
        CHILD = "child"
        SPOUSE = "spouse"
        PARENT = "parent"

    # What the member is to the payer.
    relation = models.CharField(max_length=8, choices=Relation)
    payer = models.ForeignKey(Person, models.CASCADE, related_name="pays_for")
    member = models.ForeignKey(Person, models.CASCADE, related_name="paid_by")
    # The member's card is linked to the payer's electronic one.
    card_linked = models.BooleanField(default=True)
    # Both are entered as one family account.
    family_account = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["payer", "member"],
                condition=models.Q(ended_at__isnull=True),
                name="nhsa_family_link_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.payer_id} {self.relation} {self.member_id}"


class Entitlement(models.Model):
    """A filing or a right with dates: chronic disease, care elsewhere, rescue, commercial cover."""

    class Kind(models.TextChoices):
        CHRONIC = "chronic"
        CROSS_REGION = "cross_region"
        RESCUE = "rescue"
        COMMERCIAL = "commercial"

    person = models.ForeignKey(Person, models.CASCADE, related_name="entitlements")
    kind = models.CharField(max_length=12, choices=Kind)
    # The disease, the way of going elsewhere (long_term, transfer, emergency), the rescue identity.
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=100, blank=True)
    # Where care elsewhere is filed for.
    region = models.CharField(max_length=6, blank=True)
    number = models.CharField(max_length=40, unique=True)
    begndate = models.DateField()
    enddate = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"


class Accumulator(models.Model):
    """What one person's scheme has used in one year; settled and undone by the same amounts."""

    COUNTED = (
        "medfee_fen",
        "deductible_fen",
        "fund_fen",
        "scope_self_fen",
        "serious_fen",
        "civil_fen",
        "aid_fen",
        "account_fen",
        "visits",
    )

    person = models.ForeignKey(Person, models.CASCADE)
    insutype = models.CharField(max_length=6)
    year = models.IntegerField()
    medfee_fen = models.BigIntegerField(default=0)
    deductible_fen = models.BigIntegerField(default=0)
    fund_fen = models.BigIntegerField(default=0)
    # In-scope money the basic fund did not pay: what serious illness cover counts from.
    scope_self_fen = models.BigIntegerField(default=0)
    serious_fen = models.BigIntegerField(default=0)
    civil_fen = models.BigIntegerField(default=0)
    aid_fen = models.BigIntegerField(default=0)
    account_fen = models.BigIntegerField(default=0)
    visits = models.IntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "insutype", "year"], name="nhsa_accumulator_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} {self.insutype} {self.year}"

    def add(self, deltas: dict[str, Any]) -> None:
        for name in self.COUNTED:
            setattr(self, name, getattr(self, name) + int(deltas.get(name, 0)))
