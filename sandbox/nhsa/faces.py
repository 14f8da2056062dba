"""Whose face stands before which terminal; like faults it lives in this one process."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_before: dict[str, str] = {}


def face_present(term_id: str, psn_no: str) -> None:
    with _lock:
        _before[term_id] = psn_no


def face_seen(term_id: str) -> str:
    """The person number before a terminal; a terminal nobody named sees whom any one sees."""
    with _lock:
        return _before.get(term_id) or _before.get("", "")


def faces_forget() -> None:
    with _lock:
        _before.clear()
