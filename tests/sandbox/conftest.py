"""A merchant of the sandbox and the server that receives its notices."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.wechat_client import Merchant, inbox

__all__ = ["inbox"]


@pytest.fixture
def merchant(sandbox: Sandbox) -> Merchant:
    return Merchant(sandbox)
