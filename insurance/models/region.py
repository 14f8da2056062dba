"""The insurer's regions and our institutions there: configuration, kept as rows."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from core.web_addresses import web_address_check
from insurance.gateway.base import GatewayStyle, TimestampForm
from patients.models import Campus

AREA = RegexValidator(r"^[0-9]{6}$", _("A region is six digits."))


class OperatorKind(models.TextChoices):
    CLERK = "1", _("clerk")
    SELF_SERVICE = "2", _("self-service terminal")
    MOBILE = "3", _("mobile terminal")


class InsuranceRegion(models.Model):
    """A pool (统筹区) with its platform: what differs from region to region, and nothing else.

    `fund_includes_account`: whether its `fund_pay_sumamt` counts the personal account.
    """

    area = models.CharField(_("region code"), max_length=6, unique=True, validators=[AREA])
    name = models.CharField(_("name"), max_length=100)
    style = models.CharField(
        _("style of the gateway"),
        max_length=16,
        choices=[
            (GatewayStyle.SIGNED_BASE.value, _("one address, signed headers")),
            (GatewayStyle.PATH_KEY.value, _("a path per transaction, one key")),
        ],
    )
    base_url = models.URLField(_("address"), validators=[web_address_check])
    mobile_url = models.URLField(
        _("address of the mobile-pay centre"), blank=True, validators=[web_address_check]
    )
    credential_url = models.URLField(
        _("address of the e-credential service"), blank=True, validators=[web_address_check]
    )
    wallet_url = models.URLField(
        _("page of the wallet with the insurance code"), blank=True, validators=[web_address_check]
    )
    authorise_url = models.URLField(
        _("page where the insured allow a visit"), blank=True, validators=[web_address_check]
    )
    receiver_code = models.CharField(_("receiver's code"), max_length=10)
    interface_version = models.CharField(_("interface version"), max_length=6)
    sign_type = models.CharField(_("signature kind"), max_length=10, blank=True, default="SM3")
    fund_includes_account = models.BooleanField(_("fund sum includes the account"), default=False)
    med_types = models.JSONField(_("kinds of care"), default=list)
    paths = models.JSONField(_("paths beyond the known ones"), default=dict, blank=True)
    nothing_texts = models.JSONField(_("texts for “there is none”"), default=list, blank=True)
    lines_per_call = models.PositiveSmallIntegerField(_("lines per call"), default=50)
    mobile_version = models.CharField(
        _("version at the mobile-pay centre"), max_length=8, default="2.0.1"
    )
    mobile_timestamp = models.CharField(
        _("form of its times"),
        max_length=8,
        choices=[
            (TimestampForm.MILLIS.value, _("milliseconds")),
            (TimestampForm.COMPACT.value, _("14 digits")),
        ],
        default=TimestampForm.MILLIS.value,
    )
    secrets = EncryptedField(blank=True, default="", help_text="JSON of named secrets")
    family_accounts = models.BooleanField(_("takes family accounts from us"), default=False)
    # Each way of being here (`FilingWay`) under the region's own code, and for how many days it is
    # filed; none: the region takes no filings of care elsewhere from us.
    filing_ways = models.JSONField(_("filings of care elsewhere"), default=list, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("insurance region")
        verbose_name_plural = _("insurance regions")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(lines_per_call__gte=1), name="region_sends_lines"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area} {self.name}"


class Institution(models.Model):
    """A campus at the insurer. Its code stands on the campus; the operator is who acts when no
    clerk does."""

    campus = models.OneToOneField(Campus, on_delete=models.PROTECT, related_name="institution")
    region = models.ForeignKey(
        InsuranceRegion, on_delete=models.PROTECT, related_name="institutions"
    )
    name = models.CharField(_("name at the insurer"), max_length=200)
    level = models.CharField(_("level"), max_length=3, blank=True)
    operator_kind = models.CharField(
        _("kind of operator"), max_length=3, choices=OperatorKind, default=OperatorKind.SELF_SERVICE
    )
    operator_code = models.CharField(_("operator"), max_length=30)
    operator_name = models.CharField(_("operator's name"), max_length=50)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("insured institution")
        verbose_name_plural = _("insured institutions")

    def __str__(self) -> str:
        return self.name


class InsuranceSession(models.Model):
    """One sign-in (签到) of an operator for a day; its number rides on the day's messages."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="sessions")
    operator_code = models.CharField(_("operator"), max_length=30)
    day = models.DateField(_("day"))
    sign_no = models.CharField(_("sign-in number"), max_length=30)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("sign-in at the insurer")
        verbose_name_plural = _("sign-ins at the insurer")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "operator_code", "day"], name="session_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return self.sign_no
