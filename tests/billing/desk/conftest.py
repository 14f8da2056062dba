"""The window is tested with a channel that answers what the test says, and no worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from billing.desk.views import bills
from tests import scripted


@pytest.fixture(autouse=True)
def scripted_channel(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    monkeypatch.setattr(bills, "WAIT_S", 0)
    scripted.reset()
    yield
    scripted.reset()
