"""`PUT /_dev/clock`: move the clock of the whole house, outside production only.

The address does not exist in production. The portal runs every job that is due in between, in time
order, and answers when it is done.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from config.jobs import jobs_between
from core import clock
from core.actors import SYSTEM
from core.audit import record
from core.errors import BadInput, Refusal
from core.jobs import job_run
from core.web_addresses import peer_address

# Other processes read the offset anew within half a second.
OFFSET_SPREADS_S = 0.6
# Below this an instant is now: the offset would be worked out anew some microseconds later.
EARLY_BY = timedelta(milliseconds=1)


@csrf_exempt
@require_http_methods(["GET", "PUT"])
def dev_clock(request: HttpRequest) -> JsonResponse:
    """GET tells the instant; PUT {"now": RFC 3339} moves there."""
    if request.method == "GET":
        return JsonResponse({"now": clock.now().isoformat()})
    try:
        wanted = _wanted(request.body)
    except Refusal as refusal:
        return JsonResponse({"error": refusal.code, "detail": str(refusal.message)}, status=400)
    # Also of an instant that is over, which moves nothing: who turns time is always on record.
    record(
        by=SYSTEM,
        action="clock_wanted",
        subject="core.clock",
        subject_id="now",
        detail={"now": clock.now().isoformat(), "wanted": wanted.isoformat()},
        address=peer_address(request),
    )
    runs = clock_advance(wanted)
    return JsonResponse({"now": clock.now().isoformat(), "jobs": runs})


def clock_advance(until: datetime) -> int:
    """Walk to `until` from job to job; returns how many jobs ran. A job that fails is recorded and
    does not stop time."""
    runs = 0
    for at, job in jobs_between(clock.now(), until):
        _move(at)
        try:
            runs += job_run(job.key, job.resolve(), keep_idle=False) is not None
        except Exception:  # noqa: S112 - JobRun keeps it; the later jobs are due all the same
            continue
    _move(until)
    time.sleep(OFFSET_SPREADS_S)
    return runs


def _move(to: datetime) -> None:
    """Forward, unless the jobs before took so long that it is later already."""
    if to > clock.now() + EARLY_BY:
        clock.offset_set(to)


def _wanted(body: bytes) -> datetime:
    try:
        data: Any = json.loads(body)
        wanted = datetime.fromisoformat(data["now"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput("bad_time", 'send {"now": "2026-11-22T10:00:00+08:00"}', "now") from error
    if wanted.tzinfo is None:
        raise BadInput("bad_time", "the time needs its zone", "now")
    return wanted
