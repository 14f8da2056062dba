"""What people decide about a filing whose end the insurer does not say."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.review import ReviewCase, ReviewStatus
from insurance.models.filing import Filing


class FilingVerdict(models.TextChoices):
    """What somebody found out elsewhere: at the insurer's counter, by phone, on its own page."""

    STANDS = "stands", pgettext_lazy("filing", "it stands at the insurer")
    NOTHING = "nothing", pgettext_lazy("filing", "nothing stands at the insurer")


class FilingDecision(ReviewCase):
    """An end that one person asks for and another decides, where a bill hangs on the filing.

    `summary` is how the first one knows it; `filing_no` the number the insurer named, where it
    stands. A filing has one such question open at most, and none once its end is known.
    """

    reason_code = None  # type: ignore[assignment]  # that the filing is in doubt is why it waits
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(_("what stands"), max_length=8, choices=FilingVerdict)
    filing_no = models.CharField(_("number of the filing"), max_length=40, blank=True)

    class Meta(ReviewCase.Meta):
        verbose_name = _("decision about a filing")
        verbose_name_plural = _("decisions about filings")
        constraints: ClassVar = [
            *ReviewCase.Meta.constraints,
            models.UniqueConstraint(
                fields=["filing"],
                name="filing_decision_one_open",
                condition=models.Q(status=ReviewStatus.OPEN),
            ),
            models.CheckConstraint(
                condition=models.Q(verdict=FilingVerdict.NOTHING, filing_no="")
                | (models.Q(verdict=FilingVerdict.STANDS) & ~models.Q(filing_no="")),
                name="filing_decision_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.filing_no}".strip()
