"""Saying something to the insurer: intent committed, sent, what was learnt recorded.

`message_prepare` writes the intent and may run in the caller's transaction, together with the state
that says "asked"; `message_deliver` sends it outside any transaction. Who has nothing to commit
beside it calls `message_send`. A message number is new for every send: what is asked again is said
under another one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Generic

from django.db import IntegrityError, transaction

from core import clock
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.prepared import row_insert, row_insert_new
from insurance.gateway.base import Answer, Call, Gateway, Operation, Site, Stamp, Value
from insurance.gateway.credential import CredentialService
from insurance.gateway.mobile import MobileCentre
from insurance.gateway.nhsa import Nhsa
from insurance.models import Institution, InsuranceMessage, InsuranceReply
from insurance.selectors import site_of

NUMBER_TAIL = 4
NEVER_SENT = "NEVER_SENT"  # an earlier call of the row was not taken
NUMBER_TRIES = 20
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TEXT_MAX, CODE_MAX, PLATFORM_NO_MAX = 500, 32, 40

GATEWAYS: tuple[Gateway, ...] = (Nhsa(), MobileCentre(), CredentialService())
_BY_OPERATION: Mapping[Operation, Gateway] = MappingProxyType(
    {operation: gateway for gateway in GATEWAYS for operation in gateway.unanswered}
)


@dataclass(frozen=True, slots=True)
class Prepared(Generic[Value]):
    """A committed intent, ready to be delivered."""

    call: Call[Value]
    site: Site
    stamp: Stamp
    content: bytes
    message: InsuranceMessage


def gateway_of(operation: Operation) -> Gateway:
    """The platform that an operation belongs to."""
    return _BY_OPERATION[operation]


def message_send(*, institution: Institution, call: Call[Value], subject: str) -> Answer[Value]:
    """Commit the intent, send it, record the reply. Not inside a transaction."""
    with transaction.atomic():
        prepared = message_prepare(institution=institution, call=call, subject=subject)
    return message_deliver(prepared)


def message_prepare(
    *, institution: Institution, call: Call[Value], subject: str
) -> Prepared[Value]:
    """Write the intent under a new message number, in the caller's transaction."""
    site, now = site_of(institution), clock.now().replace(microsecond=0)
    for _try in range(NUMBER_TRIES):
        prepared = _written(institution, site, now, call, subject)
        if row_insert_new(prepared.message):
            return prepared
    raise RuntimeError("no free message number in this second")


def messages_prepare(
    *, institution: Institution, calls: Sequence[Call[Value]], subject: str
) -> list[Prepared[Value]]:
    """The intents of several calls that are said one after the other; one statement."""
    site, now = site_of(institution), clock.now().replace(microsecond=0)
    for _try in range(NUMBER_TRIES):
        prepared = [_written(institution, site, now, call, subject) for call in calls]
        with suppress(IntegrityError), transaction.atomic():
            InsuranceMessage.objects.bulk_create(one.message for one in prepared)
            return prepared
    raise RuntimeError("no free message numbers in this second")


def _written(
    institution: Institution, site: Site, now: datetime, call: Call[Value], subject: str
) -> Prepared[Value]:
    """A call under a number that is hoped to be free."""
    stamp = Stamp(_message_no(site, now), now, site.sign_no)
    content = gateway_of(call.operation).content(call, site, stamp)
    message = InsuranceMessage(
        message_no=stamp.message_no,
        gateway=gateway_of(call.operation).code,
        operation=call.operation.value,
        code=call.code,
        body_hash=content_hash(content),
        institution=institution,
        sign_no=stamp.sign_no,
        subject=subject,
        created_at=now,
    )
    return Prepared(call, site, stamp, content, message)


def message_deliver(prepared: Prepared[Value]) -> Answer[Value]:
    """Send a committed intent and record what was learnt."""
    answer = _heard(prepared)
    row_insert(_reply(prepared, answer))
    return answer


def messages_deliver(prepared: Sequence[Prepared[Value]]) -> list[Answer[Value]]:
    """Send one after the other up to the first that is not taken; the answers so far.

    What was learnt is recorded by one statement, also that the rest was never sent: a batch that is
    not whole is taken away before it is said again, so nothing hangs on a single reply.
    """
    answers: list[Answer[Value]] = []
    for one in prepared:
        answers.append(_heard(one))
        if answers[-1].outcome is not Outcome.SUCCEEDED:
            break
    unsent: Answer[Value] = Answer(Outcome.UNKNOWN, code=NEVER_SENT, executed=False)
    learnt = [*answers, *[unsent] * (len(prepared) - len(answers))]
    InsuranceReply.objects.bulk_create(map(_reply, prepared, learnt))
    return answers


def _heard(prepared: Prepared[Value]) -> Answer[Value]:
    failpoint("insurance.before_send")
    gateway = gateway_of(prepared.call.operation)
    answer = gateway.send(prepared.call, prepared.site, prepared.stamp, prepared.content)
    failpoint("insurance.after_send")
    return answer


def _reply(prepared: Prepared[Value], answer: Answer[Value]) -> InsuranceReply:
    return InsuranceReply(
        message=prepared.message,
        outcome=answer.outcome.value,
        code=answer.code[:CODE_MAX],
        text=answer.message[:TEXT_MAX],
        executed=answer.executed,
        platform_no=answer.platform_no[:PLATFORM_NO_MAX],
        created_at=clock.now(),
    )


def content_hash(content: bytes) -> str:
    """SHA-256 in hex, as the row keeps it."""
    return hashlib.sha256(content).hexdigest()


def _message_no(site: Site, now: datetime) -> str:
    """The institution's code, the second, and a random tail: no counter that writers wait for."""
    tail = "".join(secrets.choice(_ALPHABET) for _place in range(NUMBER_TAIL))
    return f"{site.institution_code[:12]}{now:%Y%m%d%H%M%S}{tail}"
