"""`/healthz`: may this process be sent work? It tells states, never addresses or secrets."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.findings import State
from config.probes import SERVING, findings


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when everything the portal stands on answers, 503 otherwise."""
    found = findings(SERVING)
    well = all(finding.state is not State.FAILED for finding in found)
    # A failure's detail may name a host, so outsiders learn only that it failed.
    details = {
        finding.name: "failed" if finding.state is State.FAILED else finding.detail
        for finding in found
    }
    data = {"status": "ok" if well else "unavailable", **details}
    return JsonResponse(data, status=200 if well else 503)
