"""What WeChat Pay tells the world about itself."""

from __future__ import annotations

from sandbox.wechat_pay.actions import PAYER, VENDOR
from sandbox.wechat_pay.books import books, transactions
from sandbox.wechat_pay.models import (
    BookEntry,
    Contract,
    MixedOrder,
    Order,
    PaymentCode,
    Refund,
    Wallet,
)
from sandbox.wechat_pay.payer import held_release
from sandbox.wechat_pay.provision import credentials, tls_material
from sandbox.wechat_pay.v3_wire import seal
from sandbox.world.registry import (
    NOTICES,
    SIGNED,
    register_actions,
    register_books,
    register_operations,
    register_provision,
    register_release,
    register_reset,
    register_seal,
    register_tls,
    register_transactions,
)
from sandbox.world.tables import tables_empty

OPERATIONS = {
    "sign": SIGNED | NOTICES,
    "unsign": SIGNED | NOTICES,
    "capture": SIGNED | NOTICES | {"decline", "user_paying", "never_final"},
    "mixed": SIGNED | NOTICES | {"decline"},
    "mixed_query": SIGNED | {"settle_differs"},
    "mixed_refund": SIGNED,
    "query": SIGNED,
    "close": SIGNED | {"success_after_close"},
    "reverse": SIGNED,
    "refund": SIGNED | NOTICES | {"decline", "never_final", "returned_after_success"},
    "refund_query": SIGNED,
    "notice": NOTICES,
}


def register() -> None:
    register_operations("wechat_pay", OPERATIONS)
    register_books("wechat_pay", books)
    register_transactions("wechat_pay", transactions)
    register_actions("payer", PAYER)
    register_actions("wechat_pay", VENDOR)
    register_reset(world_empty)
    register_release(held_release)
    register_seal("wechat_pay", notice_seal)
    register_tls(tls_material)
    register_provision("wechat_pay", credentials)


def notice_seal(_sender: str, body: bytes, spoilt: bool) -> dict[str, str]:
    """Headers of a notice: v3 signs outside its JSON, v2 inside its XML."""
    return {} if body.startswith(b"<") else seal(body, spoilt=spoilt)


def world_empty() -> None:
    """Forget people and money; merchants, plans and keys stay as they were provisioned."""
    tables_empty((BookEntry, Refund, MixedOrder, Order, Contract, PaymentCode, Wallet))
