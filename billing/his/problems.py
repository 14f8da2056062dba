"""Every refusal as problem+json (RFC 9457): what, why, and which field.

`{"type","title","status","detail","errors":[{"field","reason"}]}`; `detail` is the first reason
with its field, so that it can be shown as it is. A fault of ours is logged under an id that the
answer names; the caller learns the id and nothing else.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoDenied
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, JsonResponse, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from billing.policy import policy
from core.actors import Actor
from core.audit import record_limited
from core.errors import Refusal
from core.web_addresses import peer_address
from patients.models import HisClient

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100
RETRY_AFTER_S = 2
UNKNOWN_ADDRESS = "unknown_address"

# Django's own ways to say no.
_PLAIN: dict[type[Exception], tuple[int, str, Any]] = {
    Http404: (404, UNKNOWN_ADDRESS, gettext_lazy("There is nothing at this address.")),
    SuspiciousOperation: (400, "bad_request", gettext_lazy("This request cannot be read.")),
    DjangoDenied: (403, "forbidden", gettext_lazy("This is not allowed.")),
    UnreadablePostError: (400, "body_cut", gettext_lazy("The body did not arrive whole.")),
}

logger = logging.getLogger(__name__)


def problem_answer(error: Exception, context: Mapping[str, Any]) -> JsonResponse:
    """The exception handler of the door: an answer for whatever was raised.

    It is rendered here: what a caller prefers to read does not change the form of a refusal.
    """
    status, code, errors, headers = _read(error)
    request, view = context.get("request"), context.get("view")
    if isinstance(request, Request):
        _keep_refusal(request, view, status, code, errors)
    return JsonResponse(
        _body(status, code, errors),
        status=status,
        headers=headers,
        content_type=MEDIA_TYPE,
        json_dumps_params={"ensure_ascii": False},
    )


def _body(status: int, code: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "type": f"urn:portal:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _detail(errors),
        "errors": errors[:ERRORS_MAX],
    }


def _detail(errors: list[dict[str, str]]) -> str:
    """The first reason with its field, and how many more there are."""
    first, more = errors[0], len(errors) - 1
    named = _("%(field)s: %(reason)s") % first if first["field"] else first["reason"]
    if not more:
        return named
    return ngettext("%(named)s (and %(more)d more)", "%(named)s (and %(more)d more)", more) % {
        "named": named,
        "more": more,
    }


def _read(error: Exception) -> tuple[int, str, list[dict[str, str]], dict[str, str]]:
    """Status, code, fields with their reasons, and headers."""
    if isinstance(error, Refusal):
        return error.status, error.code, [_reason(str(error.message), error.field)], {}
    if isinstance(error, ValidationError):
        errors = [_reason(reason, field) for field, reason in _fields(error.detail)]
        return 400, "invalid", errors or [_reason(_("The request is not valid."))], {}
    if isinstance(error, APIException):
        code = str(getattr(error.detail, "code", error.default_code))
        return error.status_code, code, [_reason(str(error.detail))], _headers(error)
    for kind, (status, code, text) in _PLAIN.items():
        if isinstance(error, kind):
            return status, code, [_reason(str(text))], {}
    return _fault(error)


def _reason(reason: str, field: str = "") -> dict[str, str]:
    """A reason that concerns the request as a whole names no field."""
    return {"field": field, "reason": reason}


def _headers(error: APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    return headers


def _fault(error: Exception) -> tuple[int, str, list[dict[str, str]], dict[str, str]]:
    """Ours, not the caller's. The database away or too busy is for a moment only."""
    fault_id = secrets.token_hex(6)
    if isinstance(error, DatabaseError):
        # The database's own words may quote a row, and rows hold personal data.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("his api fault %s: %s\n%s", fault_id, type(error).__name__, where)
    else:
        logger.error("his api fault %s", fault_id, exc_info=error)
    if isinstance(error, OperationalError | InterfaceError):
        detail = _("The portal is busy; send the same request again (%s).") % fault_id
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return 503, "try_later", [_reason(detail)], headers
    detail = _("The portal failed; the fault is recorded as %s.") % fault_id
    return 500, "fault", [_reason(detail)], {}


def _fields(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """DRF's nested errors as paths: `diagnoses[0].code`, `[3].amount_fen`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            if name == "non_field_errors":
                yield from _fields(inner, path)
            elif isinstance(name, int):
                yield from _fields(inner, f"{path}[{name}]")
            else:
                yield from _fields(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            if isinstance(inner, Mapping | list):
                yield from _fields(inner, f"{path}[{position}]")
            else:
                yield path, str(inner)
    else:
        yield path, str(detail)


def _keep_refusal(
    request: Request, view: Any, status: int, code: str, errors: list[dict[str, str]]
) -> None:
    """An attempt to move money that was refused leaves a trace; numbers and codes only, and of a
    flood no more than its beginning."""
    client = request.auth
    if not isinstance(client, HisClient) or request.method not in ("PUT", "POST"):
        return
    if getattr(view, "concerns_money", False) is False:
        return
    try:
        record_limited(
            by=Actor("his", client.code, client.name),
            action="his_refused",
            subject="his.call",
            subject_id=str(next(reversed(view.kwargs.values()), ""))[:64],
            detail={
                "call": f"{request.method} {type(view).__name__}",
                "status": status,
                "code": code,
                "fields": [error["field"] for error in errors[:10]],
            },
            address=peer_address(request),
            per_address=policy().refusals_kept_per_address,
            per_minute=policy().refusals_kept,
        )
    except DatabaseError:
        logger.exception("refusal %s of %s not recorded", code, client.code)
