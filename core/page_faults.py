"""A refusal as the summary above a page's title shows it, the same on every page."""

from __future__ import annotations

from core.errors import Refusal


def faults_of(
    refusal: Refusal | None, *, prefix: str = "", linked: bool = True
) -> list[dict[str, object]]:
    """What `elements/error_summary.html` lists; the fault of one box leads to that box.

    The box's id is the field's name after `prefix`. A page without the box has `linked` off.
    """
    if refusal is None:
        return []
    field = f"{prefix}{refusal.field}" if linked and refusal.field else ""
    return [{"text": refusal.message, "field": field}]
