"""One system of the hospital that cannot be told anything costs the others nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from billing.models import BillingReview, HisEvent, Invoice
from billing.services import event_relay
from billing.services.event_relay import events_publish, events_push_due
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

    monkeypatch.setattr(event_relay, "send", send)
    return urls


def bill_of(events_url: str) -> Invoice:
    client = his_client(f"his{HisClient.objects.count()}", events_url=events_url)
    return invoice(of=encounter(client=client))


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
