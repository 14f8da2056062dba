"""What Alipay tells the world about itself."""

from __future__ import annotations

from sandbox.alipay.actions import PAYER, VENDOR
from sandbox.alipay.books import books, transactions
from sandbox.alipay.models import (
    BookEntry,
    Contract,
    PaymentCode,
    Refund,
    Trade,
    Transfer,
    Wallet,
)
from sandbox.alipay.payer import held_release
from sandbox.alipay.provision import credentials
from sandbox.world.registry import (
    NOTICES,
    SIGNED,
    register_actions,
    register_books,
    register_operations,
    register_provision,
    register_release,
    register_reset,
    register_transactions,
)
from sandbox.world.tables import tables_empty

OPERATIONS = {
    "sign": NOTICES,
    "unsign": SIGNED | NOTICES,
    "capture": SIGNED | NOTICES | {"decline", "user_paying", "never_final"},
    "query": SIGNED,
    "close": SIGNED | {"success_after_close"},
    "reverse": SIGNED,
    "refund": SIGNED | NOTICES | {"decline", "never_final", "returned_after_success"},
    "refund_query": SIGNED,
    "transfer": SIGNED | {"decline", "never_final", "returned_after_success"},
    "transfer_query": SIGNED,
    "notice": NOTICES,
}


def register() -> None:
    register_operations("alipay", OPERATIONS)
    register_books("alipay", books)
    register_transactions("alipay", transactions)
    register_actions("alipay_payer", PAYER)
    register_actions("alipay", VENDOR)
    register_reset(world_empty)
    register_release(held_release)
    register_provision("alipay", credentials)


def world_empty() -> None:
    """Forget people and money; merchants, plans and keys stay as they were provisioned."""
    tables_empty((BookEntry, Refund, Trade, Transfer, Contract, PaymentCode, Wallet))
