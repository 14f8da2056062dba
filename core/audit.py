"""What people and counterparties did that no state change tells: looks, exports, refusals.

Detail holds numbers and codes, never personal data in the clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core import clock
from core.actors import Actor
from core.models import AuditEvent


def record(
    *,
    by: Actor,
    action: str,
    subject: str,
    subject_id: int | str,
    detail: Mapping[str, Any] | None = None,
    address: str = "",
) -> AuditEvent:
    """Write one event, in the caller's transaction if there is one."""
    return AuditEvent.objects.create(
        actor=by.key,
        actor_name=by.name,
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        detail=dict(detail or {}),
        address=address or None,
        created_at=clock.now(),
    )
