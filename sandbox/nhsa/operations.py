"""The platform's operations and what can go wrong at each."""

from __future__ import annotations

from sandbox.world.registry import NOTICES, TRANSPORT

# A system error answers -1: before, nothing was done; after, everything was.
SYSTEM = TRANSPORT | {"system_error_before", "system_error_after"}
SAYS_NO = SYSTEM | {"decline"}
MOBILE = TRANSPORT | {"decline", "bad_signature"}
OPERATIONS: dict[str, frozenset[str]] = {
    "sign_in": SAYS_NO,
    "query": SAYS_NO,
    "decode": SAYS_NO,
    "register": SAYS_NO,
    "upload": SAYS_NO,
    "presettle": SAYS_NO,
    "settle": SAYS_NO | {"settle_differs"},
    "settle_reverse": SAYS_NO | {"already_cleared"},
    "reverse": SAYS_NO,
    "filing": SAYS_NO,
    "audit": SAYS_NO,
    "statement": SAYS_NO | {"bill_difference"},
    "mobile_upload": MOBILE,
    "mobile_order": MOBILE | {"never_final", "part_success", "settle_differs"},
    "mobile_query": MOBILE,
    "mobile_refund": MOBILE | {"never_final", "already_cleared"},
    "mobile_revoke": MOBILE,
    "notice": NOTICES,
}
