"""The tables of the ledger. Their rules are in `migrations/0002_rules.sql` and `*_routes.sql`.

Django only reads them (admin, tests, lists); rows are written by `services.py` with one statement.
There are no foreign keys in the database: the check would lock the one row of a busy account for
every posting. The rule trigger joins account and entry anyway and refuses what it does not find.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from billing.ledger.chart import Kind
from core.triggers import append_only


class LedgerAccount(models.Model):
    """A path of the chart that has been posted to (科目). Made on demand, never changed."""

    code = models.CharField(max_length=128)
    family = models.CharField(max_length=32)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.name) for kind in Kind])
    needs_subject = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "ledger_account"
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        triggers = (append_only("ledger_account_append_only"),)
        constraints = (
            # A constraint, not unique=True, which would add a second index for LIKE.
            models.UniqueConstraint(name="ledger_account_code", fields=["code"]),
            models.CheckConstraint(
                name="ledger_account_kind", condition=models.Q(kind__in=[k.value for k in Kind])
            ),
        )

    def __str__(self) -> str:
        return self.code


class JournalEntry(models.Model):
    """One business event (凭证). `occurred_at` is the truth, `business_day` the day it is in."""

    reference = models.CharField(max_length=96)
    event = models.CharField(max_length=40)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    business_day = models.DateField()
    invoice_id = models.BigIntegerField(null=True)
    posting_count = models.SmallIntegerField()

    class Meta:
        db_table = "ledger_entry"
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        triggers = (append_only("ledger_entry_append_only"),)
        indexes = (
            models.Index(
                name="ledger_entry_invoice",
                fields=["invoice_id"],
                condition=models.Q(invoice_id__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(name="ledger_entry_reference", fields=["reference"]),
            models.CheckConstraint(
                name="ledger_entry_two_legs", condition=models.Q(posting_count__gte=2)
            ),
        )

    def __str__(self) -> str:
        return self.reference


class Posting(models.Model):
    """One leg (分录), signed fen: debit > 0 > credit.

    The entry and the line are the key: one index less on the hottest table. An account's open days
    are read by its index; the block-range index lets `day_close` find a day without another tree.
    """

    pk = models.CompositePrimaryKey("entry_id", "line_no")
    entry = models.ForeignKey(
        JournalEntry,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="postings",
    )
    account = models.ForeignKey(
        LedgerAccount,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="postings",
    )
    subject = models.BigIntegerField(default=0)
    amount_fen = models.BigIntegerField()
    business_day = models.DateField()
    line_no = models.SmallIntegerField()

    class Meta:
        db_table = "ledger_posting"
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        triggers = (append_only("ledger_posting_append_only"),)
        indexes = (
            models.Index(name="ledger_posting_day", fields=["account", "business_day"]),
            models.Index(
                name="ledger_posting_subject",
                fields=["account", "subject"],
                condition=models.Q(subject__gt=0),
            ),
            BrinIndex(name="ledger_posting_brin", fields=["business_day"], autosummarize=True),
        )
        constraints = (
            models.CheckConstraint(
                name="ledger_posting_not_zero", condition=~models.Q(amount_fen=0)
            ),
            models.CheckConstraint(
                name="ledger_posting_subject_set", condition=models.Q(subject__gte=0)
            ),
        )

    def __str__(self) -> str:
        return f"{self.entry_id}.{self.line_no}"


class ClosedDay(models.Model):
    """A business day that gets no posting any more (日结)."""

    day = models.DateField(primary_key=True)
    closed_at = models.DateTimeField()
    entry_count = models.BigIntegerField()
    posting_count = models.BigIntegerField()
    account_count = models.BigIntegerField()
    debit_fen = models.BigIntegerField()

    class Meta:
        db_table = "ledger_closed_day"
        verbose_name = _("closed day")
        verbose_name_plural = _("closed days")
        triggers = (append_only("ledger_closed_day_append_only"),)

    def __str__(self) -> str:
        return self.day.isoformat()


class DaySnapshot(models.Model):
    """What an account had moved from its first posting to the end of a closed day.

    Written only for accounts that moved that day: the latest snapshot of an account is exact.
    """

    pk = models.CompositePrimaryKey("account_id", "day")
    account = models.ForeignKey(
        LedgerAccount,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="snapshots",
    )
    day = models.DateField()
    debit_fen = models.BigIntegerField()
    credit_fen = models.BigIntegerField()
    balance_fen = models.BigIntegerField()

    class Meta:
        db_table = "ledger_day_snapshot"
        verbose_name = _("day snapshot")
        verbose_name_plural = _("day snapshots")
        triggers = (append_only("ledger_day_snapshot_append_only"),)
        constraints = (
            models.CheckConstraint(
                name="ledger_day_snapshot_adds_up",
                condition=models.Q(
                    balance_fen=models.F("debit_fen") - models.F("credit_fen"),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.day.isoformat()}"
