"""A caller's number makes a money call safe to repeat.

The number lives on the row the call makes (a collect, a return, an invoice), unique per client,
with the hash of its input. Same number and input: the row answers again. Same number, other input:
`NumberReused`, a 409.
"""

from __future__ import annotations

import hashlib
from typing import Any

from core.errors import Conflict
from core.json_values import canonical


class NumberReused(Conflict):
    """The number is known with another input."""


def input_hash(data: Any) -> str:
    """SHA-256 of the canonical JSON: the order of keys and spaces do not matter, values do."""
    return hashlib.sha256(canonical(data)).hexdigest()
