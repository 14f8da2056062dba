"""The e-credential (医保码): a shown code or a face becomes an identity and a token for the visit.

`code_decode` reads a code (ec.query). At a face terminal `face_authorise` (ec.auth) gives a number
that `face_identity` (auth.check) turns into the same identity. A face yields an identity, never
money. The token is a secret: it is in no repr, no log, and in the database only encrypted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from urllib.parse import urlencode

from django.core.exceptions import ImproperlyConfigured

from core import outbound
from core.outbound import OutboundAnswer, OutboundRequest, Timeout
from core.outcomes import Unanswered
from insurance.gateway.base import Answer, Call, Operation, RegionProfile, Site, Stamp, Value
from insurance.gateway.envelope import (
    CONNECT_S,
    COUNTERPARTY,
    READ_S,
    believed,
    declined,
    json_write,
    shown,
    unanswered,
    unknown,
)
from insurance.gateway.reading import Different, Node, Unreadable, nested, object_read
from insurance.gateway.visit_values import Credential, CredentialKind

SUCCEEDED, SYSTEM_ERROR = "0", "-1"
BUSINESS_SETTLE, BUSINESS_REGISTER, BUSINESS_ONLINE = "01301", "01101", "03131"
BUSINESS_PAY = "04107"  # 医保移动支付: the page gives a payAuthNo
TOKEN_MAX = 64  # sources say 40 and 50
UNANSWERED: Mapping[Operation, Unanswered] = MappingProxyType({
    Operation.CODE_DECODE: Unanswered.RESEND,
    Operation.FACE_AUTHORISE: Unanswered.RESEND,
    Operation.FACE_IDENTITY: Unanswered.RESEND,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a code or face was read."""

    office_code: str
    office_name: str
    device: str = ""  # "SelfService" at a kiosk
    number: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a code or face is of, with the token that insures the visit."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    id_kind: str
    token: str = field(repr=False)
    insured_area: str
    sex: str = ""
    birth_date: date | None = None
    index_no: str = field(default="", repr=False)
    auth_no: str = field(default="", repr=False)

    @property
    def credential(self) -> Credential:
        """What registration, trial and settlement of the visit bear."""
        return Credential(CredentialKind.ELECTRONIC, self.token, insured_area=self.insured_area)


def code_decode(
    code: str, terminal: Terminal, *, business: str = BUSINESS_SETTLE
) -> Call[Identity]:
    """ec.query: whose code this is."""
    said = {**_place(terminal), "businessType": business, "ecQrCode": code}
    return Call(Operation.CODE_DECODE, "ec.query", said, _identity)


def authorise_address(
    page: str,
    *,
    institution_code: str,
    number: str,
    back: str,
    business: str = BUSINESS_ONLINE,
) -> str:
    """Where the insured allow a visit on their own phone; it leads to `back` with an authNo, which
    `face_identity` turns into the identity. Asked for BUSINESS_PAY, it leads back with a payAuthNo,
    which the mobile-pay centre takes."""
    asked = {
        "orgId": institution_code,
        "outBizNo": number,
        "businessType": business,
        "back": back,
    }
    return f"{page}{'&' if '?' in page else '?'}{urlencode(asked)}"


def face_authorise(
    number: str, terminal: Terminal, *, business: str = BUSINESS_SETTLE
) -> Call[str]:
    """cn.nhsa.ec.auth: the terminal looks; the value is the authorisation's number."""
    said = {**_place(terminal), "businessType": business, "outBizNo": number}

    def read(output: Mapping[str, object], _profile: RegionProfile) -> str:
        node = Node(output, "data")
        node.same("outBizNo", number)
        return node.text("authNo", required=True)

    return Call(Operation.FACE_AUTHORISE, "cn.nhsa.ec.auth", said, read)


def face_identity(number: str, auth_no: str, terminal: Terminal) -> Call[Identity]:
    """cn.nhsa.auth.check: whose face it was."""
    said = {**_place(terminal), "outBizNo": number, "authNo": auth_no}

    def read(output: Mapping[str, object], profile: RegionProfile) -> Identity:
        found = _identity(output, profile)
        if found.auth_no not in ("", auth_no):
            raise Different("authNo is not what was asked for")
        return found

    return Call(Operation.FACE_IDENTITY, "cn.nhsa.auth.check", said, read)


class CredentialService:
    """The e-credential service of one region. Stateless."""

    code = "credential"
    unanswered: Mapping[Operation, Unanswered] = UNANSWERED

    def content(self, call: Call[Value], site: Site, stamp: Stamp) -> bytes:
        """The whole request body."""
        operator = call.operator or site.operator
        data = {
            "orgId": site.institution_code,
            "operatorId": operator.code,
            "operatorName": operator.name,
            **call.input,
        }
        return json_write({
            "orgId": site.institution_code, "transType": call.code, "data": data, "extra": {},
        })  # fmt: skip

    def send(self, call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
        """Send it and judge the answer."""
        if not site.region.credential_url:
            raise ImproperlyConfigured(f"insurance region {site.region.area} reads no codes")
        answer = outbound.send(
            OutboundRequest(
                counterparty=COUNTERPARTY,
                operation=call.operation.value,
                reference=stamp.message_no,
                method="POST",
                url=site.region.credential_url,
                headers={"Content-Type": "application/json; charset=utf-8"},
                body=content,
                timeout=Timeout(CONNECT_S, READ_S),
            )
        )
        judged = unanswered(call, answer) or _judge(call, site, answer)
        return judged.numbered(stamp.message_no)


def _judge(call: Call[Value], site: Site, answer: OutboundAnswer) -> Answer[Value]:
    try:
        outer = object_read(answer.body)
        envelope = Node(outer, "envelope")
        code, message = envelope.text("code", required=True), shown(envelope.text("message"))
        envelope.same("orgId", site.institution_code)
        data = nested(outer, "data")
    except (Unreadable, Different) as fault:
        return unknown("UNREADABLE", str(fault), fault=fault)
    if code == SUCCEEDED:
        return believed(call, site, data)
    if code == SYSTEM_ERROR:
        return unknown("CODE_-1", message)
    return declined(code, message)


def _identity(output: Mapping[str, object], _profile: RegionProfile) -> Identity:
    node = Node(output, "data")
    token = node.text("ecToken", required=True)
    if len(token) > TOKEN_MAX:
        raise Unreadable(f"data.ecToken has {len(token)} characters")
    born = node.time("birthday")
    return Identity(
        name=node.text("userName", required=True),
        id_number=node.text("idNo", required=True),
        id_kind=node.text("idType"),
        token=token,
        insured_area=node.text("insuOrg", required=True),
        sex=node.text("gender"),
        birth_date=born.date() if born else None,
        index_no=node.text("ecIndexNo"),
        auth_no=node.text("authNo"),
    )


def _place(terminal: Terminal) -> dict[str, object]:
    return {
        "officeId": terminal.office_code,
        "officeName": terminal.office_name,
        "deviceType": terminal.device,
        "termId": terminal.number,
        "termIp": terminal.address,
    }
