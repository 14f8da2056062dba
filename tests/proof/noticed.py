"""The scripted channel with the real adapter's reading of notices, and notices to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from billing.channels.base import MerchantAccount, Notice, NoticeKind, NoticeReply
from billing.channels.wechat_pay import WechatPay
from billing.models import Merchant
from billing.services.notices.receiving import Received, notice_receive
from tests.billing.channels import wechat_vendor as wx
from tests.contracts import wechat_samples
from tests.factories import payments
from tests.scripted import ScriptedChannel

_real = WechatPay()


class NoticedChannel(ScriptedChannel):
    """Calls are scripted; notices are proven and read as in production."""

    def parse_notice(
        self, kind: NoticeKind, headers: Mapping[str, str], body: bytes, account: MerchantAccount
    ) -> Notice:
        return _real.parse_notice(kind, headers, body, account)

    def notice_reply(self, kind: NoticeKind, *, accepted: bool, message: str) -> NoticeReply:
        return _real.notice_reply(kind, accepted=accepted, message=message)


def merchant() -> Merchant:
    """The merchant whose notices the vendor of the tests signs."""
    known = wx.account()
    return payments.merchant(wx.MCHID, app_id=known.app_id, secrets=json.dumps(dict(known.secrets)))


def paid_notice(number: str, amount_fen: int, *, event: str = "", **changes: Any) -> bytes:
    """A success under our number; `event` makes it another notice of the same payment."""
    resource = wechat_samples.paid(
        out_trade_no=number,
        transaction_id=f"42{number[-28:]}",
        amount={"total": amount_fen, "payer_total": amount_fen, "currency": "CNY"},
        **changes,
    )
    return wechat_samples.envelope(wx.sealed_resource(resource), id=event or f"EV-{number}")


def deliver(body: bytes, kind: NoticeKind = NoticeKind.CAPTURE) -> Received:
    """The channel posts a notice, signed now."""
    return notice_receive(
        channel="wechat_pay",
        merchant_no=wx.MCHID,
        kind=kind,
        headers=wx.v3_headers(body),
        body=body,
        address="127.0.0.1",
    )
