"""The control API: JSON in, JSON out, 400 with a sentence for every name that is unknown."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils.dateparse import parse_datetime

from sandbox.world import clock, faults, notices
from sandbox.world.registry import ACTIONS, BOOKS, PAGE, RESETS, TRANSACTIONS, BadCall

View = Callable[..., JsonResponse]
# The portal runs every job due in between before it answers; a simulated year takes a while.
PORTAL_PATIENCE_S = 900.0


def control(*methods: str) -> Callable[[View], View]:
    """A control call: its methods, and 400 for everything it does not understand."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
            if request.method not in methods:
                return JsonResponse({"error": f"use {', '.join(methods)}"}, status=405)
            try:
                return view(request, *args, **kwargs)
            except BadCall as error:
                return JsonResponse({"error": str(error)}, status=400)

        return answer

    return wrap


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a control call."""
    try:
        data = json.loads(request.body or b"{}")
    except ValueError as error:
        raise BadCall(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadCall("a JSON object is expected")
    return data


def instant(value: Any, name: str) -> datetime | None:
    """An RFC 3339 instant, or None where it is not given."""
    if value in (None, ""):
        return None
    try:
        # A plus sign in a query string that was not escaped arrives as a blank.
        parsed = parse_datetime(str(value).replace(" ", "+"))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise BadCall(f"{name} is an RFC 3339 instant with its zone")
    return parsed


@control("GET")
def healthz(_request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok", "now": clock.now().isoformat()})


@control("GET")
def books(request: HttpRequest) -> JsonResponse:
    start, end = instant(request.GET.get("from"), "from"), instant(request.GET.get("to"), "to")
    return JsonResponse({name: of(start, end) for name, of in sorted(BOOKS.items())})


@control("GET")
def transactions(request: HttpRequest) -> JsonResponse:
    name = request.GET.get("counterparty", "")
    if name not in TRANSACTIONS:
        raise BadCall(f"unknown counterparty {name!r}; known: {sorted(TRANSACTIONS)}")
    page = request.GET.get("page", "1")
    if not page.isdecimal() or int(page) < 1:
        raise BadCall("page counts from 1")
    rows = TRANSACTIONS[name](instant(request.GET.get("since"), "since"), int(page))
    following = int(page) + 1 if len(rows) == PAGE else None
    return JsonResponse({"counterparty": name, "transactions": rows, "next": following})


@control("GET", "POST", "DELETE")
def fault_list(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        return JsonResponse({"id": faults.fault_add(body_of(request)).id}, status=201)
    gone = request.method == "DELETE"
    listed = faults.faults_remove() if gone else faults.faults_standing()
    return JsonResponse([fault.as_json() for fault in listed], safe=False)


@control("DELETE")
def fault_one(_request: HttpRequest, fault_id: str) -> JsonResponse:
    return JsonResponse([fault.as_json() for fault in faults.faults_remove(fault_id)], safe=False)


@control("POST")
def act(request: HttpRequest) -> JsonResponse:
    data = body_of(request)
    actor, name, args = data.get("actor"), data.get("action"), data.get("args", {})
    if actor not in ACTIONS:
        raise BadCall(f"unknown actor {actor!r}; known: {sorted(ACTIONS)}")
    if name not in ACTIONS[actor]:
        raise BadCall(f"unknown action {name!r} of {actor}; known: {sorted(ACTIONS[actor])}")
    action = ACTIONS[actor][name]
    if not isinstance(args, dict) or set(args) - set(action.args):
        raise BadCall(f"args of {name}: {', '.join(action.args) or 'none'}")
    return JsonResponse({"result": action.run(str(data.get("subject") or ""), args)})


@control("GET")
def actions(_request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            actor: {name: {"subject": a.subject, "args": dict(a.args)} for name, a in own.items()}
            for actor, own in sorted(ACTIONS.items())
        }
    )


@control("GET", "POST")
def clock_view(request: HttpRequest) -> JsonResponse:
    if request.method == "GET":
        return JsonResponse({"now": clock.now().isoformat()})
    data, before = body_of(request), clock.now()
    to, advance = instant(data.get("now"), "now"), data.get("advance_s")
    if (to is None) == (advance is None):
        raise BadCall("give either now or advance_s")
    if to is None:
        if isinstance(advance, bool) or not isinstance(advance, int | float) or advance < 0:
            raise BadCall("advance_s is a number of seconds, forward only")
        to = before + timedelta(seconds=advance)
    at = clock.clock_move(to)
    notices.wake()
    clock.moving_set(before)
    try:
        problem = _portal_follow(at)
    finally:
        clock.moving_set(None)
    if problem:
        return JsonResponse({"now": at.isoformat(), "error": problem}, status=502)
    return JsonResponse({"now": at.isoformat()})


def _portal_follow(at: datetime) -> str:
    """Tell the portal the same instant; it answers when its jobs are done."""
    if not settings.PORTAL_URL:
        return ""
    try:
        answer = httpx.put(
            f"{settings.PORTAL_URL}/_dev/clock",
            json={"now": at.isoformat()},
            timeout=httpx.Timeout(PORTAL_PATIENCE_S, connect=5),
            trust_env=False,
        )
    except httpx.HTTPError as error:
        return f"the portal did not follow: {error!r}"
    return "" if answer.is_success else f"the portal answered {answer.status_code}"


@control("POST")
def reset(_request: HttpRequest) -> JsonResponse:
    faults.faults_remove()
    notices.notices_empty()
    for empty in RESETS:
        empty()
    clock.clock_begin(again=True)
    return JsonResponse({"result": "empty"})
