"""What a command found or did, and how it ended; needs no settings, so the start may use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What a caller's script may rely on."""

    OK = 0
    FAILURE = 1
    USAGE = 2  # argparse's own, and a bad value of an option
    DIFFERENCES = 3
    REFUSED = 4
    LOCKED = 5  # another run is at it
    TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found or did: `data` for machines, `text` for people."""

    data: Mapping[str, Any]
    text: str = ""
    exit_code: ExitCode = ExitCode.OK
