"""A negative answer of the gateway: code of the gateway, sub_code of the product."""

from __future__ import annotations

MESSAGES = {
    "20000": "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40006": "Insufficient Permissions",
}


class Refused(Exception):
    """`signed` is false where the gateway does not know whom it speaks to."""

    def __init__(
        self, sub_code: str, message: str, *, code: str = "40004", signed: bool = True
    ) -> None:
        super().__init__(f"{sub_code}: {message}")
        self.code = code
        self.sub_code = sub_code
        self.message = message
        self.signed = signed


def parameter(name: str) -> Refused:
    """A field of the business that is missing or out of shape."""
    return Refused("ACQ.INVALID_PARAMETER", f"参数无效：{name}")
