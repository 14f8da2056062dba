"""Intent before send, one reply after it, and never other words under a number that was used."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from core import clock
from core.errors import Conflict, NotOffered
from core.outbound import InsideTransaction
from core.outcomes import Outcome
from insurance.gateway.base import Operation
from insurance.gateway.nhsa import settlements
from insurance.models import InsuranceMessage, InsuranceReply, InsuranceSession
from insurance.selectors import (
    RegionSecretsUnreadable,
    institution_of,
    message_last,
    region_profile,
)
from insurance.services.exchange import (
    content_hash,
    message_deliver,
    message_prepare,
    message_send,
)
from insurance.services.sessions import session_open
from tests.factories import patients
from tests.insurance import factories, samples
from tests.insurance.conftest import Recorded

pytestmark = pytest.mark.django_db
OK = samples.envelope({"setlinfo": samples.OUTPATIENT})


@pytest.mark.django_db(transaction=True)
def test_the_intent_is_committed_before_the_send(recorded: Recorded) -> None:
    institution = factories.institution(recorded.url)
    recorded.answer(OK)
    call = settlements.settle(samples.order())
    with transaction.atomic():
        prepared = message_prepare(institution=institution, call=call, subject="claim:1")
        with pytest.raises(InsideTransaction):
            message_deliver(prepared)
    assert recorded.requests == []
    assert InsuranceMessage.objects.get(replies=None) == prepared.message
    answer = message_deliver(prepared)
    assert answer.known.split.total_fen == 452
    sent = recorded.requests[0][2]
    row = message_last("claim:1", Operation.SETTLE)
    assert row is not None
    assert (row.message_no, row.code) == (json.loads(sent)["msgid"], "2207")
    assert row.body_hash == content_hash(sent)
    assert len(row.message_no) == 30
    assert row.message_no.startswith(f"{samples.INSTITUTION}20261120100000")
    assert not InsuranceMessage.objects.filter(replies=None).exists()


def test_every_send_has_its_own_number_and_reply(
    recorded: Recorded, django_assert_num_queries: object
) -> None:
    institution = factories.institution(recorded.url)
    for _send in range(3):
        recorded.answer(OK)
        message_send(
            institution=institution, call=settlements.settle(samples.order()), subject="claim:1"
        )
    numbers = set(InsuranceMessage.objects.values_list("message_no", flat=True))
    assert len(numbers) == 3 == InsuranceReply.objects.count()
    recorded.answer(OK)
    with django_assert_num_queries(5):  # savepoint, intent, release; call's record, reply
        message_send(
            institution=institution, call=settlements.settle(samples.order()), subject="claim:1"
        )


def test_silence_is_recorded_as_unknown(recorded: Recorded) -> None:
    institution = factories.institution(recorded.url)
    recorded.silence()
    answer = message_send(
        institution=institution, call=settlements.settle(samples.order()), subject="claim:1"
    )
    assert answer.outcome is Outcome.UNKNOWN
    reply = InsuranceReply.objects.get()
    assert (reply.outcome, reply.code, reply.executed) == ("UNKNOWN", "NO_ANSWER", None)
    row = message_last("claim:1", Operation.SETTLE)
    assert row is not None and answer.message_no == row.message_no


def test_what_was_said_cannot_be_changed(recorded: Recorded) -> None:
    institution = factories.institution(recorded.url)
    recorded.answer(OK)
    message_send(
        institution=institution, call=settlements.presettle(samples.order()), subject="claim:1"
    )
    for rows in (InsuranceMessage.objects.all(), InsuranceReply.objects.all()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(code="x")


def test_the_days_sign_in_rides_on_the_messages(recorded: Recorded) -> None:
    institution = factories.institution(recorded.url)
    InsuranceSession.objects.create(
        institution=institution,
        operator_code="KIOSK1",
        day=clock.today(),
        sign_no="SN1",
        created_at=clock.now(),
    )
    recorded.answer(OK)
    message_send(
        institution=institution_of(institution.campus_id),
        call=settlements.presettle(samples.order()),
        subject="claim:1",
    )
    assert recorded.last["sign_no"] == "SN1"


def test_a_place_without_a_code_or_contract_is_not_offered() -> None:
    with pytest.raises(NotOffered):
        institution_of(patients.campus("other").pk)
    institution = factories.institution()
    institution.region.active = False
    institution.region.save()
    with pytest.raises(NotOffered):
        institution_of(institution.campus_id)


def test_secrets_that_are_no_object_are_named_and_not_quoted() -> None:
    for text in ("not json", '["a"]', '{"a": 1}'):
        region = factories.region(area="440101", secrets=text)
        with pytest.raises(RegionSecretsUnreadable) as refusal:
            region_profile(region)
        assert text not in str(refusal.value)
        region.delete()


def test_an_operator_signs_in_once_a_day(
    recorded: Recorded, still_clock: clock.FrozenClock
) -> None:
    institution = factories.institution(recorded.url)
    recorded.answer(samples.envelope({"signinoutb": {"sign_no": "SN1"}}))
    assert session_open(institution=institution) == "SN1"
    assert session_open(institution=institution) == "SN1"
    assert len(recorded.requests) == 1
    still_clock.advance(timedelta(days=1))
    recorded.answer(samples.envelope(None, -2, "经办人未授权"))
    with pytest.raises(Conflict, match="经办人未授权"):
        session_open(institution=institution)
    assert institution_of(institution.campus_id).sign_no == ""  # type: ignore[attr-defined]
