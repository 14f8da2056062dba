"""What people and counterparties did that no state change tells: looks, exports, refusals.

Detail holds numbers and codes, never personal data in the clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from core import clock
from core.actors import Actor
from core.models import AuditEvent

SUPPRESSED = "suppressed"


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
    event = _event(
        by,
        detail or {},
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        address=address or None,
    )
    event.save(force_insert=True)
    return event


def record_by_each(
    *, action: str, subject: str, subject_id: int | str, details: Mapping[Actor, Mapping[str, Any]]
) -> None:
    """Write what several people did in one call: an event for each of them, in one statement."""
    AuditEvent.objects.bulk_create(
        _event(by, detail, action=action, subject=subject, subject_id=str(subject_id))
        for by, detail in details.items()
    )


def record_limited(
    *,
    by: Actor,
    action: str,
    subject: str,
    subject_id: int | str,
    detail: Mapping[str, Any],
    address: str,
    per_address: int,
    per_minute: int,
) -> AuditEvent | None:
    """Write what strangers can cause at will: so many in a minute, from one address and from all.

    The first one above a limit is kept as a line that says so; the rest of that minute leaves
    nothing. Callers at the same instant may each keep one more.
    """
    minute = clock.now().replace(second=0, microsecond=0)
    rows = AuditEvent.objects.filter(action=action, created_at__gte=minute)
    own = _count(rows.filter(address=address or None), per_address + 1)
    everybody = _count(rows, per_minute + 1)
    if own > per_address or everybody > per_minute:
        return None
    if own == per_address or everybody == per_minute:
        limit = "address" if own == per_address else "minute"
        detail = {SUPPRESSED: limit, "until": (minute + timedelta(minutes=1)).isoformat()}
    return record(
        by=by,
        action=action,
        subject=subject,
        subject_id=subject_id,
        detail=detail,
        address=address,
    )


def _event(by: Actor, detail: Mapping[str, Any], **about: Any) -> AuditEvent:
    return AuditEvent(
        actor=by.key,
        actor_name=by.name,
        detail=dict(detail),
        created_at=clock.now(),
        **about,
    )


def _count(rows: QuerySet[AuditEvent], limit: int) -> int:
    """Counted no further than it matters."""
    return rows.order_by()[:limit].count()
