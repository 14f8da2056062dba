"""Every journey finds the session's demo as a hospital in the morning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.demo_process import Demo


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
