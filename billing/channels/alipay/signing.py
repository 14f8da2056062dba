"""What a notice of Alipay is signed over; a request is signed as everywhere (`core.rsa2`).

The two texts differ: a request's contains sign_type and drops empty values, a notice's drops
sign_type and keeps them. Nothing is escaped in either, so a value that holds "&" could be read as
two fields; such a notice is refused before its signature is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.rsa2 import joined_text


def notice_text(fields: Mapping[str, str]) -> bytes:
    """Every field but sign and sign_type, in the order of their names."""
    return joined_text({k: v for k, v in fields.items() if k not in ("sign", "sign_type")})
