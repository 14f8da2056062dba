"""The centre's gateway: its routes, what silence allows there, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.core.exceptions import ImproperlyConfigured

from core import clock, outbound
from core.outbound import OutboundAnswer, OutboundRequest, Timeout
from core.outcomes import Unanswered
from insurance.gateway import gm
from insurance.gateway.base import Answer, Call, Operation, Site, Stamp, Value
from insurance.gateway.envelope import (
    CONNECT_S,
    COUNTERPARTY,
    READ_S,
    believed,
    declined,
    shown,
    unanswered,
    unknown,
)
from insurance.gateway.mobile.envelope import data_write, unwrap, wrap
from insurance.gateway.reading import Node, Unreadable, object_read

ROUTES: Mapping[Operation, str] = MappingProxyType({
    Operation.MOBILE_LINES: "/org/local/api/hos/uldFeeInfo",
    Operation.MOBILE_ORDER: "/org/local/api/hos/pay_order",
    Operation.MOBILE_REFUND: "/org/local/api/hos/refund_Order",  # the capital is the wire's
    Operation.MOBILE_QUERY: "/org/local/api/hos/query_order_info",
    Operation.MOBILE_REVOKE: "/org/local/api/hos/revoke_order",
})  # fmt: skip
UNANSWERED: Mapping[Operation, Unanswered] = MappingProxyType({
    # Under the same medOrgOrd: without its answer there is no number to ask by.
    Operation.MOBILE_LINES: Unanswered.RESEND,
    Operation.MOBILE_ORDER: Unanswered.QUERY_FIRST,
    Operation.MOBILE_REFUND: Unanswered.QUERY_FIRST,
    Operation.MOBILE_REVOKE: Unanswered.QUERY_FIRST,
    Operation.MOBILE_QUERY: Unanswered.RESEND,
})  # fmt: skip
ROUTE_PREFIX = "/org/local/api/hos"
SUCCEEDED, SYSTEM_ERROR = "0", "-1"
# No money moves in these, so a refusal need not be signed to be taken as one.
_UNSIGNED_REFUSALS = frozenset({Operation.MOBILE_LINES})


class MobileCentre:
    """The mobile-pay centre of one region. Stateless."""

    code = "mobile"
    unanswered: Mapping[Operation, Unanswered] = UNANSWERED

    def content(self, call: Call[Value], site: Site, stamp: Stamp) -> bytes:
        """The plain data: the wire form holds a random signature and differs every time."""
        return data_write(call.input).encode()

    def send(self, call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
        """Wrap, send, unwrap, judge."""
        answer = outbound.send(
            OutboundRequest(
                counterparty=COUNTERPARTY,
                operation=call.operation.value,
                reference=stamp.message_no,
                method="POST",
                url=_url(site, call.operation),
                headers={"Content-Type": "application/json; charset=utf-8"},
                body=wrap(site.region, call.input, clock.now()),
                timeout=Timeout(CONNECT_S, READ_S),
            )
        )
        judged = unanswered(call, answer) or _judge(call, site, answer)
        return judged.numbered(stamp.message_no)


def _url(site: Site, operation: Operation) -> str:
    if not site.region.mobile_url:
        raise ImproperlyConfigured(f"insurance region {site.region.area} has no mobile-pay centre")
    base = site.region.mobile_url.rstrip("/").removesuffix(ROUTE_PREFIX)
    return base + ROUTES[operation]


def _judge(call: Call[Value], site: Site, answer: OutboundAnswer) -> Answer[Value]:
    """Protocol code first, then what the data says."""
    try:
        outer = object_read(answer.body)
        envelope = Node(outer, "envelope")
        code, message = envelope.text("code", required=True), shown(envelope.text("message"))
    except Unreadable as fault:
        return unknown("UNREADABLE", fault=fault)
    try:
        data = unwrap(site.region, outer)
    except (gm.SignatureRefused, gm.CipherRefused, Unreadable) as fault:
        if code != SUCCEEDED and call.operation in _UNSIGNED_REFUSALS:
            return declined(code, message)
        return unknown("UNVERIFIED", str(fault), fault=fault)
    if code == SUCCEEDED:
        return believed(call, site, data)
    return unknown("CODE_-1", message) if code == SYSTEM_ERROR else declined(code, message)
