"""How an outside call may end, and what an unanswered one allows.

A timeout is UNKNOWN, never "failed": it is queried, then ended. Which wire answer is which outcome
is each adapter's knowledge.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """The four ends of an outside call."""

    SUCCEEDED = "SUCCEEDED"  # final: it happened
    DECLINED = "DECLINED"  # final: it did not and will not happen under this number
    PENDING = "PENDING"  # accepted, not final: query or wait for the notice
    UNKNOWN = "UNKNOWN"  # no answer, or none that can be trusted: query, never resend blindly


class Unanswered(StrEnum):
    """What an operation allows when its answer did not come."""

    RESEND = "RESEND"  # the same number is idempotent at the counterparty
    QUERY_FIRST = "QUERY_FIRST"  # ask; only "not found" says it never happened
    REVERSE = "REVERSE"  # undo under the same number, repeat until answered
