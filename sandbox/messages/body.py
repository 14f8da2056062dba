"""What a call to a message service carries."""

from __future__ import annotations

import json
from typing import Any


def object_of(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a call; None when it is none, or holds what PostgreSQL cannot keep."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and b"\\u0000" not in body else None
