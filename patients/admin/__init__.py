"""What staff read in the admin beside patients; a module registers what it shows."""

from __future__ import annotations

from patients.admin import people, tags

__all__ = ["people", "tags"]
