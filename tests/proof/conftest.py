"""Proofs attack the house: by threads, by processes that die, by a channel that lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.servers.basehttp import WSGIServer

from billing.ledger.accounts import accounts_forget
from tests import scripted

# Two dozen callers knock in one moment; past ten in the queue the kernel would reset some.
WSGIServer.request_queue_size = 128


@pytest.fixture
def scripted_channel(settings: Any) -> Iterator[None]:
    """WeChat Pay answers what the test says; its notices are real ones."""
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.proof.noticed.NoticedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    accounts_forget()
    yield
    scripted.reset()
