"""Why money moves: what a capture or refund means to whoever asked for it.

The registry is `settings.PAYMENT_PURPOSES`, one of the house's few calls upward (all of them are in
docs/adr 0007), so that credit and refunds can give money a meaning billing need not know.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from billing.models import Invoice, PaymentTransaction
from core.actors import Actor
from core.states import Step


class Purpose(Protocol):
    """What a capture or refund means. Every verb but `description` is called inside the transaction
    of `apply`, rows locked; it posts, moves the owner, queues messages and calls nobody outside.

    The invoice is locked by `apply`, before the transaction. Every other owner (a statement, a
    refund request) comes after the transaction in the house's order: the purpose locks it itself.
    """

    def description(self, row: PaymentTransaction, invoice: Invoice | None) -> str:
        """What the payer reads at the channel: never a department, a diagnosis or an item."""
        ...

    def captured(
        self,
        row: PaymentTransaction,
        invoice: Invoice | None,
        done: Step,
        *,
        expected: bool,
        by: Actor,
    ) -> None:
        """`done` is the row's own step, taken here: with what moves for it, in one statement."""
        ...

    def capture_ended(
        self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor
    ) -> None: ...
    def refunded(self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor) -> None: ...
    def refund_came_back(
        self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor
    ) -> None: ...
    def refund_ended(
        self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor
    ) -> None: ...


@cache
def purpose_get(code: str) -> Purpose:
    """The purpose of a code; an unknown one is a programming error (system check)."""
    return cast(Purpose, import_string(settings.PAYMENT_PURPOSES[code])())
