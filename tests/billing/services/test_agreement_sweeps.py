"""Agreements whose sign or end notice was lost are asked about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import ChannelAnswer
from billing.models import Agreement
from billing.services.agreements.sweeps import agreement_look, agreements_due
from core import clock
from core.outcomes import Outcome
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

SIGNED = ChannelAnswer(Outcome.SUCCEEDED, channel_no="202600000001", payer_id="oPayer")
NOT_THERE = ChannelAnswer(Outcome.DECLINED, code="CONTRACT_NOT_EXIST", executed=False)
SILENT = ChannelAnswer(Outcome.UNKNOWN, code="NO_ANSWER")


def answer(monkeypatch: pytest.MonkeyPatch, what: ChannelAnswer | Exception) -> None:
    def agreement_query(_channel: object, _order: object) -> ChannelAnswer:
        if isinstance(what, Exception):
            raise what
        return what

    monkeypatch.setattr(scripted.ScriptedChannel, "agreement_query", agreement_query, raising=False)


def signing() -> Agreement:
    bill, holder = invoice(1_000), payments.user()
    payments.access(bill.patient, holder)
    return payments.signing([bill.patient], holder)


def look_when_due(still_clock: clock.FrozenClock, agreement: Agreement) -> float:
    """Wait until it is due, ask, and return how long the next look is away."""
    agreement.refresh_from_db()
    assert agreement.due_at is not None
    still_clock.advance(max(agreement.due_at - clock.now(), timedelta()))
    assert agreements_due(limit=10) == [agreement.pk]
    assert agreements_due(limit=10) == []  # leased
    agreement_look(agreement_id=agreement.pk)
    agreement.refresh_from_db()
    return (agreement.due_at - clock.now()).total_seconds() if agreement.due_at else 0


def test_a_lost_sign_notice_is_found_after_a_minute(
    still_clock: clock.FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = signing()
    answer(monkeypatch, SIGNED)
    still_clock.advance(timedelta(seconds=59))
    assert agreements_due(limit=10) == []
    assert look_when_due(still_clock, agreement) == 86_400
    assert (agreement.status, agreement.contract_id) == ("ACTIVE", "202600000001")


def test_a_lost_end_notice_is_found_within_a_day(
    still_clock: clock.FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = signing()
    answer(monkeypatch, SIGNED)
    look_when_due(still_clock, agreement)
    answer(monkeypatch, NOT_THERE)
    assert look_when_due(still_clock, agreement) == 0
    assert (agreement.status, agreement.due_at) == ("ENDED", None)
    still_clock.advance(timedelta(days=2))
    assert agreements_due(limit=10) == []


def test_one_nobody_signs_is_asked_about_more_rarely_and_ends_after_a_day(
    still_clock: clock.FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = signing()
    answer(monkeypatch, NOT_THERE)
    waits = [look_when_due(still_clock, agreement) for _look in range(6)]
    assert waits == [60, 120, 300, 900, 3600, 3600]
    while agreement.status == "SIGNING":
        look_when_due(still_clock, agreement)
    assert agreement.status == "ENDED"
    assert timedelta(days=1) <= clock.now() - agreement.created_at < timedelta(hours=26)


def test_a_channel_that_fails_ends_nothing_and_stops_no_other(
    still_clock: clock.FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = signing(), signing()
    answer(monkeypatch, RuntimeError("no certificate"))
    still_clock.advance(timedelta(days=2))
    assert agreements_due(limit=1) == [first.pk]
    agreement_look(agreement_id=first.pk)
    assert agreements_due(limit=1) == [second.pk]
    first.refresh_from_db()
    assert (first.status, first.attempts) == ("SIGNING", 1)


def test_an_answer_older_than_the_signing_ends_nothing(
    still_clock: clock.FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a channel that was asked before the payer signed, and answers after it
    agreement = signing()

    def agreement_query(_channel: object, _order: object) -> ChannelAnswer:
        Agreement.objects.filter(pk=agreement.pk).update(
            status="ACTIVE", contract_id="202600000001", payer_id="oPayer"
        )
        return NOT_THERE

    monkeypatch.setattr(scripted.ScriptedChannel, "agreement_query", agreement_query, raising=False)
    # when it is asked, then the agreement stands and is asked about again
    assert look_when_due(still_clock, agreement) > 0
    assert (agreement.status, agreement.contract_id) == ("ACTIVE", "202600000001")
