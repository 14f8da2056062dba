"""The table of channels, its check, and cash."""

from __future__ import annotations

import pytest
from django.test import override_settings

from billing.channels.base import Capability, Mode, NoticeKind, NoticeRefused, Operation
from billing.channels.cash import Cash
from billing.channels.registry import (
    UnknownChannel,
    agreement_channel_get,
    auth_code_channel,
    channel_codes,
    channel_get,
)
from billing.channels.wechat_pay import WechatPay
from billing.checks import payment_channels_check
from core import clock
from core.outcomes import Outcome, Unanswered
from tests.billing.channels.wechat_orders import capture_order, reference, refund_order

CASH_PATH = "billing.channels.cash.Cash"


class Broken:
    """Declares nothing a caller relies on."""

    code = "broken"
    capabilities = frozenset({Capability.AGREEMENT})
    refund_gap_s = -1


def test_channels_are_built_once() -> None:
    assert channel_codes()[:3] == ("wechat_pay", "alipay", "cash")
    assert isinstance(channel_get("wechat_pay"), WechatPay)
    assert channel_get("cash") is channel_get("cash")
    assert agreement_channel_get("wechat_pay") is channel_get("wechat_pay")


@pytest.mark.parametrize(
    ("code", "channel"),
    [
        ("10" + "0" * 16, "wechat_pay"),
        ("15" + "9" * 16, "wechat_pay"),
        ("16" + "0" * 16, ""),
        ("09" + "0" * 16, ""),
        ("13" + "0" * 15, ""),
        ("13" + "0" * 17, ""),
        ("25" + "0" * 14, "alipay"),
        ("30" + "0" * 22, "alipay"),
        ("24" + "0" * 16, ""),
        ("31" + "0" * 16, ""),
        ("28" + "0" * 13, ""),
        ("28" + "0" * 23, ""),
        (" 134567890123456789", ""),
        ("134567890123456789\n", ""),
        ("", ""),
        ("13" + "０" * 16, ""),
        ("13" + "٠" * 16, ""),
    ],
)
def test_only_a_payment_code_is_one(code: str, channel: str) -> None:
    assert auth_code_channel(code) == channel


@pytest.mark.parametrize("code", ["", "alipay_of_nobody"])
def test_unknown_code(code: str) -> None:
    with pytest.raises(UnknownChannel):
        channel_get(code)


def test_cash_has_no_agreements() -> None:
    with pytest.raises(UnknownChannel):
        agreement_channel_get("cash")


def test_the_configured_channels_pass_their_check() -> None:
    assert payment_channels_check(None) == []


@pytest.mark.parametrize(
    "table, words",
    [
        ({"a": "billing.channels.nowhere.Nothing"}, ["does not resolve"]),
        ({"a": "billing.channels.cash.Nothing"}, ["does not resolve"]),
        ({"other": CASH_PATH}, ["its code differs"]),
        (
            {"broken": "tests.billing.channels.test_registry.Broken"},
            [
                "verb capture is missing",
                "verb sign_url is missing",
                "nothing of sign",
                "refund_gap",
            ],
        ),
    ],
)
def test_a_faulty_table_stops_the_start(table: dict[str, str], words: list[str]) -> None:
    with override_settings(PAYMENT_CHANNELS=table):
        said = " | ".join(str(message.msg) for message in payment_channels_check(None))
    assert all(word in said for word in words)


def test_every_operation_says_what_an_unanswered_call_allows() -> None:
    for code in channel_codes():
        channel = channel_get(code)
        pays_out = Capability.TRANSFER in channel.capabilities
        outgoing = {Operation.TRANSFER, Operation.TRANSFER_QUERY}
        assert set(channel.unanswered) >= set(Operation) - (set() if pays_out else outgoing)


class Careful(Cash):
    """A channel that must be asked before its reversal is repeated."""

    unanswered = Cash.unanswered | {Operation.REVERSE: Unanswered.QUERY_FIRST}


def test_a_channel_the_sweepers_may_not_ask_again_stops_the_start() -> None:
    table = {"cash": f"{__name__}.Careful"}
    with override_settings(PAYMENT_CHANNELS=table):
        said = [str(message.msg) for message in payment_channels_check(None)]
    assert len(said) == 1 and "reverse is repeated until it is answered" in said[0]
    with override_settings(PAYMENT_CHANNELS={"cash": CASH_PATH}):
        assert payment_channels_check(None) == []


def test_cash_succeeds_as_handed_in() -> None:
    order = capture_order("", Mode.CASH, auth_code="")
    found = Cash().capture(order)
    assert (found.outcome, found.amount_fen) == (Outcome.SUCCEEDED, 8640)
    assert (found.occurred_at, found.executed) == (clock.now(), True)
    assert Cash().query(reference("", Mode.CASH)).outcome is Outcome.SUCCEEDED
    refund = refund_order("", Mode.CASH)
    assert Cash().refund(refund).amount_fen == 1250
    # and notes that were not handed out are not said to have been
    asked = Cash().refund_query(refund)
    assert (asked.outcome, asked.executed) == (Outcome.UNKNOWN, False)


def test_cash_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError):
        Cash().capture(capture_order("", Mode.NATIVE))
    with pytest.raises(ValueError):
        Cash().close(reference("", Mode.CASH))
    with pytest.raises(ValueError):
        Cash().reverse(reference("", Mode.CASH))
    with pytest.raises(NoticeRefused):
        Cash().parse_notice(NoticeKind.CAPTURE, {}, b"", refund_order("", Mode.CASH).merchant)
    assert Cash().notice_reply(NoticeKind.CAPTURE, accepted=True, message="").status == 404
