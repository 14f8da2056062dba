"""A negative answer of the platform: the sentence that people read, and its wire code."""

from __future__ import annotations

BUSINESS = -2
SYSTEM = -1


class Refused(Exception):
    """The business says no (-2); nothing was done. `status` is of the gateway, mostly 200."""

    def __init__(self, message: str, *, status: int = 200) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
