"""Which adapter speaks for a messenger, made from `settings.MESSENGERS`."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from patients.messengers.base import MessengerAdapter
from patients.messengers.sms import Sms
from patients.messengers.wechat_template import WechatTemplate

ADAPTERS: dict[str, type[WechatTemplate] | type[Sms]] = {
    "wechat_template": WechatTemplate,
    "sms": Sms,
}


@cache
def messenger_get(code: str) -> MessengerAdapter | None:
    """The adapter, or None where the hospital has not set this messenger up."""
    config = getattr(settings, "MESSENGERS", {}).get(code)
    return ADAPTERS[code](config) if config else None


def wechat_app_id() -> str:
    """The official account whose openids can be written to; empty without one."""
    config = getattr(settings, "MESSENGERS", {}).get("wechat_template")
    return str(config["app_id"]) if config else ""
