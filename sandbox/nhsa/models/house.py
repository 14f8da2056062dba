"""The platform's keys and rules, the institutions it knows, and every message it took."""

from __future__ import annotations

from django.db import models


class House(models.Model):
    """Keys and rules of the platform; the one row that is there."""

    # Signed headers of the one-base gateway.
    paasid = models.CharField(max_length=64)
    secret_key = models.CharField(max_length=64)
    # Key of the gateway with one path per transaction.
    apikey = models.CharField(max_length=64)
    # The mobile pay centre's channel: SM2 keys as hex, private 64 and public 128 characters.
    app_id = models.CharField(max_length=64)
    app_secret = models.CharField(max_length=64)
    hospital_private = models.CharField(max_length=64)
    hospital_public = models.CharField(max_length=128)
    platform_private = models.CharField(max_length=64)
    platform_public = models.CharField(max_length=128)
    # Rules that nobody has verified are settings of the world, changed by `nhsa set_rules`.
    clock_window_s = models.IntegerField(default=300)
    code_life_s = models.IntegerField(default=60)
    # Within it a shown code may be decoded again (an answer was lost); 0: once and never again.
    code_window_s = models.IntegerField(default=60)
    token_life_s = models.IntegerField(default=86_400)
    pay_auth_life_s = models.IntegerField(default=600)

    def __str__(self) -> str:
        return self.paasid


class Institution(models.Model):
    """A hospital, or a pharmacy that settles as a place of its own."""

    class OverLimit(models.TextChoices):
        SPLIT = "split"
        REFUSE = "refuse"
        HOSPITAL = "hospital"

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=100)
    admdvs = models.CharField(max_length=6)
    # 0 the lowest tier (基层), 1, 2, 3: what benefit terms ask for.
    hosp_lv = models.CharField(max_length=1)
    kind = models.CharField(max_length=1, default="1")
    # A regional habit: fund_pay_sumamt as answered also holds the personal account.
    fund_includes_account = models.BooleanField(default=False)
    # Who bears what exceeds a price limit: the person (split), nobody (refuse), the hospital.
    over_limit = models.CharField(max_length=8, choices=OverLimit, default=OverLimit.SPLIT)
    # Where the mobile pay centre tells the hospital of a settled order (6302); empty: nowhere.
    callback_url = models.TextField(blank=True)
    # A habit of the centre: an order without cash waits to be confirmed instead of being settled.
    cashless_waits = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.code


class SignIn(models.Model):
    """An operator's day at the platform, from 9001 to 9002."""

    sign_no = models.CharField(max_length=30, unique=True)
    institution = models.ForeignKey(Institution, models.CASCADE)
    opter_no = models.CharField(max_length=30)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.sign_no


class MessageLog(models.Model):
    """One message that was understood; its number is used once per institution."""

    institution = models.ForeignKey(Institution, models.CASCADE)
    msgid = models.CharField(max_length=30)
    infno = models.CharField(max_length=6)
    body_hash = models.CharField(max_length=64)
    infcode = models.CharField(max_length=4, blank=True)
    err_msg = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["institution", "msgid"], name="nhsa_msgid_once"),
        )

    def __str__(self) -> str:
        return f"{self.infno} {self.msgid}"


class Nonce(models.Model):
    """A nonce of a signed header; known while its timestamp would still pass."""

    value = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.value


class StoredFile(models.Model):
    """A file uploaded by 9101, or made for 9102."""

    file_qury_no = models.CharField(max_length=40, unique=True)
    institution = models.ForeignKey(Institution, models.CASCADE)
    filename = models.CharField(max_length=120)
    content = models.BinaryField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.filename
