"""What is filed at the insurer for a person, and what it says stands: care elsewhere, diseases."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.crypto import EncryptedField
from insurance.models.message import InsuranceMessage
from insurance.models.region import Institution
from patients.models import Patient


class FilingKind(models.TextChoices):
    AWAY = "away", _("care in another place")
    CHRONIC = "chronic", _("chronic or special disease")


class FilingWay(models.TextChoices):
    """Why somebody is treated away from the place that insures them."""

    LONG_TERM = "long_term", _("I live or work here")
    TRANSFER = "transfer", _("A hospital sent me here")
    EMERGENCY = "emergency", _("I fell ill here on the way")


class FilingStatus(models.TextChoices):
    ASKED = "ASKED", pgettext_lazy("filing", "in progress")
    FILED = "FILED", pgettext_lazy("filing", "filed")
    REFUSED = "REFUSED", pgettext_lazy("filing", "not filed")
    ENDING = "ENDING", pgettext_lazy("filing", "being taken back")
    ENDED = "ENDED", pgettext_lazy("filing", "taken back")


S = FilingStatus


class Filing(models.Model):
    """One filing (备案), committed before it is sent and sent once.

    ASKED and ENDING are in doubt until the insurer says what stands; `due_at` is when to ask. A
    person has at most one of a kind in doubt. `promised_at`: when the person, or the clerk who
    holds the signed paper, said that what is filed is true.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        S.ASKED: frozenset({S.FILED, S.REFUSED}),
        S.FILED: frozenset({S.ENDING}),
        S.ENDING: frozenset({S.ENDED, S.FILED}),
    }
    IN_DOUBT: ClassVar[frozenset[str]] = frozenset({S.ASKED, S.ENDING})

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="filings")
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="filings", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=8, choices=FilingKind)
    status = models.CharField(
        _("status"), max_length=8, choices=FilingStatus, default=FilingStatus.ASKED
    )
    # Of care elsewhere the way as the region writes it, of a disease its national code.
    code = models.CharField(_("way or disease"), max_length=30)
    name = models.CharField(_("name"), max_length=100)
    scheme = models.CharField(_("scheme"), max_length=3)
    insured_area = models.CharField(_("insured place"), max_length=6)
    care_area = models.CharField(_("place of care"), max_length=6)
    person_no = EncryptedField()
    from_day = models.DateField(_("from the day"))
    until_day = models.DateField(_("until"))
    filing_no = models.CharField(_("number of the filing"), max_length=40, blank=True)
    message = models.ForeignKey(
        InsuranceMessage,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    answer_code = models.CharField(_("code"), max_length=64, blank=True)
    answer_text = models.CharField(_("what the insurer said"), max_length=500, blank=True)
    looks = models.PositiveIntegerField(_("times asked"), default=0)
    due_at = models.DateTimeField(_("asked again at"), null=True, blank=True)
    promised_at = models.DateTimeField(_("promised at"))
    asked_by = models.CharField(_("asked by"), max_length=100)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("filing at the insurer")
        verbose_name_plural = _("filings at the insurer")
        permissions: ClassVar = [("file_filing", "Can file at the insurer for a patient")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "kind"],
                name="filing_one_in_doubt",
                condition=models.Q(status__in=["ASKED", "ENDING"]),
            ),
            models.CheckConstraint(
                condition=models.Q(until_day__gte=models.F("from_day")), name="filing_ends_later"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="filing_due",
                condition=models.Q(due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.filing_no or self.pk}"

    @property
    def subject(self) -> str:
        """What its messages are about."""
        return f"filing:{self.pk}"

    def stands_on(self, day: date) -> bool:
        """Whether it is known to hold on a day; one that is being taken back may hold still."""
        held = self.status in (FilingStatus.FILED, FilingStatus.ENDING)
        return held and self.from_day <= day <= self.until_day


class Entitlement(models.Model):
    """A filing as the insurer last said it stands, wherever it was made. Open ends are open.

    Rows are replaced by every new answer: nothing here is evidence, `Filing` and the messages are.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="entitlements")
    kind = models.CharField(_("kind"), max_length=8, choices=FilingKind)
    insured_area = models.CharField(_("insured place"), max_length=6)
    code = models.CharField(_("way or disease"), max_length=30)
    name = models.CharField(_("name"), max_length=100, blank=True)
    care_area = models.CharField(_("place of care"), max_length=6, blank=True)
    filing_no = models.CharField(_("number of the filing"), max_length=40, blank=True)
    from_day = models.DateField(_("from the day"), null=True, blank=True)
    until_day = models.DateField(_("until"), null=True, blank=True)
    told_at = models.DateTimeField(_("told at"))

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "kind", "insured_area", "code", "care_area", "filing_no"],
                name="entitlement_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"

    def stands_on(self, day: date) -> bool:
        """Whether it holds on a day."""
        begun = self.from_day is None or self.from_day <= day
        return begun and (self.until_day is None or day <= self.until_day)
