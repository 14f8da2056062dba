"""`POST /his/events`: where the portal pushes. 2xx acknowledges, anything else is sent again."""

from __future__ import annotations

import json
import os

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox.his.services.events import (
    BadEvent,
    Incoming,
    OutOfOrder,
    event_parse,
    event_receive,
)
from sandbox.his.signature import BadSignature, verify
from sandbox.world import clock
from sandbox.world.wire import call_struck


def events_secret() -> str:
    return os.environ.get("SANDBOX_HIS_EVENTS_SECRET", "sandbox-his-events-secret")


def events(request: HttpRequest) -> HttpResponse:
    return call_struck(request, "his", "push", lambda _fault: _answer(request))


def _answer(request: HttpRequest) -> JsonResponse:
    if request.method != "POST":
        return _refused(405, "use POST")
    try:
        incoming = _read(request)
    except BadSignature as error:
        return _refused(401, str(error))
    except (BadEvent, ValueError) as error:
        return _refused(400, str(error))
    try:
        new = event_receive(incoming=incoming)
    except OutOfOrder as error:
        return _refused(409, str(error))
    return JsonResponse({"event_id": incoming.event_id, "known": not new}, status=200)


def _read(request: HttpRequest) -> Incoming:
    body = request.body
    verify(
        secret=events_secret(),
        timestamp=request.headers.get("Portal-Timestamp", ""),
        signature=request.headers.get("Portal-Signature", ""),
        body=body,
        now=clock.now(),
    )
    if b"\\u0000" in body:
        raise BadEvent("a text holds a NUL character")
    return event_parse(json.loads(body))


def _refused(status: int, why: str) -> JsonResponse:
    return JsonResponse({"error": why}, status=status)
