"""The gateway object, and what each of its transactions allows when no answer came."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.outcomes import Unanswered
from insurance.gateway.base import Answer, Call, Operation, Site, Stamp, Value
from insurance.gateway.envelope import envelope_send, envelope_write

UNANSWERED: Mapping[Operation, Unanswered] = MappingProxyType({
    # Questions, and writes that say the same thing twice.
    Operation.SIGN_IN: Unanswered.RESEND,
    Operation.SIGN_OUT: Unanswered.RESEND,
    Operation.PERSON: Unanswered.RESEND,
    Operation.CARD_READ: Unanswered.RESEND,
    Operation.BENEFIT_CHECK: Unanswered.RESEND,
    Operation.VISIT: Unanswered.RESEND,
    Operation.VISIT_QUERY: Unanswered.RESEND,
    Operation.LINES_CANCEL: Unanswered.RESEND,
    Operation.REGISTER_CANCEL: Unanswered.RESEND,
    Operation.PRESETTLE: Unanswered.RESEND,  # a trial leaves nothing behind
    Operation.SETTLE_QUERY: Unanswered.RESEND,
    Operation.CHRONIC_QUERY: Unanswered.RESEND,
    Operation.ADVICE_BEFORE: Unanswered.RESEND,
    Operation.ADVICE_DURING: Unanswered.RESEND,
    Operation.TOTALS: Unanswered.RESEND,
    Operation.DETAILS: Unanswered.RESEND,
    Operation.FILE_UPLOAD: Unanswered.RESEND,  # a second upload is another file number
    Operation.FILE_DOWNLOAD: Unanswered.RESEND,
    # A filing is asked about by what stands (5304, 5301) and never said twice.
    Operation.FILE_TRANSFER: Unanswered.QUERY_FIRST,
    Operation.FILE_CHRONIC: Unanswered.QUERY_FIRST,
    Operation.TRANSFER_END: Unanswered.QUERY_FIRST,
    Operation.CHRONIC_END: Unanswered.QUERY_FIRST,
    Operation.TRANSFER_QUERY: Unanswered.RESEND,
    # Filed or ended twice, a family account is the same: no money moves by it.
    Operation.FAMILY_FILE: Unanswered.RESEND,
    Operation.FAMILY_END: Unanswered.RESEND,
    Operation.FAMILY_QUERY: Unanswered.RESEND,
    Operation.REGISTER: Unanswered.QUERY_FIRST,  # 5201 lists the person's visits
    # Lines are unique within the visit, so a lost batch is taken away (2205) and sent anew.
    Operation.LINES: Unanswered.REVERSE,
    # Money: query (5203), then reverse (2601) under the stored message number; never resent.
    Operation.SETTLE: Unanswered.QUERY_FIRST,
    Operation.SETTLE_REVERSE: Unanswered.QUERY_FIRST,
    Operation.REVERSE: Unanswered.RESEND,  # says which lost call it ends, however often
})  # fmt: skip


class Nhsa:
    """The national interface of one region. Stateless."""

    code = "nhsa"
    unanswered: Mapping[Operation, Unanswered] = UNANSWERED

    def content(self, call: Call[Value], site: Site, stamp: Stamp) -> bytes:
        """The whole request body."""
        return envelope_write(call, site, stamp)

    def send(self, call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
        """Send it and judge the answer."""
        return envelope_send(call, site, stamp, content)
