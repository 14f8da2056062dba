"""What every test stands on: a real PostgreSQL, a still clock, and the scale of the proofs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from importlib.util import find_spec
from zoneinfo import ZoneInfo

import pytest

from core.embedded.services import embedded_services

PINNED_NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def pytest_configure(config: pytest.Config) -> None:
    """Servers live as long as the session; xdist workers share them by lease."""
    stack = ExitStack()
    stack.enter_context(embedded_services())
    config.add_cleanup(stack.close)


@pytest.fixture(autouse=True)
def still_clock() -> Iterator[datetime]:
    """It is 2026-11-20, ten in the morning; no test reads real time."""
    if find_spec("core.clock") is None:
        yield PINNED_NOW
        return
    from core import clock

    with clock.freeze(PINNED_NOW):
        yield PINNED_NOW
