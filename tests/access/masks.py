"""What of whom stands where in the clear, and what must stand nowhere.

`matrix/clear.csv` is the list of rights: `secret,route,roles`. A value that an answer shows beside
it is a leak; a line that no answer needs any more is an old right, and both fail.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.http import HttpResponse
from pypdf import PdfReader

from tests.access.matrix import HERE

CLEAR = HERE / "clear.csv"
# Written nowhere but in their own encrypted columns; a record number may stand in evidence, since
# it is how a hospital's own staff name a case.
NEVER_LOGGED = (
    "name", "id_number", "phone", "card", "openid", "token", "pay_link", "contract_id", "item",
    "diagnosis",
)  # fmt: skip
Seen = dict[tuple[str, str], set[str]]


def body_of(answer: HttpResponse) -> str:
    """The text of an answer, of its receipt, and of where it leads."""
    led = answer.headers.get("Location", "")
    if answer.headers.get("Content-Type", "").startswith("application/pdf"):
        pages = PdfReader(io.BytesIO(answer.content)).pages
        return led + "".join("".join(page.extract_text().split()) for page in pages)
    return led + answer.content.decode("utf8", "replace")


def shown(text: str, secrets: Mapping[str, str]) -> list[str]:
    return [key for key, value in secrets.items() if value in text]


def logged(text: str, secrets: Mapping[str, str]) -> list[str]:
    """The values that a log or a trail must never hold, and this one does."""
    return [key for key in shown(text, secrets) if key.partition(".")[2] in NEVER_LOGGED]


def rights(path: Path = CLEAR) -> Seen:
    with path.open(encoding="utf8", newline="") as file:
        return {
            (row["secret"], row["route"]): set(row["roles"].split()) for row in csv.DictReader(file)
        }


def differences(seen: Seen, routes: Iterable[str]) -> list[str]:
    """Leaks first, then rights that nothing uses; of these routes only."""
    allowed, asked = rights(), set(routes)
    leaks = [
        f"{role} reads {secret} at {route}"
        for (secret, route), roles in sorted(seen.items())
        for role in sorted(roles - allowed.get((secret, route), set()))
    ]
    unused = [
        f"{role} has the right to {secret} at {route}, and does not see it"
        for (secret, route), roles in sorted(allowed.items())
        if route in asked
        for role in sorted(roles - seen.get((secret, route), set()))
    ]
    return leaks + unused


def none_seen() -> Seen:
    return defaultdict(set)
