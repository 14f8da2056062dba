"""The national envelope (FSI): how a call is wrapped, sent and its answer judged.

infcode 0 succeeded; -2 is the insurer's refusal, with a sentence; -1, silence, any other status
than 200 and whatever is no JSON leave the state unknown. A code that is none of these is unknown as
well: a wrong refusal pays twice, a wrong "unknown" costs one query.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import clock, outbound
from core.outbound import Failure, OutboundAnswer, OutboundRequest, Timeout
from core.outcomes import Outcome
from core.redaction import text_shown
from insurance.gateway.base import (
    MESSAGE_LENGTH_MAX,
    Answer,
    Call,
    GatewayFault,
    Operation,
    Site,
    Stamp,
    Value,
)
from insurance.gateway.profile import gateway_headers, gateway_url, says_nothing_there
from insurance.gateway.reading import JsonObject, Node, Unreadable, object_read

COUNTERPARTY = "nhsa"
# The hospital's line to the insurer is private and short, so three seconds without a connection
# mean it is down. A settlement runs through several funds; clients in the field wait up to 180 s,
# but a doctor's room does not: after 20 s a query is quicker than more patience.
CONNECT_S = 3.0
READ_S = 20.0
READ_FILE_S = 120.0
FILE_BYTES_MAX = 64 * 1024 * 1024

SUCCEEDED, SYSTEM_ERROR, REFUSED = "0", "-1", "-2"

# Sends that are new to the platform: only there does "it never left" say something about them.
FIRST_SENDS = frozenset({
    Operation.REGISTER, Operation.LINES, Operation.SETTLE, Operation.SETTLE_REVERSE,
    Operation.MOBILE_LINES, Operation.MOBILE_ORDER, Operation.MOBILE_REFUND,
    Operation.MOBILE_REVOKE, Operation.FILE_TRANSFER, Operation.FILE_CHRONIC,
    Operation.TRANSFER_END, Operation.CHRONIC_END,
})  # fmt: skip
_FILES = frozenset({Operation.FILE_UPLOAD, Operation.FILE_DOWNLOAD})

UNANSWERED = _(
    "The insurer has not answered. Nothing is lost: it is asked again until the result is known."
)
UNUSABLE = _("The insurer's answer does not add up. A clerk looks at it; do not pay again.")


def envelope_write(call: Call[Value], site: Site, stamp: Stamp) -> bytes:
    """The request, in the same bytes for the same call, site and stamp."""
    operator = call.operator or site.operator
    return json_write({
        "infno": call.code,
        "msgid": stamp.message_no,
        "mdtrtarea_admvs": site.region.area,  # the wire really spells this one without d
        "insuplc_admdvs": call.insured_area,
        "recer_sys_code": site.region.receiver_code,
        "dev_no": "",
        "dev_safe_info": "",
        "cainfo": "",
        "signtype": site.region.sign_type,
        "infver": site.region.interface_version,
        "opter_type": operator.kind,
        "opter": operator.code,
        "opter_name": operator.name,
        "inf_time": f"{stamp.at:%Y-%m-%d %H:%M:%S}",
        "fixmedins_code": site.institution_code,
        "fixmedins_name": site.institution_name,
        "sign_no": stamp.sign_no,
        "input": call.input,
    })  # fmt: skip


def json_write(value: Mapping[str, object]) -> bytes:
    """The exact bytes that are hashed and sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def envelope_send(call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
    """Send what was written and judge the answer."""
    of_file = call.operation in _FILES
    answer = outbound.send(
        OutboundRequest(
            counterparty=COUNTERPARTY,
            operation=call.operation.value,
            reference=stamp.message_no,
            method="POST",
            url=gateway_url(site.region, call.code),
            headers=gateway_headers(site.region, at=clock.now()),
            body=content,
            timeout=Timeout(CONNECT_S, READ_FILE_S if of_file else READ_S),
            answer_length_max=FILE_BYTES_MAX if of_file else outbound.BODY_LENGTH_MAX,
        )
    )
    return (unanswered(call, answer) or _judge(call, site, answer)).numbered(stamp.message_no)


def unanswered(call: Call[Value], answer: OutboundAnswer) -> Answer[Value] | None:
    """UNKNOWN where there is nothing to read; None where there is."""
    if answer.failure is Failure.NOT_SENT:
        executed = False if call.operation in FIRST_SENDS else None
        return unknown("NOT_SENT", executed=executed)
    if answer.failure is not None or answer.status is None:
        return unknown("NO_ANSWER")
    if answer.status != HTTPStatus.OK:
        return unknown(f"HTTP_{answer.status}")
    return None


def _judge(call: Call[Value], site: Site, answer: OutboundAnswer) -> Answer[Value]:
    if call.binary and not _is_json(answer):
        return believed(call, site, {"file": answer.body})
    try:
        data = object_read(answer.body)
        envelope = Node(data, "envelope")
        code = envelope.text("infcode", required=True)
        platform_no = envelope.text("inf_refmsgid")
        message = shown(envelope.text("err_msg"))
    except Unreadable as fault:
        return unknown("UNREADABLE", fault=fault)
    if code == REFUSED:
        return _refused(call, site, message, platform_no)
    if code != SUCCEEDED:
        return unknown(f"INFCODE_{code[:8]}", message, platform_no=platform_no)
    return believed(call, site, _output(data), platform_no)


def _output(data: JsonObject) -> Mapping[str, object]:
    """The result; transactions without one answer null, an empty text or a list."""
    output = data.get("output")
    if isinstance(output, list):
        return {"data": output}
    return output if isinstance(output, dict) else {}


def believed(
    call: Call[Value], site: Site, output: Mapping[str, object], platform_no: str = ""
) -> Answer[Value]:
    """A success, if it can be believed; else it happened, but nobody knows what."""
    try:
        value = call.read(output, site.region)
    except GatewayFault as fault:
        return unknown(
            type(fault).__name__,
            shown(str(fault)),
            executed=True,
            fault=fault,
            platform_no=platform_no,
        )
    return Answer(call.outcome_of(value), code=SUCCEEDED, value=value, platform_no=platform_no)


def _refused(call: Call[Value], site: Site, message: str, platform_no: str) -> Answer[Value]:
    if call.nothing is not None and says_nothing_there(site.region, message):
        return Answer(
            Outcome.SUCCEEDED,
            code="NOTHING",
            message=message,
            value=call.nothing,
            executed=False,
            platform_no=platform_no,
        )
    return declined(REFUSED, message, platform_no=platform_no)


def declined(code: str, message: str, *, platform_no: str = "") -> Answer[Value]:
    """The insurer's final no, in its own words."""
    return Answer(
        Outcome.DECLINED,
        code=code,
        message=message,
        sentence=sentence_refused(message),
        platform_no=platform_no,
    )


def sentence_refused(message: str) -> str | Promise:
    """A refusal as the patient or clerk may read it."""
    if message:
        return _("The insurer refuses: %(reason)s") % {"reason": message}
    return _("The insurer refuses without a reason.")


def unknown(
    code: str,
    message: str = "",
    *,
    executed: bool | None = None,
    fault: GatewayFault | None = None,
    platform_no: str = "",
) -> Answer[Value]:
    """Nothing is known, or something happened that cannot be believed."""
    return Answer(
        Outcome.UNKNOWN,
        code=code,
        message=message[:MESSAGE_LENGTH_MAX],
        sentence=UNUSABLE if executed else UNANSWERED,
        executed=executed,
        fault=fault,
        platform_no=platform_no,
    )


def shown(message: str) -> str:
    """A platform's text without ID and phone numbers, as long as a row may hold."""
    return text_shown(message)[:MESSAGE_LENGTH_MAX]


def _is_json(answer: OutboundAnswer) -> bool:
    kind = next((v for k, v in answer.headers.items() if k.lower() == "content-type"), "")
    return "json" in kind or answer.body.lstrip()[:1] == b"{"
