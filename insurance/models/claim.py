"""One bill at the insurer, from the trial to the settlement and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from insurance.gateway.claim_values import FundParts, Split
from insurance.models.coverage import Coverage, InsuredVisit
from insurance.models.message import InsuranceMessage
from insurance.models.region import Institution
from patients.models import Encounter, Patient

PARTS = ("fund_fen", "own_account_fen", "mutual_aid_fen", "hospital_part_fen", "cash_fen")
LINE_PARTS = ("own_fen", "over_limit_fen", "first_own_fen", "in_scope_fen")


class ClaimRoute(models.TextChoices):
    FSI = "FSI", _("hospital's own line")
    MOBILE = "MOBILE", _("mobile-pay centre")


class ClaimStatus(models.TextChoices):
    OPEN = "OPEN", _("being priced")
    PRICED = "PRICED", _("priced")
    SETTLING = "SETTLING", _("being settled")
    SETTLED = "SETTLED", _("settled")
    REVERSING = "REVERSING", _("being reversed")
    REVERSED = "REVERSED", _("reversed")
    RELEASED = "RELEASED", _("ended without a settlement")
    REVIEW = "REVIEW", _("in review")


S = ClaimStatus


def all_or_none(name: str, columns: Sequence[str]) -> models.CheckConstraint:
    """The parts are all there and make the amount, or none is."""
    total = reduce(add, (models.F(column) for column in columns))
    whole = models.Q(amount_fen=total)
    for column in columns:
        # Said twice, because a CHECK that is not known to be false passes.
        whole &= models.Q(**{f"{column}__gte": 0, f"{column}__isnull": False})
    none = models.Q(**{f"{column}__isnull": True for column in columns})
    return models.CheckConstraint(condition=whole | none, name=name)


def _columns(prefix: str) -> list[str]:
    return [f"{prefix}_{part}" for part in PARTS]


def part_field(name: Any) -> models.BigIntegerField[int | None, int | None]:
    return models.BigIntegerField(name, null=True, blank=True)


class Claim(models.Model):
    """What the insurer is asked to pay of one bill; at most one open or settled claim per bill.

    `invoice_ref` is billing's key of the bill: insurance knows no bill, so there is no foreign key.
    The route is fixed before pricing. `attempt` counts those who took the pricing up, so that an
    older one that woke again writes nothing. Amounts are in fen; `priced_*` is the trial (2206),
    `settled_*` what the insurer owes (2207). `due_at` is when to look again: null = nothing open.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        # SETTLING again: a settlement thought lost turned up, and is looked at before it counts.
        S.OPEN: frozenset({S.PRICED, S.SETTLING, S.RELEASED, S.REVIEW}),
        S.PRICED: frozenset({S.OPEN, S.PRICED, S.SETTLING, S.RELEASED, S.REVIEW}),
        # Never executed: back to its trial. Declined: the trial is not good any more either.
        S.SETTLING: frozenset({S.SETTLED, S.PRICED, S.OPEN, S.REVIEW}),
        S.SETTLED: frozenset({S.REVERSING}),
        S.REVERSING: frozenset({S.REVERSED, S.SETTLED, S.REVIEW}),
        # A person decides: look again, or begin anew once nothing stands.
        S.REVIEW: frozenset({S.OPEN, S.SETTLING, S.REVERSING, S.RELEASED}),
    }
    STANDING: ClassVar[frozenset[str]] = frozenset(
        {S.OPEN, S.PRICED, S.SETTLING, S.SETTLED, S.REVERSING, S.REVIEW}
    )
    IN_DOUBT: ClassVar[frozenset[str]] = frozenset({S.SETTLING, S.REVERSING})

    invoice_ref = models.BigIntegerField(_("bill"))
    encounter = models.ForeignKey(Encounter, on_delete=models.PROTECT, related_name="claims")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="claims")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="claims")
    coverage = models.ForeignKey(
        Coverage, null=True, blank=True, on_delete=models.PROTECT, related_name="claims"
    )
    visit = models.ForeignKey(
        InsuredVisit, null=True, blank=True, on_delete=models.PROTECT, related_name="claims"
    )
    route = models.CharField(_("route"), max_length=6, choices=ClaimRoute, default=ClaimRoute.FSI)
    status = models.CharField(
        _("status"), max_length=10, choices=ClaimStatus, default=ClaimStatus.OPEN
    )
    amount_fen = models.BigIntegerField(_("amount"))
    med_type = models.CharField(_("kind of care"), max_length=6)
    disease_code = models.CharField(_("disease"), max_length=30, blank=True)
    use_account = models.BooleanField(_("personal account may pay"), default=True)
    # Whose account may not pay and why, as checked before the trial; and that none is to be used.
    family_missed = models.JSONField(_("family accounts"), default=list, blank=True)
    holds_account = models.BooleanField(_("no family account may pay"), default=False)
    mdtrt_id = models.CharField(_("the insurer's number of the visit"), max_length=32, blank=True)
    batch_no = models.CharField(_("batch"), max_length=30, unique=True)
    settlement_no = models.CharField(_("settlement"), max_length=40, blank=True)
    reversal_no = models.CharField(_("reversal"), max_length=40, blank=True)
    settle_message = models.ForeignKey(
        InsuranceMessage,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    reverse_message = models.ForeignKey(
        InsuranceMessage,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    priced_fund_fen = part_field(_("fund (trial)"))
    priced_own_account_fen = part_field(_("own account (trial)"))
    priced_mutual_aid_fen = part_field(_("mutual aid (trial)"))
    priced_hospital_part_fen = part_field(_("hospital's part (trial)"))
    priced_cash_fen = part_field(_("cash (trial)"))
    priced_at = models.DateTimeField(_("priced at"), null=True, blank=True)
    valid_until = models.DateTimeField(_("trial valid until"), null=True, blank=True)
    priced = models.JSONField(_("the trial"), null=True, blank=True, encoder=DjangoJSONEncoder)

    settled_fund_fen = part_field(_("fund"))
    settled_own_account_fen = part_field(_("own account"))
    settled_mutual_aid_fen = part_field(_("mutual aid"))
    settled_hospital_part_fen = part_field(_("hospital's part"))
    settled_cash_fen = part_field(_("cash"))
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    settled = models.JSONField(
        _("the settlement"), null=True, blank=True, encoder=DjangoJSONEncoder
    )
    reversed_at = models.DateTimeField(_("reversed at"), null=True, blank=True)

    code = models.CharField(_("last answer"), max_length=64, blank=True)
    message = models.CharField(_("its words"), max_length=500, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    settle_tries = models.PositiveSmallIntegerField(default=0)
    looks = models.PositiveSmallIntegerField(default=0)
    lines_sent = models.BooleanField(
        _("lines lie at the insurer"), default=False, help_text="unsettled ones, to be taken away"
    )
    releasing = models.BooleanField(_("to be released"), default=False)
    undoing = models.BooleanField(
        _("to be undone"), default=False, help_text="a person decided so: whatever stands is ended"
    )
    due_at = models.DateTimeField(_("look again at"), null=True, blank=True)
    opened_by = models.CharField(_("opened by"), max_length=80)
    occurred_at = models.DateTimeField(_("happened at"))
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice_ref"],
                name="claim_one_standing_per_bill",
                condition=models.Q(
                    status__in=["OPEN", "PRICED", "SETTLING", "SETTLED", "REVERSING", "REVIEW"]
                ),
            ),
            # One number of the insurer settles one claim of an institution.
            models.UniqueConstraint(
                fields=["institution", "settlement_no"],
                name="claim_settlement_once",
                condition=~models.Q(settlement_no=""),
            ),
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="claim_amount_positive"
            ),
            all_or_none("claim_priced_adds_up", _columns("priced")),
            all_or_none("claim_settled_adds_up", _columns("settled")),
            models.CheckConstraint(
                condition=~models.Q(status__in=["SETTLED", "REVERSING", "REVERSED"])
                | (
                    models.Q(settled_cash_fen__isnull=False, settled_at__isnull=False)
                    & ~models.Q(settlement_no="")
                ),
                name="claim_settled_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["PRICED", "SETTLING"])
                | models.Q(priced_cash_fen__isnull=False, valid_until__isnull=False),
                name="claim_priced_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["SETTLING", "REVERSING"])
                | models.Q(due_at__isnull=False),
                name="claim_in_doubt_is_due",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["invoice_ref", "-id"], name="claim_of_bill"),
            # What staff search by, and a day's settlements and reversals for the comparison.
            models.Index(
                fields=["settlement_no"],
                name="claim_by_settlement",
                condition=~models.Q(settlement_no=""),
            ),
            models.Index(
                fields=["mdtrt_id"], name="claim_by_visit", condition=~models.Q(mdtrt_id="")
            ),
            models.Index(
                fields=["institution", "settled_at"],
                name="claim_settled_on",
                condition=models.Q(settled_at__isnull=False),
            ),
            models.Index(
                fields=["institution", "reversed_at"],
                name="claim_reversed_on",
                condition=models.Q(reversed_at__isnull=False),
            ),
            models.Index(
                fields=["due_at"], name="claim_due", condition=models.Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.batch_no

    @property
    def subject(self) -> str:
        """By what its messages are found."""
        return f"claim:{self.pk}"

    @property
    def uses_account(self) -> bool:
        """Whether trial and settlement are asked to take from accounts."""
        return self.use_account and not self.holds_account

    @property
    def priced_split(self) -> Split | None:
        """The trial's five parts."""
        return self._split("priced")

    @property
    def settled_split(self) -> Split | None:
        """The settlement's five parts."""
        return self._split("settled")

    @property
    def fund_parts(self) -> FundParts | None:
        """Every payer inside the fund, of the settlement or else of the trial; for the page."""
        said = self.settled or self.priced
        return FundParts(**said["fund"]) if said else None

    def _split(self, prefix: str) -> Split | None:
        parts = [getattr(self, column) for column in _columns(prefix)]
        return None if None in parts else Split(*parts)


def split_fields(prefix: str, split: Split | None) -> dict[str, Any]:
    """The five columns of a split, for a transition; None empties them."""
    return {f"{prefix}_{part}": getattr(split, part) if split else None for part in PARTS}
