"""What the message services keep: tokens they handed out, messages they took."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AccessToken(models.Model):
    """What the official account hands out for 7,200 s; an older one stays valid to its end."""

    token = models.CharField(max_length=128, unique=True)
    appid = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.appid} until {self.expires_at:%H:%M}"


class OAuthCode(models.Model):
    """One use, five minutes: what WeChat gives a page after the user agreed to be known."""

    code = models.CharField(max_length=64, unique=True)
    appid = models.CharField(max_length=64)
    openid = models.CharField(max_length=64)
    scope = models.CharField(max_length=32)
    expires_at = models.DateTimeField()
    used = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.openid} {'used' if self.used else 'open'}"


class Message(models.Model):
    """A message as it reached a phone: `receiver` is an openid or a phone number."""

    class Kind(models.TextChoices):
        WECHAT = "wechat_message", "微信"
        SMS = "sms", "短信"

    kind = models.CharField(max_length=16, choices=Kind)
    message_id = models.CharField(max_length=64, unique=True)
    # The sender's own number, empty when it gave none: such a message is never taken for another.
    sender_no = models.CharField(max_length=128, blank=True)
    receiver = models.CharField(max_length=64, db_index=True)
    sign_name = models.CharField(max_length=64, blank=True)
    template = models.CharField(max_length=64)
    # Pairs, since the order of the lines is the sender's.
    params = models.JSONField(default=list)
    url = models.TextField(blank=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind", "sender_no"],
                name="message_sender_no",
                condition=~models.Q(sender_no=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"
