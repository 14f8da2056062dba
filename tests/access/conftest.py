"""A house with two families in it, a channel that answers at once, and staff with an app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import client

from billing.desk.views import bills
from config import dev_clock
from tests import scripted


@pytest.fixture(autouse=True)
def quick_house(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in production but for the waiting: the second factor counts, channels answer at once."""
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.access.channel.SigningChannel",
        "cash": "billing.channels.cash.Cash",
    }
    settings.STAFF_SECOND_FACTOR = True
    # Nobody carries messages here, whatever else runs on this machine.
    settings.MESSENGERS = {}
    monkeypatch.setattr(client, "store_rendered_templates", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(bills, "WAIT_S", 0)
    monkeypatch.setattr(dev_clock, "OFFSET_SPREADS_S", 0)
    scripted.reset()
    yield
    scripted.reset()
