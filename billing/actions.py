"""A payer's next step as its transaction keeps it: written and read here alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from billing.channels.base import Action


def action_json(action: Action) -> dict[str, str]:
    """The step for `PaymentTransaction.action`."""
    return {
        "type": action.type,
        "value": action.value,
        "expires_at": action.expires_at.isoformat(),
    }


def action_read(kept: Mapping[str, str] | None) -> Action | None:
    """The step that was kept, whether or not its time has come."""
    if kept is None:
        return None
    return Action(kept["type"], kept["value"], datetime.fromisoformat(kept["expires_at"]))
