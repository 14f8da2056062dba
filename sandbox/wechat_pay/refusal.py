"""A negative answer of the vendor, the same for both protocols, only written differently."""

from __future__ import annotations


class Refused(Exception):
    """Status and code as v3 writes them; `V2_CODES` has the older spelling."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


# Where the two generations spell the same refusal differently.
V2_CODES = {
    "NOT_ENOUGH": "NOTENOUGH",
    "ORDER_NOT_EXIST": "ORDERNOTEXIST",
    "RESOURCE_NOT_EXISTS": "REFUNDNOTEXIST",
    "SYSTEM_ERROR": "SYSTEMERROR",
    "ORDER_CLOSED": "ORDERCLOSED",
    "RULE_LIMIT": "RULELIMIT",
}
V3_CODES = {
    "TRADE_OVERDUE": "INVALID_REQUEST",
    "TRADE_STATE_ERROR": "INVALID_REQUEST",
}
