"""A day's settlements compared with the insurer: the sums of each group, and what differs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from insurance.models.claim import Claim
from insurance.models.region import Institution


class StatementStatus(models.TextChoices):
    PENDING = "PENDING", _("to be compared")
    EVEN = "EVEN", _("even")
    DIFFERENT = "DIFFERENT", _("different, rows not known yet")
    DETAILED = "DETAILED", _("different, rows known")


T = StatementStatus


class InsurerStatement(models.Model):
    """One group of a day at an institution: a scheme, a kind and an office of clearing (3201).

    `ours_*` are the sums of our own claims of the day, settlements and reversals both as rows of
    their own, reversals negative. `verdict` is the insurer's code as it was said.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        T.PENDING: frozenset({T.EVEN, T.DIFFERENT}),
        T.EVEN: frozenset({T.EVEN, T.DIFFERENT}),
        T.DIFFERENT: frozenset({T.EVEN, T.DIFFERENT, T.DETAILED}),
        T.DETAILED: frozenset({T.EVEN, T.DIFFERENT}),
    }

    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="statements", db_index=False
    )
    day = models.DateField(_("business day"))
    scheme = models.CharField(_("scheme"), max_length=3)
    clearing_kind = models.CharField(_("kind of clearing"), max_length=6)
    office = models.CharField(_("office of clearing"), max_length=6)
    status = models.CharField(
        _("status"), max_length=10, choices=StatementStatus, default=StatementStatus.PENDING
    )
    ours_count = models.IntegerField(_("rows of ours"))
    ours_total_fen = models.BigIntegerField(_("bills of ours"))
    ours_fund_fen = models.BigIntegerField(_("fund of ours"))
    ours_account_fen = models.BigIntegerField(_("accounts of ours"))
    ours_cash_fen = models.BigIntegerField(_("cash of ours"))
    verdict = models.CharField(_("the insurer's word"), max_length=2, blank=True)
    text = models.CharField(_("its words"), max_length=500, blank=True)
    result_file = models.CharField(_("file of the result"), max_length=200, blank=True)
    compared_at = models.DateTimeField(_("compared at"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("comparison with the insurer")
        verbose_name_plural = _("comparisons with the insurer")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "day", "scheme", "clearing_kind", "office"],
                name="insurer_statement_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["day"], name="insurer_statement_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.scheme} {self.clearing_kind} {self.office}"

    @property
    def subject(self) -> str:
        """By what its messages are found."""
        return f"statement:{self.pk}"


class DifferenceKind(models.TextChoices):
    """Whose row it is; the insurer's own codes (stmt_rslt)."""

    INSURER_ONLY = "1", _("only the insurer has it")
    OURS_ONLY = "2", _("only we have it")
    AMOUNTS = "3", _("the amounts differ")


class StatementDifference(models.Model):
    """One settlement or reversal that the two sides do not share, or not with the same amounts.

    A row of the insurer's result keeps its amounts only where the region sends them. `gone_at`:
    when a later comparison found it no more.
    """

    statement = models.ForeignKey(
        InsurerStatement, on_delete=models.PROTECT, related_name="differences", db_index=False
    )
    kind = models.CharField(_("difference"), max_length=1, choices=DifferenceKind)
    settlement_no = models.CharField(_("settlement"), max_length=40)
    mdtrt_id = models.CharField(_("the insurer's number of the visit"), max_length=32, blank=True)
    refund = models.BooleanField(_("reversal"), default=False)
    claim = models.ForeignKey(
        Claim, null=True, blank=True, on_delete=models.PROTECT, related_name="differences"
    )
    ours_total_fen = models.BigIntegerField(_("bill (ours)"), null=True, blank=True)
    ours_fund_fen = models.BigIntegerField(_("fund (ours)"), null=True, blank=True)
    ours_account_fen = models.BigIntegerField(_("accounts (ours)"), null=True, blank=True)
    theirs_total_fen = models.BigIntegerField(_("bill (theirs)"), null=True, blank=True)
    theirs_fund_fen = models.BigIntegerField(_("fund (theirs)"), null=True, blank=True)
    theirs_account_fen = models.BigIntegerField(_("accounts (theirs)"), null=True, blank=True)
    memo = models.CharField(_("its words"), max_length=200, blank=True)
    found_at = models.DateTimeField(_("found at"))
    gone_at = models.DateTimeField(_("gone at"), null=True, blank=True)

    class Meta:
        verbose_name = _("difference from the insurer")
        verbose_name_plural = _("differences from the insurer")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["statement", "settlement_no"], name="statement_difference_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.settlement_no}"
