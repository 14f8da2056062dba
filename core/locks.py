"""The locks core itself takes, by name."""

from __future__ import annotations

from core.locking import advisory_lock


def staff_login_lock(name_index: str) -> None:
    """Attempts under one name are counted one after the other, until the transaction ends."""
    advisory_lock(f"core.staff_login/{name_index}")


def command_lock(name: str) -> None:
    """One run of a command at a time, until the transaction ends; the second waits."""
    advisory_lock(f"command/{name}")
