"""Which bill a message is about, for a reader who may open it.

A message names no bill; its key does (`billing.services.messages`): the number of the money that
moved, or the bill that waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing.message_keys import BY_BILL, BY_NUMBER, message_about
from billing.models import PaymentTransaction
from billing.selectors.portal_bills import bills_readable
from core.models import User


@dataclass(frozen=True, slots=True)
class MessageBill:
    """A bill the reader may open; `to_pay` if it waits for this reader's money."""

    pk: int
    to_pay: bool
    settled: bool


def bills_of_messages(*, user: User, keys: Sequence[str]) -> dict[str, MessageBill]:
    """The bill of each key; a key whose bill this user may neither see nor pay is left out."""
    numbers, invoices = {}, {}
    for key in keys:
        kind, what = message_about(key)
        if kind in BY_NUMBER:
            numbers[key] = what
        elif kind in BY_BILL and what.isdigit():
            invoices[key] = int(what)
    rows = PaymentTransaction.objects.filter(number__in=numbers.values())
    by_number = dict(rows.values_list("number", "payment__invoice_id")) if numbers else {}
    invoices |= {key: by_number[number] for key, number in numbers.items() if number in by_number}
    readable = bills_readable(user, set(invoices.values()) - {None})
    return {key: MessageBill(pk, *readable[pk]) for key, pk in invoices.items() if pk in readable}
