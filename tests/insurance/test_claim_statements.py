"""Pricing and settling send as many statements for a hundred lines as for one, and lines that go in
several batches are whole or not there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from insurance.gateway.base import Answer, Call, Operation, Site, Stamp, Value
from insurance.gateway.envelope import declined
from insurance.models import (
    Claim,
    ClaimLine,
    Institution,
    InsuranceMessage,
    InsuranceReply,
    InsuranceSession,
)
from insurance.services.claims import PricedState, claim_price
from tests.insurance import factories
from tests.insurance.instant import (
    LINE_FEN,
    SAID,
    InstantInsurer,
    claim_begun,
    insurer_replace,
    price_and_settle,
    statements_sent,
)

pytestmark = pytest.mark.django_db
SIZES = (1, 10, 30, 100)
STATEMENTS_MAX = 50


class Moody(InstantInsurer):
    """Refuses one 2204 of those it is told, by its place among them."""

    def __init__(self) -> None:
        self.refuses: dict[int, str] = {}
        self.heard: list[str] = []

    def send(self, call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
        self.heard.append(call.code)
        words = self.refuses.get(self.heard.count("2204"))
        if call.operation is Operation.LINES and words:
            return declined("-2", words)
        return super().send(call, site, stamp, content)


@pytest.fixture
def insurer() -> Iterator[Moody]:
    moody = Moody()
    with insurer_replace(moody):
        yield moody


@pytest.fixture
def place() -> Institution:
    """A region that takes forty lines in a call: a hundred go in three."""
    return factories.institution(lines_per_call=40)


def test_pricing_and_settling_send_as_many_statements_for_any_number_of_lines(
    insurer: Moody, place: Institution
) -> None:
    price_and_settle(claim_begun(place, 1, 1).pk)  # the day's sign-in, asked for once
    insurer.heard.clear()
    counted = {}
    for ref, lines in enumerate(SIZES, 2):
        claim = claim_begun(place, ref, lines)
        counted[lines] = statements_sent(lambda claim=claim: price_and_settle(claim.pk))
        claim.refresh_from_db()
        assert (claim.status, claim.amount_fen) == ("SETTLED", lines * LINE_FEN)
        assert claim.lines.filter(in_scope_fen=LINE_FEN).count() == lines
    assert len(set(counted.values())) == 1, counted
    assert counted[1] <= STATEMENTS_MAX, counted
    # every line was said once: in one call, or in three for a hundred
    assert insurer.heard.count("2204") == 1 + 1 + 1 + 3
    assert {*insurer.heard} == {*SAID}


def replies(claim: Claim, code: str = "2204") -> list[tuple[str, str, bool | None]]:
    rows = InsuranceReply.objects.filter(message__subject=claim.subject, message__code=code)
    return list(rows.order_by("message_id").values_list("outcome", "code", "executed"))


def test_a_refused_batch_ends_the_row_and_the_next_try_begins_it_anew(
    insurer: Moody, place: Institution
) -> None:
    claim = claim_begun(place, 1, 100)
    insurer.refuses[2] = "医保目录编码不存在"
    priced = claim_price(claim_id=claim.pk)
    # the third was never sent, and its intent says so
    assert (priced.state, insurer.heard.count("2204")) == (PricedState.REFUSED, 2)
    assert replies(claim) == [
        ("SUCCEEDED", "0", None), ("DECLINED", "-2", None), ("UNKNOWN", "NEVER_SENT", False),
    ]  # fmt: skip
    claim.refresh_from_db()
    assert claim.lines_sent and not claim.lines.exclude(in_scope_fen=None).exists()
    # what lies at the insurer is taken away before all of it is said again
    price_and_settle(claim.pk)
    assert insurer.heard[insurer.heard.index("2205") :].count("2204") == 3
    assert claim.lines.filter(in_scope_fen=LINE_FEN).count() == 100


def test_a_sign_in_that_holds_no_more_is_renewed_between_two_batches(
    insurer: Moody, place: Institution
) -> None:
    claim = claim_begun(place, 1, 100)
    insurer.refuses[2] = "签到流水号无效"
    assert claim_price(claim_id=claim.pk).state is PricedState.PRICED
    # 9001 again, then the batch that was refused and the one after it; the first is not said twice
    assert insurer.heard.count("9001") == 2 and InsuranceSession.objects.count() == 1
    assert insurer.heard.count("2204") == 4 and "2205" not in insurer.heard
    assert ClaimLine.objects.filter(claim=claim, in_scope_fen=LINE_FEN).count() == 100


def test_every_intent_is_under_a_number_of_its_own_and_has_its_reply(
    insurer: Moody, place: Institution
) -> None:
    claim = claim_begun(place, 1, 100)
    price_and_settle(claim.pk)
    rows = InsuranceMessage.objects.filter(subject=claim.subject, code="2204")
    assert len({*rows.values_list("message_no", flat=True)}) == 3
    assert len({*rows.values_list("body_hash", flat=True)}) == 3
    assert replies(claim) == [("SUCCEEDED", "0", None)] * 3
