"""The sandbox as a counterparty, and the server that receives its notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.sandbox_process import (
    sandbox,  # noqa: F401 - fixtures are found by name
    sandbox_server,  # noqa: F401
)
from tests.sandbox.wechat_client import Inbox, inbox_start


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box, server = inbox_start()
    yield box
    server.shutdown()
    server.server_close()
