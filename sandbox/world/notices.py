"""Delivery of notices on real sockets: a row first, a packet soon after, retried as vendors do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import httpx
from django.db import connection, transaction

from sandbox.world import clock, faults
from sandbox.world.models import Notice
from sandbox.world.registry import SEALS

log = logging.getLogger(__name__)
# A notice leaves this long after its event, and the sender gathers what came meanwhile.
GATHER_S = 0.06
SOON = timedelta(milliseconds=40)
POLL_S = 0.5
# A payment vendor's cadence: 15 tries in a little over 24 hours.
CADENCE_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
ANSWER_WITHIN_S = 5.0
SENDERS = 12
_wake = threading.Event()
# A proxy of this machine has no say on loopback.
_client = httpx.Client(
    timeout=ANSWER_WITHIN_S, limits=httpx.Limits(max_connections=SENDERS * 2), trust_env=False
)


@dataclass(frozen=True)
class Letter:
    """A notice to be queued; `wrong_body` is what goes out under `wrong_amount_notice`."""

    counterparty: str
    operation: str
    sender: str
    event: str
    number: str
    url: str
    content_type: str
    body: bytes
    wrong_body: bytes = b""
    # For protocols that sign inside the body: what goes out under `bad_signature`.
    spoilt_body: bytes = b""
    delay_s: float = 0.0
    expects: str = ""
    cadence: Sequence[int] = CADENCE_S


def wake() -> None:
    """Let the sender look at the queue now."""
    _wake.set()


def notice_queue(letter: Letter) -> None:
    """Queue a notice in the caller's transaction; it leaves after the commit.

    Under `early_notice` it is delivered before the caller's answer, as soon as the commit is done.
    """
    if not letter.url:
        return
    fault = faults.draw_notice(letter.counterparty, letter.operation)
    name = fault.name if fault else ""
    at = clock.now()
    # Reordered: held back long enough that the next events overtake it.
    due = at + (timedelta(seconds=4) if name == "reordered_notices" else SOON)
    due += timedelta(seconds=letter.delay_s)
    other = {"wrong_amount_notice": letter.wrong_body, "bad_signature": letter.spoilt_body}
    body = other.get(name) or letter.body
    row = Notice.objects.create(
        counterparty=letter.counterparty,
        sender=letter.sender,
        event=letter.event,
        number=letter.number,
        url=letter.url,
        content_type=letter.content_type,
        body=body,
        expects=letter.expects,
        cadence=list(letter.cadence),
        spoilt=name == "bad_signature",
        status={"lose_notice": Notice.Status.LOST, "early_notice": Notice.Status.SENDING}.get(
            name, Notice.Status.WAITING
        ),
        created_at=at,
        due_at=due,
    )
    if name == "duplicate_notice":
        twin = Notice.objects.get(pk=row.pk)
        twin.pk = None
        twin.save(force_insert=True)
    if name == "early_notice":
        transaction.on_commit(lambda: _deliver_early(row))
    else:
        transaction.on_commit(wake)


def _deliver_early(row: Notice) -> None:
    """Outside the caller's transaction but before its answer; a failure is retried later."""
    threading.Thread(target=_deliver, args=(row,), daemon=True).start()
    # The portal may need the caller's answer to go on, so the answer waits only a moment.
    _await_final(row.pk)


def _await_final(pk: int) -> None:
    for _ in range(40):
        if Notice.objects.filter(pk=pk).exclude(status=Notice.Status.SENDING).exists():
            return
        time.sleep(0.05)


def notices_empty() -> None:
    Notice.objects.all().delete()


def notices_sent(number: str) -> int:
    """How many tries were made for the notices of a number."""
    return sum(Notice.objects.filter(number=number).values_list("attempts", flat=True))


def sender_start() -> threading.Thread:
    """Start the one sender of this process; what a killed one left half sent is sent again."""
    Notice.objects.filter(status=Notice.Status.SENDING).update(status=Notice.Status.WAITING)
    thread = threading.Thread(target=_send_forever, name="notices", daemon=True)
    thread.start()
    return thread


def _send_forever() -> None:
    pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="notice")
    while True:
        try:
            for row in _due():
                pool.submit(_deliver, row)
        except Exception:  # the sender outlives a database that restarts
            log.exception("notices")
        finally:
            connection.close()
        # Repetitions are found by the poll (the clock may be moved), new notices by the wake.
        if _wake.wait(POLL_S):
            # Cleared before the pause: what comes during it wakes the next round.
            _wake.clear()
            time.sleep(GATHER_S)


def _due() -> list[Notice]:
    """Take what is due, oldest first, in one statement."""
    taken = Notice.objects.raw(
        "UPDATE world_notice SET status = %s WHERE id IN (SELECT id FROM world_notice"
        " WHERE status = %s AND due_at <= %s ORDER BY due_at, id LIMIT 50"
        " FOR UPDATE SKIP LOCKED) RETURNING *",
        [Notice.Status.SENDING, Notice.Status.WAITING, clock.now()],
    )
    return sorted(taken, key=lambda row: (row.due_at, row.pk))


def _deliver(row: Notice) -> None:
    """One try, recorded; the next one is due after the vendor's pause."""
    try:
        taken, said = _post(row)
        row.attempts += 1
        if taken:
            row.status = Notice.Status.DELIVERED
        elif row.attempts > len(row.cadence):
            row.status = Notice.Status.GIVEN_UP
        else:
            row.status = Notice.Status.WAITING
            row.due_at = clock.now() + timedelta(seconds=row.cadence[row.attempts - 1])
        row.last_answer = said[:200]
        # An emptied world has no row left to record this in; then nothing is to be done.
        Notice.objects.filter(pk=row.pk).update(
            status=row.status, attempts=row.attempts, due_at=row.due_at, last_answer=row.last_answer
        )
    except Exception:  # a thread of a pool must not die silently
        log.exception("notice %s", row.pk)
    finally:
        connection.close()


def _post(row: Notice) -> tuple[bool, str]:
    body = bytes(row.body)
    headers = {"Content-Type": row.content_type}
    if row.counterparty in SEALS:
        headers |= SEALS[row.counterparty](row.sender, body, row.spoilt)
    try:
        answer = _client.post(row.url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return False, repr(error)
    taken = answer.is_success and row.expects.encode() in answer.content
    return taken, f"{answer.status_code} {answer.text}"
