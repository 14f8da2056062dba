"""Free texts and times as the gateway takes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
SUBJECT_LENGTH = 128
REASON_LENGTH = 128
TITLE_LENGTH = 64

# A subject holds no "/", "=" or "&": the signed text joins fields with the last two, unescaped.
_FULL_WIDTH = str.maketrans({"&": "＆", "=": "＝", "/": "／"})
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?")


def text_cut(text: str, limit: int) -> str:
    """The text without control characters and separators, at most `limit` characters."""
    plain = "".join(character for character in text if character.isprintable())
    return plain.translate(_FULL_WIDTH)[:limit]


def moment_text(at: datetime) -> str:
    """Beijing time without zone."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def moment_read(text: str) -> datetime | None:
    """Beijing time without zone, or none; the channel adds milliseconds in some fields."""
    if not _PLAIN_TIME.fullmatch(text):
        return None
    try:
        return datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
