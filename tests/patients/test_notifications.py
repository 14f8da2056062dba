"""Messages: one statement to queue, sent once, retried, given up with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from core import clock
from core.models import StateChange, User
from patients.messages import TEXTS, message_fields
from patients.messengers import registry
from patients.messengers.base import SENT, Delivered, again, refused
from patients.messengers.base import Message as Outgoing
from patients.models import Notification, PatientAccess, WalletIdentity
from patients.services import notifications
from patients.services.notifications import (
    Message,
    notifications_queue,
    notifications_send_due,
)
from tests.factories.patients import patient

pytestmark = pytest.mark.django_db
FACTS = {"hospital": "主院区", "name": "张*", "amount_fen": 108640, "number": "000123"}


class Recorder:
    """A messenger that keeps what it is given and answers what it is told."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.answers: list[Delivered] = []

    def send(self, message: Outgoing) -> Delivered:
        self.sent.append(message)
        return self.answers.pop(0) if self.answers else SENT


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return messengers(monkeypatch)["wechat_template"]


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch, wechat: Recorder) -> Recorder:
    found = notifications.messenger_get("sms")
    assert isinstance(found, Recorder)
    return found


def messengers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Recorder]:
    both = {"wechat_template": Recorder(), "sms": Recorder()}
    monkeypatch.setattr(notifications, "messenger_get", both.get)
    return both


@pytest.fixture
def payer() -> User:
    """A user with an openid and an own phone."""
    user = User.objects.create_user("payer")
    WalletIdentity.objects.create(
        user=user,
        channel="wechat_pay",
        app_id=registry.wechat_app_id(),
        subject="oPayer",
        created_at=clock.now(),
    )
    PatientAccess.objects.create(
        user=user,
        patient=patient(phone="13800009999"),
        relation="self",
        may_view=True,
        created_at=clock.now(),
    )
    return user


def queue(user: User | None, *keys: str, kind: str = "paid", **more: Any) -> None:
    with transaction.atomic():
        notifications_queue(
            messages=[Message(key, kind, user.pk if user else None, FACTS) for key in keys],
            **more,
        )


def send(limit: int = 50) -> int:
    return notifications_send_due(now=clock.now(), limit=limit)


def test_several_messages_are_queued_by_one_statement_and_once(
    payer: User, django_assert_num_queries: Any
) -> None:
    with transaction.atomic():
        messages = [Message(f"paid/{n}", "paid", payer.pk, FACTS) for n in range(20)]
        with django_assert_num_queries(1):
            notifications_queue(messages=messages)
        notifications_queue(messages=messages[:5])
        notifications_queue(messages=[])
    assert Notification.objects.count() == 20


def test_an_unknown_kind_is_refused(payer: User) -> None:
    with pytest.raises(ValueError, match="gossip"):
        queue(payer, "a", kind="gossip")


def test_a_message_reaches_the_openid_and_is_sent_once(
    payer: User, wechat: Recorder, sms: Recorder
) -> None:
    queue(payer, "paid/1")
    assert (send(), send()) == (1, 0)
    row = Notification.objects.get()
    assert (row.status, row.messenger, row.address) == ("SENT", "wechat_template", "oPayer")
    assert (row.due_at, row.sent_at) == (None, clock.now())
    message = wechat.sent[0]
    assert message.address == "oPayer"
    assert message.fields["amount"] == "¥1,086.40"
    assert message.fields["number"] == "000123"
    assert not sms.sent
    assert StateChange.objects.get().to_status == "SENT"
    assert "oPayer" not in str(StateChange.objects.get().fields)


def test_who_wechat_cannot_reach_gets_a_text_message(
    payer: User, wechat: Recorder, sms: Recorder
) -> None:
    wechat.answers = [refused("43004: require subscribe")]
    queue(payer, "paid/1")
    assert send() == 1
    assert sms.sent[0].address == "13800009999"
    assert Notification.objects.get().messenger == "sms"


def test_a_patient_without_a_user_gets_a_text_message(wechat: Recorder, sms: Recorder) -> None:
    queue(None, "paid/1", patient_id=patient(phone="13800001234").pk)
    assert send() == 1
    assert sms.sent[0].address == "13800001234"


def test_nobody_to_reach_is_given_up_with_the_reason(wechat: Recorder) -> None:
    queue(User.objects.create_user("nobody"), "paid/1")
    assert send() == 0
    row = Notification.objects.get()
    assert (row.status, row.last_error, row.due_at) == ("GIVEN_UP", "nobody to reach", None)


def test_a_lost_answer_is_tried_again_later_and_later_for_a_day(
    payer: User, wechat: Recorder, sms: Recorder, still_clock: clock.FrozenClock
) -> None:
    wechat.answers = [again("no answer")] * 200
    queue(payer, "paid/1")
    started, waits = clock.now(), []
    for _try in range(60):
        assert send() == 0
        row = Notification.objects.get()
        if row.status != "WAITING":
            break
        assert row.due_at is not None
        waits.append(int((row.due_at - clock.now()).total_seconds()))
        still_clock.advance(row.due_at - clock.now())
    assert waits[:4] == [5, 15, 30, 60]
    assert waits == sorted(waits)
    assert max(waits) == 3600
    assert row.status == "GIVEN_UP"
    assert row.last_error == "no answer"
    assert timedelta(hours=24) <= clock.now() - started <= timedelta(hours=25)
    assert not sms.sent
    assert len({message.key for message in wechat.sent}) == 1


def test_a_message_another_sender_has_claimed_waits_for_its_lease(
    payer: User, wechat: Recorder, still_clock: clock.FrozenClock
) -> None:
    queue(payer, "paid/1")
    assert len(notifications._claim(clock.now(), 10)) == 1
    assert send() == 0
    still_clock.advance(notifications.LEASE)
    assert send() == 1
    assert Notification.objects.get().attempts == 2


def test_a_run_sends_no_more_than_its_limit(payer: User, wechat: Recorder) -> None:
    queue(payer, *(f"paid/{n}" for n in range(25)))
    assert (send(limit=12), send(limit=50)) == (12, 13)


def test_a_message_is_queued_only_with_what_it_tells(payer: User) -> None:
    row = Message("k", "paid", payer.pk, FACTS)
    with pytest.raises(RuntimeError), _no_transaction():
        notifications_queue(messages=[row])


class _no_transaction:
    """Pretends that no transaction is open, as in a door."""

    def __enter__(self) -> None:
        connection = transaction.get_connection()
        self.kept, connection.in_atomic_block = connection.in_atomic_block, False

    def __exit__(self, *error: object) -> None:
        transaction.get_connection().in_atomic_block = self.kept


def test_a_link_lies_encrypted_and_is_gone_once_it_was_sent(payer: User, wechat: Recorder) -> None:
    with transaction.atomic():
        notifications_queue(
            messages=[Message("pay_link/1", "pay_link", payer.pk, FACTS, "https://pay/p/t0ken")]
        )
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT link FROM patients_notification")
        assert "t0ken" not in cursor.fetchone()[0]
    send()
    assert wechat.sent[0].link == "https://pay/p/t0ken"
    assert Notification.objects.get().link == ""


def test_a_message_given_up_keeps_no_link(wechat: Recorder) -> None:
    nobody = User.objects.create_user("nobody")
    with transaction.atomic():
        notifications_queue(
            messages=[Message("pay_link/1", "pay_link", nobody.pk, FACTS, "https://pay/p/t")]
        )
    send()
    row = Notification.objects.get()
    assert (row.status, row.link) == ("GIVEN_UP", "")


def test_a_messenger_that_is_not_set_up_is_waited_for(
    payer: User, monkeypatch: pytest.MonkeyPatch, still_clock: clock.FrozenClock
) -> None:
    monkeypatch.setattr(notifications, "messenger_get", lambda _code: None)
    queue(payer, "paid/1")
    assert send() == 0
    row = Notification.objects.get()
    assert (row.status, row.last_error) == ("WAITING", "messenger not set up")
    both = messengers(monkeypatch)
    still_clock.advance(timedelta(seconds=5))
    assert send() == 1
    assert len(both["wechat_template"].sent) == 1


def test_one_refused_by_every_messenger_is_given_up_at_once(
    payer: User, wechat: Recorder, sms: Recorder
) -> None:
    wechat.answers, sms.answers = [refused("no such openid")], [refused("number is void")]
    queue(payer, "paid/1")
    assert send() == 0
    row = Notification.objects.get()
    assert (row.status, row.last_error, row.due_at) == ("GIVEN_UP", "number is void", None)
    assert (len(wechat.sent), len(sms.sent)) == (1, 1)


def test_the_oldest_leave_first(
    payer: User, wechat: Recorder, still_clock: clock.FrozenClock
) -> None:
    for number in range(3):
        queue(payer, f"paid/{number}")
        still_clock.advance(timedelta(seconds=1))
    send(limit=2)
    assert [message.key for message in wechat.sent] == ["paid/0", "paid/1"]


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_every_kind_fits_its_template_and_tells_no_more_than_a_payer_may_read(kind: str) -> None:
    fields = message_fields(kind, FACTS | {"department": "内科", "hospital": "长" * 500})
    assert set(fields) == {"title", "hospital", "name", "amount", "number", "todo"}
    assert all(0 < len(value) <= 100 for value in fields.values())
    assert "内科" not in str(fields)
