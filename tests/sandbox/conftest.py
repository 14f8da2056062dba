from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.sandbox_process import (
    Sandbox,
    sandbox,  # noqa: F401 - fixtures are found by name
    sandbox_server,  # noqa: F401
)
from tests.sandbox.wechat_client import Inbox, Merchant, inbox_start


@pytest.fixture
def merchant(sandbox: Sandbox) -> Merchant:  # noqa: F811
    return Merchant(sandbox)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box, server = inbox_start()
    yield box
    server.shutdown()
    server.server_close()
