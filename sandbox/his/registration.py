"""What this app tells the world: the push it receives, its books, actions and reset."""

from __future__ import annotations

from sandbox.his.actions import ACTIONS, his_empty
from sandbox.his.selectors import books, transactions
from sandbox.world.registry import (
    TRANSPORT,
    register_actions,
    register_books,
    register_operations,
    register_reset,
    register_transactions,
)


def register() -> None:
    register_operations("his", {"push": TRANSPORT})
    register_books("his", books)
    register_transactions("his", transactions)
    register_actions("his", ACTIONS)
    register_reset(his_empty)
