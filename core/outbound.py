"""Every call to a counterparty leaves through `send()`.

It has a connect and a read timeout, follows no redirect, reads no more than it was told to, and
leaves exactly one append-only, redacted `OutboundCall`. It never runs inside a transaction: locks
would be held for as long as a stranger likes. It judges nothing: the adapter reads the answer.

Two failures are told apart. NOT_SENT: no byte of the request can have left (no address, connection
refused, no TLS), so it surely was not executed. NO_ANSWER: anything may have happened.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
from django.db import DatabaseError, connections

from core import clock
from core.crypto import KeyMissing, blind_index
from core.models import OutboundCall
from core.outbound_clients import ClientCert, client_for
from core.redaction import body_shown, headers_shown, text_shown, url_shown
from core.transactions import in_transaction

__all__ = [
    "ClientCert",
    "Failure",
    "InsideTransaction",
    "OutboundAnswer",
    "OutboundRequest",
    "Timeout",
    "send",
]

BODY_LENGTH_MAX = 8 * 1024 * 1024

logger = logging.getLogger(__name__)

# The request never left; everything else that httpx raises while sending means "unknown".
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Ours, not the counterparty's: a wrong address or header in the configuration.
_MISCONFIGURED = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class Failure(StrEnum):
    """Why there is no answer, and what that says about execution."""

    NOT_SENT = "NOT_SENT"  # surely not executed
    NO_ANSWER = "NO_ANSWER"  # unknown: it may have been executed


class InsideTransaction(RuntimeError):
    """A programming error: a network call while a database transaction is open."""


class _TooLong(Exception):
    """The answer is longer, or takes longer, than the request allows."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """Both limits are stated by the caller; the whole answer must arrive within `read_s`."""

    connect_s: float
    read_s: float

    def __post_init__(self) -> None:
        if not (self.connect_s > 0 and self.read_s > 0):
            raise ValueError("timeouts are positive")


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One call, ready to send. `reference` is our number, for whoever looks for the case."""

    counterparty: str
    operation: str
    reference: str
    method: str
    url: str
    timeout: Timeout
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    client_cert: ClientCert | None = None
    ca_file: str = ""
    answer_length_max: int = BODY_LENGTH_MAX


@dataclass(frozen=True, slots=True)
class OutboundAnswer:
    """What came back: a status with a body, or a failure, never both."""

    status: int | None
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    failure: Failure | None
    duration_ms: int
    failure_detail: str = ""


def send(request: OutboundRequest) -> OutboundAnswer:
    """Make the call, record it, return what is known. Never raises for what the other side did."""
    _refuse_transaction()
    started = time.monotonic()
    answer = _exchange(request, started)
    _record(request, answer)
    return answer


def _refuse_transaction() -> None:
    for connection in connections.all(initialized_only=True):
        if in_transaction(connection):
            raise InsideTransaction("commit the intent first, then call")


def _exchange(request: OutboundRequest, started: float) -> OutboundAnswer:
    client = client_for(request.counterparty, request.client_cert, request.ca_file)
    limits = httpx.Timeout(request.timeout.read_s, connect=request.timeout.connect_s)
    try:
        with client.stream(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body or None,
            timeout=limits,
        ) as response:
            body = _read(response, request, started)
            return OutboundAnswer(
                response.status_code, dict(response.headers), body, None, _elapsed_ms(started)
            )
    except _MISCONFIGURED as error:
        raise ValueError(f"{request.counterparty}: {url_shown(request.url)}: {error}") from error
    except _NOT_SENT as error:
        return _failed(Failure.NOT_SENT, error, started)
    except (httpx.HTTPError, _TooLong) as error:
        return _failed(Failure.NO_ANSWER, error, started)


def _read(response: httpx.Response, request: OutboundRequest, started: float) -> bytes:
    """The whole body, within its length and time: a slow drip resets no clock here."""
    deadline = started + request.timeout.connect_s + request.timeout.read_s
    chunks, length = [], 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        length += len(chunk)
        if length > request.answer_length_max:
            raise _TooLong(f"answer over {request.answer_length_max} bytes")
        if time.monotonic() > deadline:
            raise _TooLong("answer not complete in time")
    return b"".join(chunks)


def _failed(failure: Failure, error: Exception, started: float) -> OutboundAnswer:
    detail = f"{type(error).__name__}: {error}"[:200]
    return OutboundAnswer(None, {}, b"", failure, _elapsed_ms(started), detail)


def _elapsed_ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _fingerprint(body: bytes) -> str:
    """Which body it was, for whoever has the body and our key; a bare hash of a short secret, such
    as a code of six digits, could be guessed. Empty where no key can be had."""
    try:
        return blind_index(hashlib.sha256(body).hexdigest(), purpose="outbound body")
    except KeyMissing:
        logger.exception("no key for the fingerprint of a call")
        return ""


def _record(request: OutboundRequest, answer: OutboundAnswer) -> None:
    """Losing the trace must not lose the answer: money may have moved."""
    try:
        OutboundCall.objects.create(
            counterparty=request.counterparty,
            operation=request.operation,
            reference=request.reference,
            method=request.method,
            url=url_shown(request.url),
            request_headers=headers_shown(request.headers),
            request_body=body_shown(request.body),
            request_sha256=_fingerprint(request.body),
            status=answer.status,
            failure=answer.failure or "",
            failure_detail=text_shown(answer.failure_detail),
            response_headers=headers_shown(answer.headers),
            response_body=body_shown(answer.body),
            duration_ms=answer.duration_ms,
            created_at=clock.now(),
        )
    except DatabaseError:
        logger.exception("call %s %s not recorded", request.counterparty, request.reference)
