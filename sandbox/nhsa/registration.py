"""What the insurance platform tells the world about itself."""

from __future__ import annotations

from django.db import connection, transaction

from sandbox.nhsa import mobile_paying, mobile_refunds
from sandbox.nhsa.actions import NHSA
from sandbox.nhsa.books import books, transactions
from sandbox.nhsa.faces import faces_forget
from sandbox.nhsa.models import (
    Accumulator,
    Coverage,
    Entitlement,
    FaceScan,
    FamilyLink,
    FeeLine,
    MessageLog,
    MobileOrder,
    MobileRefund,
    Nonce,
    PayAuth,
    Person,
    Settlement,
    ShownCode,
    SignIn,
    StoredFile,
    Token,
    Visit,
)
from sandbox.nhsa.operations import OPERATIONS
from sandbox.nhsa.provision import credentials, rules_restore
from sandbox.world.registry import (
    register_actions,
    register_books,
    register_operations,
    register_provision,
    register_release,
    register_reset,
    register_transactions,
)
from sandbox.world.tables import tables_empty


def register() -> None:
    register_operations("nhsa", OPERATIONS)
    register_books("nhsa", books)
    register_transactions("nhsa", transactions)
    register_actions("nhsa", NHSA)
    register_reset(world_empty)
    register_release(mobile_paying.held_release)
    register_release(mobile_refunds.held_release)
    register_provision("nhsa", credentials)


# In the order of the foreign keys.
EMPTIED = (
    MobileRefund, MobileOrder, FeeLine, Settlement, Visit, PayAuth, FaceScan, ShownCode, Token,
    StoredFile, Nonce, MessageLog, SignIn, Accumulator, Entitlement, FamilyLink, Coverage, Person,
)  # fmt: skip


def world_empty() -> None:
    """Forget people, money and changed rules; institutions, keys and parameters stay."""
    faces_forget()
    rules_restore()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE nhsa_settlement SET parent_id = NULL")
        cursor.execute("UPDATE nhsa_person SET enrolled_by_id = NULL")
        tables_empty(EMPTIED)
