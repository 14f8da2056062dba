"""What a payer can open on which device: values of the pay pages, filled by a selector."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from billing.channels.base import OFFERED_MODES, Mode


class Device(StrEnum):
    """What the page is read with; it decides which ways can be opened from here."""

    PHONE = "phone"
    WECHAT = "wechat"  # a wallet's own browser opens no payment link of another wallet
    ALIPAY = "alipay"
    DESKTOP = "desktop"


# Whose browser it is: there this channel is the short way, and the others cannot be opened.
INSIDE = {Device.WECHAT: "wechat_pay", Device.ALIPAY: "alipay"}
_AGENTS = (("MicroMessenger", Device.WECHAT), ("AlipayClient", Device.ALIPAY))


def payer_device(user_agent: str) -> Device:
    """Guess the device. A wrong guess costs comfort only: every way works or says why not."""
    if not any(word in user_agent for word in ("Mobile", "Android", "iPhone")):
        return Device.DESKTOP
    return next((device for word, device in _AGENTS if word in user_agent), Device.PHONE)


@dataclass(frozen=True, slots=True)
class Offer:
    """One way of one channel, as a form names it: `alipay.native`."""

    channel: str
    mode: Mode

    def __str__(self) -> str:
        return f"{self.channel}.{self.mode.value}"


_OFFER = re.compile(rf"([a-z_]{{1,20}})\.({'|'.join(OFFERED_MODES)})", re.ASCII)


def offer_from(text: str) -> Offer | None:
    """The way a form names, if it has the form of one; whether it is offered is decided later."""
    found = _OFFER.fullmatch(text)
    return Offer(found[1], Mode(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Wallet:
    """A channel whose payments a payer opens by hand."""

    channel: str
    known: bool = False  # the visitor can pay inside its own browser: its app knows them
    door: str = ""  # the sign-in that would make them known
