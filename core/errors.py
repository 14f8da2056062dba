"""What a service raises when it says no. Doors translate it; services never build responses.

A `Refusal` is an answer, not a fault: it carries a machine-readable code, a sentence for people
and, where one input is to blame, that input's name. Nothing has happened when one is raised.
"""

from __future__ import annotations

from typing import ClassVar

from django.utils.functional import Promise


class Refusal(Exception):
    """The request was understood and is refused; the caller may change it and try again."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, message: str | Promise, field: str = "") -> None:
        super().__init__(code, message, field)
        self.code = code
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class BadInput(Refusal):
    """The input itself is wrong: malformed, out of range, contradictory."""


class Forbidden(Refusal):
    """Well formed, but this caller may not do it."""

    status = 403


class NotFound(Refusal):
    """What the request names does not exist, or not for this caller."""

    status = 404


class Conflict(Refusal):
    """The present state does not allow it."""

    status = 409


class NotOffered(Conflict):
    """This house does not offer it: not built, not configured, or switched off."""
