"""Where the mobile-pay centre tells how an order ended (6302): no query string, no login."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.web_addresses import peer_address
from insurance.services.claims.mobile.callbacks import centre_told

BODY_LENGTH_MAX = 256 * 1024
_LENGTH_DIGITS_MAX = 18


@csrf_exempt
@require_POST
def centre_notice(request: HttpRequest, institution_code: str) -> HttpResponse:
    """Verify, let it ring, answer in the centre's own words."""
    length = request.headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdigit()):
        return HttpResponse(status=400)
    if len(length) > _LENGTH_DIGITS_MAX or int(length) > BODY_LENGTH_MAX:
        return HttpResponse(status=413)
    reply = centre_told(
        institution_code=institution_code, body=request.body, address=peer_address(request)
    )
    if reply is None:
        return HttpResponse(status=404)
    return HttpResponse(reply, content_type="application/json")
