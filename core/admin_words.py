"""What the lists of the admin call a column; models name their fields for programmers.

Here stand the words of rows that every app has; each app adds those of its own with `columns_add`.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

COLUMNS: dict[str, Promise] = {
    "action": pgettext_lazy("column", "asked of the payer"),
    "active": pgettext_lazy("column", "in use"),
    "address": pgettext_lazy("column", "network address"),
    "app_id": pgettext_lazy("column", "app id"),
    "attempts": pgettext_lazy("column", "attempts"),
    "by": pgettext_lazy("column", "found by"),
    "channel": pgettext_lazy("column", "channel"),
    "code": pgettext_lazy("column", "code"),
    "comment": pgettext_lazy("column", "comment"),
    "created_at": pgettext_lazy("column", "recorded at"),
    "decided_at": pgettext_lazy("column", "decided at"),
    "decided_by": pgettext_lazy("column", "decided by"),
    "detail": pgettext_lazy("column", "detail"),
    "due_at": pgettext_lazy("column", "next look"),
    "end_reason": pgettext_lazy("column", "why it ended"),
    "ended_at": pgettext_lazy("column", "ended at"),
    "ended_how": pgettext_lazy("column", "how it ended"),
    "error": pgettext_lazy("column", "error"),
    "expires_at": pgettext_lazy("column", "valid until"),
    "facts": pgettext_lazy("column", "facts"),
    "from": pgettext_lazy("column", "before"),
    "hospital": pgettext_lazy("column", "hospital"),
    "input_hash": pgettext_lazy("column", "hash of the input"),
    "kept": pgettext_lazy("column", "record that stays"),
    "key": pgettext_lazy("column", "key"),
    "kind": pgettext_lazy("column", "kind"),
    "last_error": pgettext_lazy("column", "last error"),
    "last_used_at": pgettext_lazy("column", "last used"),
    "link": pgettext_lazy("column", "link"),
    "method": pgettext_lazy("column", "way"),
    "name": pgettext_lazy("column", "name"),
    "opened_at": pgettext_lazy("column", "opened at"),
    "outcome": pgettext_lazy("column", "outcome"),
    "page": pgettext_lazy("column", "page"),
    "patients": pgettext_lazy("column", "patients (numbers)"),
    "phone": pgettext_lazy("column", "phone"),
    "purpose": pgettext_lazy("column", "purpose"),
    "reason": pgettext_lazy("column", "reason"),
    "reference": pgettext_lazy("column", "reference"),
    "sent_at": pgettext_lazy("column", "sent at"),
    "status": pgettext_lazy("column", "state"),
    "subject": pgettext_lazy("column", "about"),
    "summary": pgettext_lazy("column", "what happened"),
    "to": pgettext_lazy("column", "after"),
    "user": pgettext_lazy("column", "user"),
    "why": pgettext_lazy("column", "why"),
}


def columns_add(words: Mapping[str, Promise]) -> None:
    """Say what an app's own columns are called. A word is said once."""
    twice = sorted(COLUMNS.keys() & words.keys())
    if twice:
        raise ValueError(f"columns named twice: {twice}")
    COLUMNS.update(words)
