"""JSON as the floor writes it: exact, canonical where hashed, never a float for money."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

_ENCODER = DjangoJSONEncoder(ensure_ascii=False)


def dumps(value: Any) -> str:
    """JSON of dates, decimals (as strings), UUIDs and lazy texts too."""
    return _ENCODER.encode(value)


def canonical(value: Any) -> bytes:
    """One spelling per value: sorted keys, no spaces, UTF-8; NaN and infinity are refused."""
    return json.dumps(
        value,
        cls=DjangoJSONEncoder,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()
