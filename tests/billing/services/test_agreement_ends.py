"""An end is at once here and asked for at the channel until the channel says so itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import ChannelAnswer
from billing.models import Agreement
from billing.services.agreements.ends import (
    agreement_end_by_holder,
    agreement_end_by_staff,
    agreement_unsign,
)
from billing.services.agreements.sweeps import agreement_look, agreements_due
from core import clock
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.models import AuditEvent, StateChange, User
from core.outcomes import Outcome
from patients.actors import patient_actor
from tests.billing.services.agreement_house import (
    DONE,
    GONE,
    SILENT,
    STAFF,
    STANDS,
    Wallet,
    as_was,
    begin,
    family,
    standing,
    told,
    wallet_of,
)
from tests.billing.services.bills import driven
from tests.billing.services.test_agreements import told as notice_told
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

BUSY = ChannelAnswer(Outcome.DECLINED, code="SYSTEMERROR")


@pytest.fixture
def wallet(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    return wallet_of(monkeypatch)


def ended_by_holder(user: User, agreement: Agreement) -> Agreement:
    agreement_end_by_holder(user=user, agreement_id=agreement.pk, by=patient_actor(user))
    return as_was(agreement)


def looked(still_clock: clock.FrozenClock, agreement: Agreement) -> Agreement:
    """Wait until the sweeper finds it, and let it look."""
    assert agreement.due_at is not None
    still_clock.advance(agreement.due_at - clock.now())
    assert agreements_due(limit=10) == [agreement.pk]
    agreement_look(agreement_id=agreement.pk)
    return as_was(agreement)


def test_the_payer_ends_it_here_and_at_the_channel(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = ended_by_holder(user, standing(user, [own]))
    assert (agreement.status, agreement.ended_how) == ("ENDED", "holder")
    assert (agreement.ended_at, agreement.channel_ended_at) == (clock.now(), clock.now())
    assert agreement.due_at is None
    assert wallet.asked == [("unsign", agreement.contract_code, agreement.contract_id)]
    assert told(user) == ["agreement_ended"]


def test_the_intent_is_committed_before_the_call(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    seen: list[tuple[str, bool, bool]] = []

    def unsign(_self: object, _order: object, *, reason: str) -> ChannelAnswer:
        row = Agreement.objects.get(pk=agreement.pk)
        seen.append((row.status, row.unsign_asked_at is not None, row.due_at is not None))
        return DONE

    monkeypatch.setattr("tests.scripted.ScriptedChannel.unsign", unsign)
    ended_by_holder(user, agreement)
    assert seen == [("ENDED", True, True)]


@pytest.mark.parametrize("answer", [SILENT, BUSY, RuntimeError("no certificate")], ids=str)
def test_whatever_the_channel_answers_nothing_more_is_deducted(
    wallet: Wallet, answer: ChannelAnswer | Exception
) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    wallet.unsigns.append(answer)
    agreement = ended_by_holder(user, agreement)
    assert (agreement.status, agreement.channel_ended_at) == ("ENDED", None)
    assert agreement.due_at is not None
    bill = invoice(1_000)
    bill.patient_id = own.pk
    bill.save()
    payments.collect(bill)
    assert driven(bill).status == "ISSUED"


def test_an_unknown_end_is_asked_about_never_assumed(
    wallet: Wallet, still_clock: clock.FrozenClock
) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    wallet.unsigns.extend([SILENT, SILENT])
    wallet.queries.extend([SILENT, STANDS, GONE])
    agreement = ended_by_holder(user, agreement)
    agreement = looked(still_clock, agreement)  # still no answer: not sent again blindly
    assert (wallet.verbs, agreement.channel_ended_at) == (["unsign", "query"], None)
    agreement = looked(still_clock, agreement)  # it stands: asked to end once more, unanswered
    assert wallet.verbs == ["unsign", "query", "query", "unsign"]
    assert agreement.channel_ended_at is None
    agreement = looked(still_clock, agreement)
    assert agreement.channel_ended_at == clock.now()
    assert agreement.due_at is None
    assert wallet.verbs[-1] == "query"
    assert agreements_due(limit=10) == []


def test_a_lost_worker_leaves_the_end_to_the_sweeper(
    wallet: Wallet, still_clock: clock.FrozenClock
) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    wallet.unsigns.append(RuntimeError("killed"))
    agreement = ended_by_holder(user, agreement)
    agreement = looked(still_clock, agreement)
    assert agreement.channel_ended_at == clock.now()
    assert wallet.verbs == ["unsign", "unsign"]


def test_the_notice_of_our_own_end_confirms_it(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    wallet.unsigns.append(SILENT)
    agreement = ended_by_holder(user, agreement)
    assert notice_told(agreement, active=False, payer_id=agreement.payer_id) == "ended before"
    assert (agreement.channel_ended_at, agreement.due_at) == (clock.now(), None)
    assert told(user) == ["agreement_ended"]
    assert agreement_unsign(agreement_id=agreement.pk)
    assert wallet.verbs == ["unsign"]


def test_ended_twice_is_ended_once(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = ended_by_holder(user, standing(user, [own]))
    ended_by_holder(user, agreement)
    assert wallet.verbs == ["unsign"]
    assert StateChange.objects.filter(entity="billing.agreement").count() == 1
    assert told(user) == ["agreement_ended"]


def test_somebody_elses_agreement_is_not_ended(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    other = payments.user()
    with pytest.raises(NotFound):
        agreement_end_by_holder(user=other, agreement_id=agreement.pk, by=patient_actor(other))
    assert (as_was(agreement).status, wallet.asked) == ("ACTIVE", [])


def test_a_payer_who_thinks_again_may_still_have_signed(
    wallet: Wallet, still_clock: clock.FrozenClock
) -> None:
    user, own, _mother = family()
    agreement = ended_by_holder(user, begin(user, [own]))
    assert (agreement.status, agreement.channel_ended_at) == ("ENDED", clock.now())
    assert notice_told(agreement) == "signed after its end"
    assert (agreement.status, agreement.channel_ended_at) == ("ENDED", None)
    agreement = looked(still_clock, agreement)
    assert wallet.asked[-1] == ("unsign", agreement.contract_code, "202600000001")
    assert agreement.channel_ended_at is not None
    assert notice_told(agreement) == "signed before"  # the same contract again: nothing is asked
    assert agreement.due_at is None


def test_a_link_signed_after_its_day_is_told_once_as_no_longer_valid(
    wallet: Wallet, still_clock: clock.FrozenClock
) -> None:
    # given a link nobody signed for a day, which ended without a word
    user, own, _mother = family()
    agreement = begin(user, [own])
    still_clock.advance(timedelta(hours=25))
    agreement_look(agreement_id=agreement.pk)
    assert (as_was(agreement).ended_how, told(user)) == ("not_signed", [])
    # when it is signed after all, and the channel says so twice
    for _time in range(2):
        assert notice_told(agreement) == "signed after its end"
    # then its holder is told once, and it is asked to end there
    assert told(user) == ["agreement_too_late"]
    assert agreement.unsign_asked_at is not None


def test_an_old_notice_of_what_was_signed_and_ended_tells_nothing(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own], contract_id="202600000001", payer_id="oHolder")
    wallet.unsigns.append(SILENT)
    ended_by_holder(user, agreement)
    assert notice_told(agreement) == "signed after its end"
    assert told(user) == ["agreement_ended"]


def test_an_end_in_the_wallet_is_told_once_and_asks_nothing(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    assert notice_told(agreement, active=False, payer_id=agreement.payer_id) == "ended"
    assert (agreement.ended_how, agreement.channel_ended_at) == ("wallet", clock.now())
    assert (agreement.unsign_asked_at, agreement.due_at) == (None, None)
    notice_told(agreement, active=False, payer_id=agreement.payer_id)
    assert (told(user), wallet.asked) == (["agreement_unsigned"], [])


def test_the_desk_ends_it_with_a_reason(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    agreement_end_by_staff(agreement_id=agreement.pk, reason="  本人到 窗口 申请 ", by=STAFF)
    assert (as_was(agreement).status, agreement.ended_how) == ("ENDED", "staff")
    assert agreement.channel_ended_at is not None
    event = AuditEvent.objects.get(action="agreement_ended_at_desk")
    assert event.detail == {"reason": "本人到 窗口 申请", "holder": user.pk}
    assert told(user) == ["agreement_ended"]
    with pytest.raises(Conflict):
        agreement_end_by_staff(agreement_id=agreement.pk, reason="again", by=STAFF)


@pytest.mark.parametrize("reason", ["", "   ", "长" * 201], ids=["none", "blank", "long"])
def test_the_desk_must_say_why(wallet: Wallet, reason: str) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    with pytest.raises(BadInput, match="reason_missing"):
        agreement_end_by_staff(agreement_id=agreement.pk, reason=reason, by=STAFF)
    assert (as_was(agreement).status, wallet.asked) == ("ACTIVE", [])


def test_only_staff_end_for_others_and_only_what_there_is(wallet: Wallet) -> None:
    user, own, _mother = family()
    agreement = standing(user, [own])
    with pytest.raises(Forbidden):
        agreement_end_by_staff(agreement_id=agreement.pk, reason="x", by=patient_actor(user))
    with pytest.raises(NotFound):
        agreement_end_by_staff(agreement_id=987_654, reason="x", by=STAFF)
    assert (as_was(agreement).status, wallet.asked) == ("ACTIVE", [])
