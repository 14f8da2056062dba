"""One insured patient at the sandbox."""

from __future__ import annotations

import pytest

from core import clock
from tests.billing.insured.ward import Ward, ward_open
from tests.fixtures.sandbox_process import Sandbox


@pytest.fixture
def ward(sandbox: Sandbox, still_clock: clock.FrozenClock) -> Ward:
    return ward_open(sandbox, still_clock)
