"""Transport faults around a call, and answers that are cut on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from sandbox.world import faults
from sandbox.world.registry import OPERATIONS

CUT = "Sandbox-Cut"


def cut(how: str, answer: HttpResponseBase | None = None) -> HttpResponse:
    """An answer that the server cuts: `reset`, `silent` (no byte) or `half` (of the body)."""
    kept = HttpResponse(answer.content) if isinstance(answer, HttpResponse) else HttpResponse()
    if isinstance(answer, HttpResponse):
        kept.status_code = answer.status_code
        for name, value in answer.items():
            kept[name] = value
    kept[CUT] = how
    return kept


def server_error() -> HttpResponse:
    """What a load balancer says when the house behind it is down: no JSON, no signature."""
    return HttpResponse("<html><body>500</body></html>", status=500, content_type="text/html")


def call_struck(
    request: HttpRequest,
    counterparty: str,
    operation: str,
    execute: Callable[[faults.Fault | None], HttpResponse],
    able: frozenset[str] | None = None,
) -> HttpResponse:
    """Run a call under the fault that strikes it; `execute` sees the faults of the business.

    `able` narrows the faults to those that make sense at this one endpoint of the operation.
    """
    can = _able(counterparty, operation)
    fault = faults.draw(counterparty, operation, able=can if able is None else can & able)
    name = fault.name if fault else ""
    if name == "refuse_connection":
        return cut("reset")
    if name == "drop_before":
        return cut("silent")
    if name == "http_500_before":
        return server_error()
    if fault and name == "delay":
        time.sleep(min(fault.seconds, 60))
    answer = execute(fault)
    if name == "drop_after":
        return cut("half", answer)
    if name == "http_500_after":
        return server_error()
    return answer


def _able(counterparty: str, operation: str) -> frozenset[str]:
    """Faults of the call itself; those of its notice are drawn when the notice is made."""
    notices = {"lose_notice", "duplicate_notice", "early_notice", "reordered_notices",
               "wrong_amount_notice"}  # fmt: skip
    return OPERATIONS[counterparty][operation] - notices
