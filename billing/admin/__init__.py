"""What staff read of bills and payments in the admin; a module registers what it shows.

Act on a bill: the window (`billing.desk`), never here.
"""

from __future__ import annotations

from billing.admin import counterparties, lists, losses, mixed

__all__ = ["counterparties", "lists", "losses", "mixed"]
