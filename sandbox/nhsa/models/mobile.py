"""Orders of the mobile pay centre and their refunds."""

from __future__ import annotations

from django.db import models

from sandbox.nhsa.models.house import Institution
from sandbox.nhsa.models.people import Person
from sandbox.nhsa.models.visits import Settlement, Visit


class MobileOrder(models.Model):
    """An order of 6201 on its way through ordStas."""

    pay_ord_id = models.CharField(max_length=40, unique=True)
    pay_token = models.CharField(max_length=64)
    med_org_ord = models.CharField(max_length=64)
    institution = models.ForeignKey(Institution, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)
    visit = models.ForeignKey(Visit, models.CASCADE)
    batch = models.CharField(max_length=30)
    psn_setlway = models.CharField(max_length=2, default="01")
    acct_used = models.BooleanField(default=True)
    credential = models.CharField(max_length=50)
    ord_stas = models.IntegerField(default=0)
    fee_fen = models.BigIntegerField()
    deposit_fen = models.BigIntegerField(default=0)
    # As the trial of 6202 said; the settlement has its own.
    trial = models.JSONField(default=dict)
    settlement = models.ForeignKey(Settlement, models.SET_NULL, null=True)
    cash_paid_fen = models.BigIntegerField(default=0)
    cash_refunded_fen = models.BigIntegerField(default=0)
    held_by = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()
    traced_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["institution", "med_org_ord"], name="nhsa_med_org_ord_once"
            ),
            models.CheckConstraint(
                condition=models.Q(cash_refunded_fen__lte=models.F("cash_paid_fen")),
                name="nhsa_cash_refunds_within_paid",
            ),
        )

    def __str__(self) -> str:
        return self.pay_ord_id


class MobileRefund(models.Model):
    """A refund of 6203 under the hospital's number."""

    order = models.ForeignKey(MobileOrder, models.CASCADE, related_name="refunds")
    app_refd_sn = models.CharField(max_length=64)
    refd_sn = models.CharField(max_length=40, unique=True)
    refd_type = models.CharField(max_length=4)
    fingerprint = models.CharField(max_length=64)
    fund_fen = models.BigIntegerField()
    account_fen = models.BigIntegerField()
    cash_fen = models.BigIntegerField()
    hi_sn = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=4, default="SUCC")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["order", "app_refd_sn"], name="nhsa_refund_once"),
        )

    def __str__(self) -> str:
        return self.app_refd_sn
