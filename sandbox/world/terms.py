"""The limits and hours of an agreement's plan, the same at both wallets."""

from __future__ import annotations

from datetime import time
from typing import Any

# In the order in which a vendor's list of plans writes them.
TERMS = ("name", "single_fen", "daily_fen", "daily_count", "hours_from", "hours_to")


def terms_shown(plan: Any) -> dict[str, Any]:
    """A plan's terms as the portal is told them; the end of a day is 24:00."""
    return {
        "name": plan.name,
        "single_fen": plan.single_fen,
        "daily_fen": plan.daily_fen,
        "daily_count": plan.daily_count,
        "hours_from": f"{plan.hours_from:%H:%M}",
        "hours_to": "24:00" if plan.hours_to == time.max else f"{plan.hours_to:%H:%M}",
    }
