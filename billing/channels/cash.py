"""Cash at the window: the clerk holds the banknotes when the capture is written.

Nothing is sent anywhere, so nothing is ever unanswered: a capture succeeds as handed in. A refund
is done when it is booked, because no machine sees a hand. The books give the word and the notes
leave after it, by whoever stands at the drawer: the desk says so to the clerk who decided (and in
the case, should that page be lost), and the HIS, whose operator asked for the return at its own
window, hears `refunded`. Handed out before, the money could go once more by another number; booked
and not handed out, it lies in the drawer, where the count of the shift finds it. Refuses: closing,
reversing and notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from billing.channels.base import (
    Capability,
    CaptureOrder,
    ChannelAnswer,
    MerchantAccount,
    Mode,
    Notice,
    NoticeKind,
    NoticeRefused,
    NoticeReply,
    Operation,
    OrderReference,
    RefundOrder,
)
from core import clock
from core.outcomes import Outcome, Unanswered


class Cash:
    """The adapter of banknotes."""

    code = "cash"
    capabilities: frozenset[Capability] = frozenset()
    # Declared for every verb, because a caller must not have to know that none can be unanswered.
    unanswered: Mapping[Operation, Unanswered] = MappingProxyType(
        dict.fromkeys(Operation, Unanswered.RESEND)
    )
    refund_gap_s = 0
    auth_code_form = None

    def capture(self, order: CaptureOrder) -> ChannelAnswer:
        if order.mode is not Mode.CASH:
            raise ValueError(f"cash does not capture by {order.mode}")
        return _handed_over(order.number, order.amount_fen)

    def query(self, order: OrderReference) -> ChannelAnswer:
        return _handed_over(order.number, order.amount_fen)

    def close(self, order: OrderReference) -> ChannelAnswer:
        raise ValueError("cash in hand is refunded, not closed")

    def reverse(self, order: OrderReference) -> ChannelAnswer:
        raise ValueError("cash in hand is refunded, not reversed")

    def refund(self, order: RefundOrder) -> ChannelAnswer:
        return _handed_over(order.number, order.amount_fen)

    def refund_query(self, order: RefundOrder) -> ChannelAnswer:
        # What was booked is not asked about; nobody hands out notes that were not.
        return ChannelAnswer(Outcome.UNKNOWN, code="NOT_HANDED_OUT", executed=False)

    def parse_notice(
        self, kind: NoticeKind, headers: Mapping[str, str], body: bytes, account: MerchantAccount
    ) -> Notice:
        raise NoticeRefused("nobody notifies cash")

    def notice_reply(self, kind: NoticeKind, *, accepted: bool, message: str) -> NoticeReply:
        return NoticeReply(404, b"", "text/plain")


def _handed_over(number: str, amount_fen: int) -> ChannelAnswer:
    return ChannelAnswer(
        Outcome.SUCCEEDED,
        channel_no=number,
        amount_fen=amount_fen,
        occurred_at=clock.now(),
        executed=True,
    )
