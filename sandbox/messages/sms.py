"""The SMS gateway: one signed call. Business refusals are 200 with a code, as vendors here do."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox.messages.accounts import sms_account
from sandbox.messages.body import object_of
from sandbox.messages.models import Message
from sandbox.messages.services import Sent, message_store
from sandbox.messages.signature import fresh, matches
from sandbox.world import clock
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck

COUNTERPARTY = "sms"
PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
FIELDS = frozenset({"phone", "sign_name", "template", "params", "out_id"})
MAX_TEXT = 64
MAX_NUMBER = 128
TEXTS = {
    "INVALID_METHOD": "use POST",
    "INVALID_KEY": "X-Sms-Key is not known",
    "TIMESTAMP_EXPIRED": "X-Sms-Timestamp is not Unix seconds within 5 minutes",
    "SIGNATURE_DOES_NOT_MATCH": "X-Sms-Signature does not match the body",
    "MOBILE_NUMBER_ILLEGAL": "phone is not a mainland mobile number",
    "BUSINESS_LIMIT_CONTROL": "too many messages to this number",
}


class Misfit(Exception):
    """A body the gateway refuses."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse(code: str, *, status: int = 200, message: str = "") -> JsonResponse:
    return JsonResponse({"code": code, "message": message or TEXTS[code]}, status=status)


def send(request: HttpRequest) -> HttpResponse:
    def execute(fault: Fault | None) -> HttpResponse:
        refused = _unsigned(request)
        if refused is not None:
            return refused
        try:
            sent = _message(request.body)
        except Misfit as misfit:
            status = 400 if misfit.code == "INVALID_PARAMETER" else 200
            return refuse(misfit.code, status=status, message=misfit.message)
        if fault and fault.name == "decline":
            return refuse("BUSINESS_LIMIT_CONTROL")
        stored = message_store(sent=sent, message_id=f"SMS{secrets.token_hex(12)}")
        return JsonResponse({"code": "OK", "message": "OK", "message_id": stored.message_id})

    return call_struck(request, COUNTERPARTY, "send", execute)


def _unsigned(request: HttpRequest) -> JsonResponse | None:
    """The refusal of a call that does not come from the hospital, else None."""
    account, headers = sms_account(), request.headers
    timestamp = headers.get("X-Sms-Timestamp", "")
    if request.method != "POST":
        return refuse("INVALID_METHOD", status=405)
    if headers.get("X-Sms-Key", "") != account.key:
        return refuse("INVALID_KEY", status=403)
    if not fresh(timestamp=timestamp, now=clock.now()):
        return refuse("TIMESTAMP_EXPIRED", status=403)
    signature = headers.get("X-Sms-Signature", "")
    if not matches(
        secret=account.secret, timestamp=timestamp, body=request.body, signature=signature
    ):
        return refuse("SIGNATURE_DOES_NOT_MATCH", status=403)
    return None


def _message(body: bytes) -> Sent:
    """Raises Misfit with the vendor's code and the field."""
    wanted = object_of(body)
    if wanted is None:
        raise Misfit("INVALID_PARAMETER", "the body is not a JSON object")
    unknown = sorted(set(wanted) - FIELDS)
    if unknown:
        raise Misfit("INVALID_PARAMETER", f"unknown field {unknown[0]}")
    phone, params = wanted.get("phone"), wanted.get("params", {})
    if not isinstance(params, dict) or not all(isinstance(one, str) for one in params.values()):
        raise Misfit("INVALID_PARAMETER", "params maps names to texts")
    if not isinstance(phone, str) or not PHONE.fullmatch(phone):
        raise Misfit("MOBILE_NUMBER_ILLEGAL", TEXTS["MOBILE_NUMBER_ILLEGAL"])
    return Sent(
        kind=Message.Kind.SMS,
        receiver=phone,
        template=_text(wanted, "template"),
        params=params,
        sign_name=_text(wanted, "sign_name"),
        sender_no=_text(wanted, "out_id", least=0, most=MAX_NUMBER),
    )


def _text(wanted: dict[str, Any], field: str, *, least: int = 1, most: int = MAX_TEXT) -> str:
    value = wanted.get(field, "")
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise Misfit("INVALID_PARAMETER", f"{field} has {least} to {most} characters")
    return value
