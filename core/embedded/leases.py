"""Who still uses a server: kernel file locks, which a killed process cannot leave behind."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def gate(path: Path) -> Iterator[None]:
    """One process at a time decides about start and stop."""
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Lease:
    """A shared lock for as long as this process uses the server; forks inherit it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: IO[str] | None = None
        self._owner = 0

    @property
    def held(self) -> bool:
        return self._handle is not None

    def take(self) -> None:
        if self._handle is None:
            self._handle = self._path.open("a")
            self._owner = os.getpid()
            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def give_back(self) -> bool:
        """Return whether nobody else uses the server any more; call inside the gate."""
        if self._handle is None or self._owner != os.getpid():
            return False  # a forked child leaves its parent's server alone
        handle, self._handle = self._handle, None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            handle.close()
