"""The insurer boundary: one Protocol and what passes through it; adapters import no models.

A caller makes a `Call` (`nhsa.settlements.settle(...)`, `mobile.order(...)`), hands it to
`insurance.services.exchange`, which commits the intent before the send, and reads the `Answer`. No
verb raises for what a counterparty did: what cannot be read or does not add up is UNKNOWN with a
`fault`, and `executed` says whether it happened nevertheless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from django.utils.functional import Promise

from core.outcomes import Outcome, Unanswered

Value = TypeVar("Value")
MESSAGE_LENGTH_MAX = 500


class Operation(StrEnum):
    """The verbs of the insurer; also the names under which calls and faults are recorded."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    PERSON = "person"
    CARD_READ = "card_read"
    BENEFIT_CHECK = "benefit_check"
    REGISTER = "register"
    REGISTER_CANCEL = "register_cancel"
    VISIT = "visit"
    VISIT_QUERY = "visit_query"
    LINES = "lines"
    LINES_CANCEL = "lines_cancel"
    PRESETTLE = "presettle"
    SETTLE = "settle"
    SETTLE_REVERSE = "settle_reverse"
    SETTLE_QUERY = "settle_query"
    REVERSE = "reverse"
    CHRONIC_QUERY = "chronic_query"
    ADVICE_BEFORE = "advice_before"
    ADVICE_DURING = "advice_during"
    TOTALS = "totals"
    DETAILS = "details"
    FILE_UPLOAD = "file_upload"
    FILE_DOWNLOAD = "file_download"
    FILE_TRANSFER = "file_transfer"
    FILE_CHRONIC = "file_chronic"
    TRANSFER_QUERY = "transfer_query"
    TRANSFER_END = "transfer_end"
    CHRONIC_END = "chronic_end"
    FAMILY_FILE = "family_file"
    FAMILY_END = "family_end"
    FAMILY_QUERY = "family_query"
    MOBILE_LINES = "mobile_lines"
    MOBILE_ORDER = "mobile_order"
    MOBILE_REFUND = "mobile_refund"
    MOBILE_QUERY = "mobile_query"
    MOBILE_REVOKE = "mobile_revoke"
    CODE_DECODE = "code_decode"
    FACE_AUTHORISE = "face_authorise"
    FACE_IDENTITY = "face_identity"


class GatewayFault(ValueError):
    """An answer that cannot be believed; the text names the field or both figures."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """What a call learnt. `value` is there when the answer could be read and believed.

    `executed` is None unless the answer proves it: True = it happened although the answer cannot be
    used, False = it never left or the insurer knows nothing of it. `message` is the platform's own
    text, `sentence` what the patient or clerk may read.
    """

    outcome: Outcome
    code: str = ""
    message: str = ""
    sentence: str | Promise = ""
    value: Value | None = None
    executed: bool | None = None
    fault: GatewayFault | None = None
    message_no: str = ""  # our msgid, which 2601 names
    platform_no: str = ""  # theirs (inf_refmsgid)

    @property
    def known(self) -> Value:
        """The value of an answer that succeeded; asking any other is a programming error."""
        if self.outcome is not Outcome.SUCCEEDED or self.value is None:
            raise ValueError(f"there is no value in {self.outcome} {self.code}")
        return self.value

    def numbered(self, message_no: str) -> Answer[Value]:
        """The same, under the number it was asked by."""
        return replace(self, message_no=message_no)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts at the insurer's platform (经办人, self-service terminal, mobile terminal)."""

    kind: str  # opter_type: 1 clerk, 2 self-service, 3 mobile
    code: str
    name: str


class GatewayStyle(StrEnum):
    """How a region's gateway is addressed."""

    SIGNED_BASE = "signed_base"  # one base address and the number; signed headers
    PATH_KEY = "path_key"  # a path per transaction; one key header


class TimestampForm(StrEnum):
    """How the mobile-pay centre of a region writes its times."""

    MILLIS = "millis"
    COMPACT = "compact"  # yyyyMMddHHmmss


@dataclass(frozen=True, slots=True)
class RegionProfile:
    """What differs from region to region; bodies and envelope are national.

    Secrets are named and never shown (repr=False); `insurance.gateway.profile` says which.
    """

    area: str  # six digits: the place of care
    style: GatewayStyle
    base_url: str
    receiver_code: str
    interface_version: str
    sign_type: str
    fund_includes_account: bool
    med_types: tuple[str, ...]
    mobile_url: str = ""
    mobile_version: str = "2.0.1"
    mobile_timestamp: TimestampForm = TimestampForm.MILLIS
    credential_url: str = ""
    lines_per_call: int = 50
    paths: Mapping[str, str] = field(default_factory=dict)  # of PATH_KEY, beyond the known ones
    # What the platform says when there is nothing to reverse or nothing found: it has no code of
    # its own, so the texts are data.
    nothing_texts: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Site:
    """Who speaks: an institution of a region, and its operator unless a call names another."""

    institution_code: str
    institution_name: str
    region: RegionProfile
    operator: Operator
    sign_no: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The number and time a message is said under; both are committed before it is sent."""

    message_no: str
    at: datetime
    sign_no: str = ""


@dataclass(frozen=True, slots=True)
class Call(Generic[Value]):
    """One transaction with its input, ready to be said, and how its output is read.

    `read` gets the output and the profile and raises GatewayFault for what cannot be believed.
    `nothing` is the value of "there is none", for the transactions that may answer so.
    """

    operation: Operation
    code: str  # infno, transType
    input: Mapping[str, object] = field(repr=False)
    read: Callable[[Mapping[str, object], RegionProfile], Value] = field(repr=False)
    insured_area: str = ""
    operator: Operator | None = None
    nothing: Value | None = None
    binary: bool = False  # the answer is a file, not an envelope
    # For answers that may be read and yet say "not finished" or "no".
    outcome: Callable[[Value], Outcome] | None = field(default=None, repr=False)

    def outcome_of(self, value: Value) -> Outcome:
        """What an answer that was read says of the operation."""
        return Outcome.SUCCEEDED if self.outcome is None else self.outcome(value)


class Gateway(Protocol):
    """One platform of the insurer. Stateless: everything it must know is in the call and site."""

    code: str
    unanswered: Mapping[Operation, Unanswered]

    def content(self, call: Call[Value], site: Site, stamp: Stamp) -> bytes:
        """What is meant, in the same bytes for the same call under the same stamp; it is hashed
        before the send. Where the wire form holds a random signature, it differs from this."""
        ...

    def send(self, call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
        """Send what `content` made and read the answer."""
        ...
