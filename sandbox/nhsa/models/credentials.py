"""The e-credential: what a phone shows, what a face gives, and the token both end in."""

from __future__ import annotations

from django.db import models

from sandbox.nhsa.models.people import Person


class Token(models.Model):
    """An ecToken: proof of a person at one organisation for a while."""

    token = models.CharField(max_length=50, unique=True)
    person = models.ForeignKey(Person, models.CASCADE)
    org_id = models.CharField(max_length=30)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.token


class ShownCode(models.Model):
    """The insurance code on a phone's screen; decoded once, or again within the window."""

    code = models.CharField(max_length=32, unique=True)
    person = models.ForeignKey(Person, models.CASCADE)
    expires_at = models.DateTimeField()
    decoded_at = models.DateTimeField(null=True)
    token = models.ForeignKey(Token, models.SET_NULL, null=True)

    def __str__(self) -> str:
        return self.code


class FaceScan(models.Model):
    """A face seen by a terminal: an authNo that becomes an identity once."""

    auth_no = models.CharField(max_length=40, unique=True)
    out_biz_no = models.CharField(max_length=64)
    org_id = models.CharField(max_length=30)
    person = models.ForeignKey(Person, models.CASCADE)
    expires_at = models.DateTimeField()
    token = models.ForeignKey(Token, models.SET_NULL, null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["org_id", "out_biz_no"], name="nhsa_out_biz_no_once"),
        )

    def __str__(self) -> str:
        return self.auth_no


class PayAuth(models.Model):
    """A payAuthNo: the person agreed on the phone that insurance is used for one order, or a
    relative (`payer`) did in their stead."""

    pay_auth_no = models.CharField(max_length=40, unique=True)
    person = models.ForeignKey(Person, models.CASCADE)
    payer = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    expires_at = models.DateTimeField()
    used_by = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return self.pay_auth_no
