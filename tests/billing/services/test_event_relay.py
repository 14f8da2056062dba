"""Events reach the HIS in order, signed, for 72 hours; one that hangs costs the others nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from billing.models import BillingReview, EventType, HisEvent, Invoice
from billing.services.events import relay
from billing.services.events.outbox import event_add
from billing.services.events.relay import (
    event_push,
    event_signature,
    events_publish,
    events_push_due,
)
from billing.tasks import sweep_events
from core import clock
from core.outbound import Failure, OutboundAnswer, OutboundRequest
from patients.models import HisClient
from tests.factories.billing import invoice
from tests.factories.patients import encounter, his_client

pytestmark = pytest.mark.django_db

TAKEN = OutboundAnswer(204, {}, b"", None, 1)
SILENT = OutboundAnswer(None, {}, b"", Failure.NO_ANSWER, 5_000)


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses called, in order; a host named `hangs` never answers."""
    urls: list[str] = []

    def send(request: OutboundRequest) -> OutboundAnswer:
        urls.append(request.url)
        return SILENT if "hangs" in request.url else TAKEN

    monkeypatch.setattr(relay, "send", send)
    return urls


def bill_of(events_url: str) -> Invoice:
    client = his_client(f"his{HisClient.objects.count()}", events_url=events_url)
    return invoice(of=encounter(client=client))


def event_of(bill: Invoice) -> None:
    """One more event of a bill."""
    with transaction.atomic():
        event_add(invoice=bill, type=EventType.REVIEW, data={}, occurred_at=clock.now())


def test_an_address_that_is_none_stops_no_sweep() -> None:
    bad = bill_of("htp://x/")
    good = bill_of("http://127.0.0.1:9/events")
    assert sweep_events() == 2
    rows = {row.invoice_id: row for row in HisEvent.objects.all()}
    assert (rows[bad.pk].attempts, rows[good.pk].attempts) == (1, 1)
    assert rows[bad.pk].due_at == clock.now() + timedelta(seconds=5)


def test_an_address_that_is_none_ends_with_a_person(still_clock: clock.FrozenClock) -> None:
    bill = bill_of("htp://x/")
    sweep_events()
    still_clock.advance(timedelta(hours=73))
    sweep_events()
    review = BillingReview.objects.get(invoice=bill)
    assert review.reason_code == "event_not_delivered"
    assert HisEvent.objects.get().due_at is None


def test_a_hanging_system_is_waited_for_once_a_sweep(
    pushed: list[str], still_clock: clock.FrozenClock
) -> None:
    hanging = bill_of("http://hangs.example/e")
    for _bill in range(2):
        invoice(of=hanging.encounter)
    answering = bill_of("http://his.example/e")
    invoice(of=answering.encounter)
    events_publish()
    assert events_push_due(limit=200) == 3
    assert pushed == ["http://hangs.example/e"] + ["http://his.example/e"] * 2
    # the next sweep begins with whoever took the last ones
    invoice(of=answering.encounter)
    still_clock.advance(timedelta(seconds=6))
    pushed.clear()
    sweep_events()
    assert pushed == ["http://his.example/e", "http://hangs.example/e"]


def test_many_waiting_events_of_one_system_leave_room_for_another(
    pushed: list[str],
) -> None:
    hanging = bill_of("http://hangs.example/e")
    for _bill in range(3):
        invoice(of=hanging.encounter)
    bill_of("http://his.example/e")
    events_publish()
    events_push_due(limit=2)
    assert "http://his.example/e" in pushed


@pytest.mark.parametrize(
    "url", ["ftp://his.example/e", "http://user:pw@his.example/e", "http:///e", "http://h:99999/"]
)
def test_an_events_address_is_checked_where_it_is_entered(url: str) -> None:
    client = his_client()
    client.events_url = url
    with pytest.raises(ValidationError) as refused:
        client.full_clean()
    assert "events_url" in refused.value.message_dict


def answering(monkeypatch: pytest.MonkeyPatch, answer: OutboundAnswer) -> list[OutboundRequest]:
    """Every push is answered so; returns what was sent."""
    sent: list[OutboundRequest] = []

    def send(request: OutboundRequest) -> OutboundAnswer:
        sent.append(request)
        return answer

    monkeypatch.setattr(relay, "send", send)
    return sent


def test_a_push_is_repeated_later_and_later_and_given_up_after_72_hours(
    monkeypatch: pytest.MonkeyPatch, still_clock: clock.FrozenClock
) -> None:
    # given a HIS that never answers
    bill = bill_of("http://hangs.example/e")
    sent = answering(monkeypatch, SILENT)
    begun, waits = clock.now(), []
    # when its event is pushed whenever it is due
    for _push in range(200):
        sweep_events()
        event = HisEvent.objects.get()
        if event.due_at is None:
            break
        waits.append(int((event.due_at - clock.now()).total_seconds()))
        assert events_push_due(limit=10) == 0  # not before its time
        assert not BillingReview.objects.exists()
        still_clock.advance(event.due_at - clock.now())
    # then it waited 5 s … 1 h, and the first push after 72 hours was the last
    assert waits[:8] == [5, 15, 30, 60, 300, 900, 1800, 3600]
    assert set(waits[8:]) == {3600}
    assert timedelta(hours=72) < clock.now() - begun <= timedelta(hours=73)
    review = BillingReview.objects.get(invoice=bill)
    assert review.reason_code == "event_not_delivered"
    assert review.figures == {"event_id": 1, "attempts": len(waits)}
    # and nothing is pushed any more
    sent.clear()
    still_clock.advance(timedelta(days=3))
    assert (sweep_events(), sent) == (0, [])


def test_72_hours_to_the_second_are_still_tried(
    monkeypatch: pytest.MonkeyPatch, still_clock: clock.FrozenClock
) -> None:
    bill_of("http://hangs.example/e")
    answering(monkeypatch, SILENT)
    events_publish()
    still_clock.advance(timedelta(hours=72))
    events_push_due(limit=10)
    assert HisEvent.objects.get().due_at == clock.now() + timedelta(seconds=5)
    assert not BillingReview.objects.exists()


@pytest.mark.parametrize(
    ("status", "taken"),
    [
        (200, True),
        (204, True),
        (299, True),
        (199, False),
        (302, False),
        (400, False),
        (409, False),
        (500, False),
    ],
)
def test_only_a_2xx_is_heard(monkeypatch: pytest.MonkeyPatch, status: int, taken: bool) -> None:
    bill_of("http://his.example/e")
    answering(monkeypatch, OutboundAnswer(status, {}, b"", None, 1))
    sweep_events()
    event = HisEvent.objects.get()
    assert (event.delivered_at is not None, event.due_at is None) == (taken, taken)
    assert event.attempts == (0 if taken else 1)


def test_a_push_is_signed_with_the_systems_own_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    bill = bill_of("http://his.example/e")
    HisClient.objects.filter(pk=bill.client_id).update(events_secret="s3cret")
    sent = answering(monkeypatch, TAKEN)
    sweep_events()
    request = sent[0]
    stamp, body = request.headers["Portal-Timestamp"], request.body
    mac = hmac.new(b"s3cret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert request.headers["Portal-Signature"] == f"v1={mac}"
    assert stamp == str(int(clock.now().timestamp()))
    told = json.loads(body)
    assert (told["invoice_no"], told["type"], told["event_id"]) == (bill.invoice_no, "priced", 1)
    assert event_signature("other", stamp, body) != f"v1={mac}"


def test_a_bills_next_event_waits_behind_the_first(
    monkeypatch: pytest.MonkeyPatch, still_clock: clock.FrozenClock
) -> None:
    # given a bill whose first event is not taken, and a second one that is due at once
    bill = bill_of("http://hangs.example/e")
    sent = answering(monkeypatch, SILENT)
    sweep_events()
    event_of(bill)
    sent.clear()
    assert (events_publish(), events_push_due(limit=10)) == (1, 0)
    assert sent == []
    # when the first one's time has come, and the HIS hears again
    still_clock.advance(timedelta(seconds=6))
    sent = answering(monkeypatch, TAKEN)
    events_push_due(limit=10)
    events_push_due(limit=10)
    # then they come in their order
    assert [json.loads(one.body)["seq"] for one in sent] == [1, 2]


def test_after_the_giving_up_the_next_event_leaves(
    monkeypatch: pytest.MonkeyPatch, still_clock: clock.FrozenClock
) -> None:
    bill = bill_of("http://hangs.example/e")
    answering(monkeypatch, SILENT)
    sweep_events()
    still_clock.advance(timedelta(hours=73))
    event_of(bill)
    sweep_events()
    sent = answering(monkeypatch, TAKEN)
    sweep_events()
    assert [json.loads(one.body)["seq"] for one in sent] == [2]


def test_an_event_being_pushed_is_pushed_by_nobody_else(
    monkeypatch: pytest.MonkeyPatch, still_clock: clock.FrozenClock
) -> None:
    bill_of("http://his.example/e")
    events_publish()
    event = HisEvent.objects.get()
    seen: list[bool] = []

    def send(_request: OutboundRequest) -> OutboundAnswer:
        seen.append(event_push(event_pk=event.pk))  # a second pusher, in the middle of the first
        return TAKEN

    monkeypatch.setattr(relay, "send", send)
    assert event_push(event_pk=event.pk)
    assert seen == [False]
    assert not event_push(event_pk=event.pk)


def test_a_system_without_an_address_or_not_in_use_is_only_paged() -> None:
    silent = bill_of("")
    stopped = bill_of("http://his.example/e")
    HisClient.objects.filter(pk=stopped.client_id).update(active=False)
    assert events_publish() == 2
    rows = HisEvent.objects.order_by("event_id").values_list("invoice", "event_id", "due_at")
    assert list(rows) == [(silent.pk, 1, None), (stopped.pk, 2, None)]


def test_numbers_go_on_where_the_last_ended() -> None:
    bill = bill_of("")
    assert events_publish() == 1
    event_of(bill)
    event_of(bill)
    assert (events_publish(), events_publish()) == (2, 0)
    numbered = HisEvent.objects.order_by("seq").values_list("event_id", flat=True)
    assert list(numbered) == [1, 2, 3]
