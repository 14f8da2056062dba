"""Free texts as the channel takes them: cut by bytes, without separators of a signed text."""

from __future__ import annotations

DESCRIPTION_BYTES = 127  # v2 counts bytes, v3 characters; the narrower holds for both
REASON_BYTES = 80
NAME_BYTES = 32

# A v2 signature joins name=value with "&" and escapes nothing. A text holding "&total_fee=1" would
# sign as if it were another field, so free texts carry the full-width sign.
_FULL_WIDTH = str.maketrans({"&": "＆"})


def text_cut(text: str, limit: int) -> str:
    """The text without control characters, at most `limit` bytes of UTF-8, no character split."""
    plain = "".join(character for character in text if character.isprintable())
    return plain.translate(_FULL_WIDTH).encode()[:limit].decode(errors="ignore")
