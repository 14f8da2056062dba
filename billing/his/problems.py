"""Every refusal as problem+json (RFC 9457): what, why, and which field.

`{"type","title","status","detail","errors":[{"field","reason"}]}`. A fault of ours is logged under
an id that the answer names; the caller learns the id and nothing else.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoDenied
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing.his.authentication import caller_address
from core.actors import Actor
from core.audit import record
from core.errors import Refusal
from patients.models import HisClient

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100
RETRY_AFTER_S = 2

# Django's own ways to say no.
_PLAIN: dict[type[Exception], tuple[int, str, Any]] = {
    Http404: (404, "not_found", _lazy("There is nothing at this address.")),
    DjangoDenied: (403, "forbidden", _lazy("This is not allowed.")),
    UnreadablePostError: (400, "body_cut", _lazy("The body did not arrive whole.")),
}

logger = logging.getLogger(__name__)


def problem_answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """The exception handler of the door: an answer for whatever was raised."""
    status, code, detail, errors, headers = _read(error)
    request, view = context.get("request"), context.get("view")
    if isinstance(request, Request):
        _keep_refusal(request, view, status, code, errors)
    response = Response(_body(status, code, detail, errors), status=status, headers=headers)
    response.content_type = MEDIA_TYPE
    return response


def _body(status: int, code: str, detail: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "type": f"urn:portal:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": errors[:ERRORS_MAX],
    }


def _read(error: Exception) -> tuple[int, str, str, list[dict[str, str]], dict[str, str]]:
    """Status, code, sentence, fields and headers."""
    if isinstance(error, Refusal):
        reason = str(error.message)
        return error.status, error.code, reason, [{"field": error.field, "reason": reason}], {}
    if isinstance(error, ValidationError):
        errors = [{"field": field, "reason": reason} for field, reason in _fields(error.detail)]
        return 400, "invalid", _("The request is not valid."), errors, {}
    if isinstance(error, APIException):
        detail = str(error.detail)
        code = str(getattr(error.detail, "code", error.default_code))
        return error.status_code, code, detail, [_whole(detail)], _headers(error)
    for kind, (status, code, text) in _PLAIN.items():
        if isinstance(error, kind):
            return status, code, str(text), [_whole(str(text))], {}
    return _fault(error)


def _whole(reason: str) -> dict[str, str]:
    """A reason that concerns the request as a whole names no field."""
    return {"field": "", "reason": reason}


def _headers(error: APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    return headers


def _fault(error: Exception) -> tuple[int, str, str, list[dict[str, str]], dict[str, str]]:
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
        return 503, "try_later", detail, [_whole(detail)], headers
    detail = _("The portal failed; the fault is recorded as %s.") % fault_id
    return 500, "fault", detail, [_whole(detail)], {}


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
    """An attempt to move money that was refused leaves a trace; numbers and codes only."""
    client = request.auth
    if not isinstance(client, HisClient) or request.method not in ("PUT", "POST"):
        return
    if getattr(view, "concerns_money", False) is False:
        return
    try:
        record(
            by=Actor("his", client.code, client.name),
            action="his.refused",
            subject="his.call",
            subject_id=str(next(reversed(view.kwargs.values()), ""))[:64],
            detail={
                "call": f"{request.method} {type(view).__name__}",
                "status": status,
                "code": code,
                "fields": [error["field"] for error in errors[:10]],
            },
            address=caller_address(request),
        )
    except DatabaseError:
        logger.exception("refusal %s of %s not recorded", code, client.code)
