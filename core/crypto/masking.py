"""What may be shown of personal data to someone without the right to see it.

An ID number keeps four characters at each end: the birth date lies between them.
"""

from __future__ import annotations

_DOT = "*"


def mask_id(number: str) -> str:
    """First and last four characters of an ID or card number; short ones keep only the last two."""
    return _masked(number.strip(), head=4, tail=4)


def mask_phone(phone: str) -> str:
    """138****0000."""
    return _masked(phone.strip(), head=3, tail=4)


def mask_name(name: str) -> str:
    """陈*雯, so that two of one family differ on one page; 陈* of two characters, * of one."""
    name = name.strip()
    if len(name) <= 1:
        return _DOT * len(name)
    between = _DOT * len(name[1:-1])
    return name[0] + (between + name[-1] if between else _DOT)


def _masked(text: str, *, head: int, tail: int) -> str:
    """Hide the middle; where less than half would be hidden, keep only two at the end."""
    hidden = len(text) - head - tail
    if hidden >= min(head, tail):
        return text[:head] + _DOT * hidden + text[-tail:]
    kept = min(2, len(text) // 2)
    return _DOT * (len(text) - kept) + text[len(text) - kept :]
