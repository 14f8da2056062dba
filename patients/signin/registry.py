"""Which doors this hospital has, made from `settings.SIGN_IN_DOORS`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from patients.signin.alipay import AlipayDoor
from patients.signin.base import Door
from patients.signin.wechat import WechatDoor

DOORS: dict[str, type[WechatDoor] | type[AlipayDoor]] = {
    "wechat": WechatDoor,
    "alipay": AlipayDoor,
}
NAMES = {"wechat": _("Sign in with WeChat"), "alipay": _("Sign in with Alipay")}
# By the channel that vouches: asked of whoever came by a wallet and proved a phone.
JOIN = {
    "wechat_pay": _("Sign in with this WeChat in future"),
    "alipay": _("Sign in with this Alipay in future"),
}
# What the browser inside each wallet says of itself: there its own door is the short way.
_INSIDE = {"wechat": "micromessenger", "alipay": "alipayclient"}


@cache
def door_get(code: str) -> Door | None:
    """The door, or None where the hospital has not set it up."""
    config = getattr(settings, "SIGN_IN_DOORS", {}).get(code)
    if not config or code not in DOORS:
        return None
    keys = config.get("keys_file")
    return DOORS[code](config) if not keys or Path(keys).is_file() else None


def door_for(*, channel: str, app_id: str) -> str:
    """The door that makes a visitor known to this app of a wallet; empty without one."""
    for code in DOORS:
        door = door_get(code)
        if door is not None and (door.channel, door.app_id) == (channel, app_id):
            return code
    return ""


def doors_open(user_agent: str) -> list[str]:
    """The doors to offer, the wallet's own first; none of another wallet inside a wallet."""
    agent = user_agent.lower()
    inside = [code for code, word in _INSIDE.items() if word in agent]
    return [code for code in DOORS if door_get(code) and (not inside or code in inside)]
