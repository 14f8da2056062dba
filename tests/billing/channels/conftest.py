"""A scripted vendor on a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.billing.channels.wechat_vendor import Vendor


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    played = Vendor()
    played.start()
    yield played
    played.stop()
