"""Named points at which a test may kill this very process, as a power cut would.

`FAILPOINT=name:3,other:1` arms points from the start. `FAILPOINT_FILE` names a file of the same
form that is looked at on every pass, so a running process can be armed; the process that dies takes
the file with it, so one arming kills once. Unarmed, a point costs one comparison. Never in
production: the points stay dead there, and a system check refuses the variables.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path

_VARIABLES = ("FAILPOINT", "FAILPOINT_FILE")


def armed_variables() -> list[str]:
    """The variables that are set, for the system check."""
    return [name for name in _VARIABLES if os.environ.get(name)]


def failpoint(name: str) -> None:
    """Die here by SIGKILL at the armed pass; otherwise nothing."""
    if _active:
        _pass(name)


def _parsed(text: str) -> dict[str, int]:
    """`name:n` pairs; a bare name dies at its first pass."""
    points: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, count = part.partition(":")
        points[name] = int(count or 1)
    return points


def _pass(name: str) -> None:
    with _lock:
        _passes[name] += 1
        if name in _from_environment and _passes[name] == _from_environment[name]:
            os.kill(os.getpid(), signal.SIGKILL)
        if _file is not None:
            _pass_file(_file, name)


def _pass_file(path: Path, name: str) -> None:
    try:
        text = path.read_text(encoding="utf8")
    except FileNotFoundError:
        _file_passes.clear()
        return
    wanted = _parsed(text).get(name)
    _file_passes[name] += 1
    if wanted is None or _file_passes[name] < wanted:
        return
    try:
        # Only one of several processes wins the file; the others live on.
        path.rename(path.with_name(f"{path.name}.struck"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


_active = bool(armed_variables()) and os.environ.get("PORTAL_ENV") != "production"
_from_environment = _parsed(os.environ.get("FAILPOINT", "")) if _active else {}
_file = Path(os.environ["FAILPOINT_FILE"]) if _active and os.environ.get("FAILPOINT_FILE") else None
_passes: Counter[str] = Counter()
_file_passes: Counter[str] = Counter()
_lock = threading.Lock()
