"""What this app tells the world: operations, rows, reset."""

from __future__ import annotations

from functools import partial

from sandbox.messages.models import Message
from sandbox.messages.selectors import message_rows
from sandbox.messages.services import messages_empty
from sandbox.world.registry import (
    SIGNED,
    TRANSPORT,
    register_operations,
    register_reset,
    register_transactions,
)


def register() -> None:
    register_operations(Message.Kind.WECHAT, {"token": TRANSPORT, "send": TRANSPORT | {"decline"}})
    register_operations("alipay_login", {"token": SIGNED})
    register_operations(Message.Kind.SMS, {"send": TRANSPORT | {"decline"}})
    for kind in (Message.Kind.WECHAT, Message.Kind.SMS):
        register_transactions(kind, partial(message_rows, kind))
    register_reset(messages_empty)
