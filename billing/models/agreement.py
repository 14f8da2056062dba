"""A signed deduction agreement (委托代扣, 免密代扣): money moves with nobody touching a phone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.institution import AgreementPlan, merchant_is_open
from billing.models.invoice import INVOICE_TAIL
from core import clock
from patients.models import Consent, ConsentPurpose, Patient, Relation

FIRST_LOOK_AFTER = timedelta(minutes=1)


def first_look() -> datetime:
    """A payer signs within a minute or so; then the channel is asked."""
    return clock.now() + FIRST_LOOK_AFTER


class AgreementStatus(models.TextChoices):
    SIGNING = "SIGNING", _("being signed")
    ACTIVE = "ACTIVE", _("signed")
    PAUSED = "PAUSED", _("paused")
    ENDED = "ENDED", _("ended")


class AgreementEnd(models.TextChoices):
    """Who or what ended an agreement."""

    HOLDER = "holder", _("ended by the payer here")
    WALLET = "wallet", _("ended at the channel")
    STAFF = "staff", _("ended at the desk")
    REFUSED = "refused", _("signed by another wallet")
    NOT_SIGNED = "not_signed", _("never signed")
    CARD_LEFT = "card_left", _("own card left the account")


def holder_agrees(text_version: Any = "") -> models.Exists:
    """The holder's yes to deductions, to today's words and not taken back."""
    standing = Consent.objects.standing(ConsentPurpose.DEDUCTION.value, text_version)
    return models.Exists(standing.filter(user=models.OuterRef("holder")))


def paying_order(admitted: Agreement) -> tuple[bool, int, int]:
    """Which agreement pays first: the patient's own, then relatives', each holder's in their order.

    `preference` says nothing between two holders; of two relatives the older mandate pays.
    """
    relation = admitted.relation  # type: ignore[attr-defined]
    return relation != Relation.SELF, admitted.preference, admitted.pk


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def admitted(
        self, patient: Any, campus: Any, today: Any, text_version: Any = ""
    ) -> AgreementQuerySet:
        """What may pay for a patient at a campus on a day, limits and hours aside: signed, for this
        person, by a holder who still may pay and agrees to today's words on deductions, at a
        merchant of the place whose institution's own agreement is in term (Z1). `relation` is what
        the holder is to the person, for `paying_order`."""
        signed = self._signed_for(patient, campus, today).filter(holder_agrees(text_version))
        return signed.annotate(relation=models.F("holder__patient_access__relation"))

    def unread(self, patient: Any, campus: Any, today: Any) -> AgreementQuerySet:
        """What is not `admitted` only because its holder has not agreed to today's words."""
        return self._signed_for(patient, campus, today).filter(~holder_agrees())

    def _signed_for(self, patient: Any, campus: Any, today: Any) -> AgreementQuerySet:
        return self.filter(
            merchant_is_open(today, campus, of="plan__merchant__"),
            status=AgreementStatus.ACTIVE,
            pays_for__patient=patient,
            pays_for__active=True,
            holder__patient_access__patient=patient,
            holder__patient_access__may_pay=True,
            holder__is_active=True,
        )


class Agreement(models.Model):
    """One mandate of one wallet user. `contract_code` is ours, `contract_id` the channel's.

    Own limits may be below the plan's, never above what the plan allows. A null own limit means the
    plan's. `preference` orders one payer's agreements, lowest first. `due_at` is when the channel
    is asked again whether it stands, since the notice that it was signed or ended may be lost; null
    means there is nothing to ask.

    It deducts only while its holder's consent stands (`admitted`). A new text on deductions stops
    it without a change of its status, and it goes on once the holder has agreed to that text.

    Ended here is ended at once, whatever the channel says. `unsign_asked_at` is the intent to end
    it there too, committed before the call; `channel_ended_at` is when the channel confirmed.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        AgreementStatus.SIGNING: frozenset({AgreementStatus.ACTIVE, AgreementStatus.ENDED}),
        AgreementStatus.ACTIVE: frozenset({AgreementStatus.PAUSED, AgreementStatus.ENDED}),
        AgreementStatus.PAUSED: frozenset({AgreementStatus.ACTIVE, AgreementStatus.ENDED}),
    }

    # Its use of today: read beside the row when it is locked (`billing.locks.agreements_lock`).
    used_fen: int
    used_times: int

    objects = AgreementQuerySet.as_manager()

    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="agreements"
    )
    plan = models.ForeignKey(AgreementPlan, on_delete=models.PROTECT)
    status = models.CharField(
        max_length=8, choices=AgreementStatus, default=AgreementStatus.SIGNING
    )
    contract_code = models.CharField(max_length=32, unique=True)
    contract_id = models.CharField(max_length=64, blank=True, db_index=True)
    payer_id = models.CharField(max_length=128, blank=True)
    own_single_fen = models.BigIntegerField(null=True, blank=True)
    own_daily_fen = models.BigIntegerField(null=True, blank=True)
    preference = models.PositiveSmallIntegerField(default=1)
    signed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_how = models.CharField(
        max_length=12, choices=AgreementEnd, blank=True, default="", db_default=""
    )
    unsign_asked_at = models.DateTimeField(null=True, blank=True)
    channel_ended_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, default=first_look)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("end_agreement", "Can end an agreement at the desk")]
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(own_single_fen__isnull=True) | models.Q(own_single_fen__gt=0),
                name="agreement_own_single_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(own_daily_fen__isnull=True) | models.Q(own_daily_fen__gt=0),
                name="agreement_own_daily_positive",
            ),
            models.UniqueConstraint(
                fields=["plan", "contract_id"],
                condition=models.Q(contract_id__gt=""),
                name="agreement_contract_unique",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="agreement_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(fields=["payer_id"], name="agreement_payer"),
        ]

    def __str__(self) -> str:
        return self.contract_code

    @property
    def tail(self) -> str:
        """What its holder is told of its number, as long as a bill's."""
        return self.contract_code[-INVOICE_TAIL:]

    @property
    def single_fen(self) -> int:
        """The most one deduction may take: the plan's, or less by the holder's own limit."""
        return min(self.plan.single_fen, self.own_single_fen or self.plan.single_fen)

    @property
    def daily_fen(self) -> int:
        """The most one day may take: the plan's, or less by the holder's own limit."""
        return min(self.plan.daily_fen, self.own_daily_fen or self.plan.daily_fen)


class AgreementPatient(models.Model):
    """Whose bills this agreement pays: the holder's consent per person, taken back at any time."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="pays_for")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="paid_by")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("agreement pays for")
        verbose_name_plural = _("agreement pays for")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agreement", "patient"], name="agreement_patient_unique"
            ),
        ]
