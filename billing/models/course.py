"""Where an insured bill stands between its pricing and its end."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from billing.models.returns import InvoiceReturn
from insurance.models import ClaimRoute


class CourseStep(models.TextChoices):
    """What is next to be done with the insurance of a bill; one word, written in the transaction
    that makes it so, and read by whoever drives the bill."""

    READ = "READ", _("a code to be read")
    PRICE = "PRICE", _("to be priced")
    OFFER = "OFFER", _("priced; the cash part is to be paid")
    WALLET = "WALLET", _("with the wallet, which pays insurance and cash together")
    SETTLE = "SETTLE", _("to be settled")
    TAKE = "TAKE", _("settled; the window takes the cash")
    OWED = "OWED", _("settled for good; the rest is to be paid")
    REVERSE = "REVERSE", _("to be taken back")
    DONE = "DONE", _("settled and paid")


class Why(models.TextChoices):
    """Why a settlement is to be taken back, or priced again without anybody paying."""

    NONE = "", _("none")
    DEARER = "dearer", _("it cost the patient more than was said")
    UNPAID = "unpaid", _("its cash part was not paid")
    RETURN = "return", _("goods or services were given back")


class InsuredCourse(models.Model):
    """One row for each bill that has, or had, a claim; touched only under the bill's lock.

    `busy_until` says that a process talks to the insurer about this bill and until when it may be
    believed to live, so that no two ever ask at once. `route` is the claim's own. `rounds` counts
    settlements that were dearer than their trial, `tries` this step's calls without an answer.
    `proof_wanted_at` is set while nothing but the insurance code is missing: the bill goes on by
    itself when it is shown.
    """

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="course")
    step = models.CharField(_("step"), max_length=8, choices=CourseStep, default=CourseStep.PRICE)
    route = models.CharField(
        _("route"), max_length=6, choices=ClaimRoute, default=ClaimRoute.FSI, db_default="FSI"
    )
    why = models.CharField(_("why"), max_length=8, choices=Why, blank=True, default=Why.NONE)
    busy_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("unanswered"), default=0)
    rounds = models.PositiveSmallIntegerField(_("settled dearer"), default=0)
    proof_wanted_at = models.DateTimeField(_("waits for the insurance code"), null=True, blank=True)
    borne_fen = models.BigIntegerField(_("borne by the hospital"), default=0)
    sentence = models.CharField(_("what the insurer said"), max_length=500, blank=True)
    invoice_return = models.ForeignKey(
        InvoiceReturn,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("insurance of a bill")
        verbose_name_plural = _("insurance of bills")
        indexes: ClassVar = [
            models.Index(
                fields=["proof_wanted_at"],
                name="course_wants_proof",
                condition=models.Q(proof_wanted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.step}"
