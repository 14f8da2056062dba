"""Places with a tag, so that a touch can be tried with nothing but a browser."""

from __future__ import annotations

from core import clock
from patients.locations import tag_address
from patients.models import Campus, Location, LocationKind

TAGS = (
    ("W103", "main", LocationKind.WINDOW, "门诊楼 1 层 3 号窗口"),
    ("R208", "main", LocationKind.CONSULTING_ROOM, "门诊楼 2 层 8 诊室"),
    ("S101", "main", LocationKind.SERVICE_DESK, "门诊楼 1 层服务台"),
    ("E101", "east", LocationKind.WINDOW, "东院门诊 1 层 1 号窗口"),
)


def tags_load() -> list[tuple[str, str]]:
    """Load what is missing; returns name and address of each tag in use. What the admin changed
    stays changed."""
    campuses = {campus.code: campus for campus in Campus.objects.all()}
    for code, campus, kind, name in TAGS:
        Location.objects.get_or_create(
            code=code,
            defaults={
                "campus": campuses[campus],
                "kind": kind,
                "name": name,
                "created_at": clock.now(),
            },
        )
    rows = Location.objects.filter(active=True, code__in=[code for code, *_rest in TAGS])
    return [(row.name, tag_address(row)) for row in rows.order_by("pk")]
