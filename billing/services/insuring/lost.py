"""A settlement whose fund part was lost is not taken back while the hospital bears that loss (Z2).

The loss has lessened what the fund owes already; a reversal beside it would make that less than
nothing. What two people decided is not undone by a return either: they take the loss back first,
which is an entry of its own. Whoever looks a moment too early is stopped by the database.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.models import Invoice
from billing.selectors.losses import loss_standing
from core.errors import Conflict

LOSS_STANDS = "loss_stands"


def loss_sentence(claim_id: int) -> str:
    """Why a settlement is not taken back; empty where none of its losses stands."""
    number = loss_standing(claim_id)
    if not number:
        return ""
    return _(
        "The hospital bears fund loss %(number)s of this settlement. Two people take that loss back"
        " first; then the settlement can be undone."
    ) % {"number": number}


def loss_refuse(invoice: Invoice) -> None:
    """Raise Conflict where the settlement of a locked bill may not be taken back."""
    if invoice.settled_at is None or invoice.claim_id is None:
        return
    sentence = loss_sentence(invoice.claim_id)
    if sentence:
        raise Conflict(LOSS_STANDS, sentence)
