"""Where channels tell us: `/notices/{channel}/{merchant_no}/{kind}`, no query string, no login."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.channels.base import NoticeKind
from billing.channels.registry import channel_get
from billing.services.notices.receiving import notice_receive
from billing.tasks import notice_apply_task
from core.dispatch import enqueue
from core.web_addresses import peer_address

BODY_LENGTH_MAX = 64 * 1024
_LENGTH_DIGITS_MAX = 18


@csrf_exempt
@require_POST
def notice(request: HttpRequest, channel: str, merchant_no: str, kind: str) -> HttpResponse:
    """Verify, store, answer; a task applies. The status and body are the channel's own."""
    if kind not in list(NoticeKind) or not _known(channel):
        return HttpResponse(status=404)
    length = request.headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdigit()):
        return HttpResponse(status=400)
    # So many digits are too many, and would be no number to Python.
    if len(length) > _LENGTH_DIGITS_MAX or int(length) > BODY_LENGTH_MAX:
        return HttpResponse(status=413)
    received = notice_receive(
        channel=channel,
        merchant_no=merchant_no,
        kind=NoticeKind(kind),
        headers=request.headers,
        body=request.body,
        address=peer_address(request),
    )
    if received.notice_id is not None:
        enqueue(notice_apply_task, received.notice_id)
    reply = received.reply
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)


def _known(channel: str) -> bool:
    try:
        channel_get(channel)
    except LookupError:
        return False
    return True
