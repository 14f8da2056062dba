"""The credentials the two vendors gave the hospital, from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    key: str
    secret: str


def official_account() -> Account:
    return Account(
        os.environ.get("SANDBOX_WECHAT_APPID", "wx5a0db0c0ffee0001"),
        os.environ.get("SANDBOX_WECHAT_APP_SECRET", "sandbox-wechat-app-secret"),
    )


def sms_account() -> Account:
    return Account(
        os.environ.get("SANDBOX_SMS_KEY", "sandbox-sms-key"),
        os.environ.get("SANDBOX_SMS_SECRET", "sandbox-sms-secret"),
    )
