"""One demo for all journeys of a session.

A start costs most, so one worker has all of them (tests/fixtures/workers.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.demo_process import Demo, demo_process


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo_process(tmp_path_factory.mktemp("demo")) as running:
        running.morning()
        yield running


@pytest.fixture
def demo(house: Demo) -> Iterator[Demo]:
    """The house, open and without faults, whatever the last journey did."""
    if house.process is None:
        house.start()
    house.control("DELETE", "faults")
    if not 9 <= house.now().hour < 18:
        house.morning()
    yield house
    if house.process is not None:
        house.control("DELETE", "faults")
