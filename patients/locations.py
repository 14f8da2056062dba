"""The address on a tag: one shape for the printed code, the chip and the door."""

from __future__ import annotations

from django.conf import settings

from patients.models import Location


def tag_address(location: Location) -> str:
    return f"{settings.PORTAL_URL.rstrip('/')}/t/{location.code}"
