"""One demo for all journeys of a session; it lives on one worker, since a start costs most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.demo_process import Demo, demo_process

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("demo"))


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
