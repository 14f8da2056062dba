"""Touching a tag: where a patient was, so that a desk need not ask."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from core import clock
from core.models import User
from patients.models import Location, TagTouch

# The page renews its code every minute; that is no second touch.
SAME_TOUCH = timedelta(minutes=10)


def tag_touch_record(*, user: User, location: Location) -> TagTouch:
    """Write down the touch; a page opened again within minutes is the same touch."""
    with transaction.atomic():
        last = TagTouch.objects.filter(user=user).order_by("-pk").first()
        fresh = last is not None and clock.now() < last.created_at + SAME_TOUCH
        if last is not None and fresh and last.location_id == location.pk:
            return last
        return TagTouch.objects.create(user=user, location=location, created_at=clock.now())
