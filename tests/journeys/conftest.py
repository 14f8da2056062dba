"""One demo for all journeys of a session.

A start costs most, so one worker has all of them (tests/fixtures/workers.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.his.words import NO_WORD, reason_text
from tests.fixtures.demo_process import Demo, demo_process


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo_process(tmp_path_factory.mktemp("demo")) as running:
        running.morning()
        yield running
        if running.process is not None:
            reasons_have_words(running)


def reasons_have_words(demo: Demo) -> None:
    """Whatever the journeys met, the HIS's console could say it."""
    rows = demo.query("SELECT DISTINCT data->>'reason' FROM his_event", sandbox=True)
    met = {str(row[0]) for row in rows if row[0]}
    unsaid = [reason for reason in met if reason_text(reason).startswith(NO_WORD)]
    assert not unsaid, f"add to sandbox/his/reasons.py: {unsaid}"


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
