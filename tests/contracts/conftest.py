"""The server that receives the notices of a counterparty."""

from __future__ import annotations

from tests.sandbox.wechat_client import inbox

__all__ = ["inbox"]
