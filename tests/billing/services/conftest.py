"""Services are tested with a channel that answers what the test says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import scripted


@pytest.fixture(autouse=True)
def scripted_channel(settings: Any) -> Iterator[None]:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    yield
    scripted.reset()
