"""What the insurer's side shows to staff in the admin; a module registers what it shows."""

from __future__ import annotations

from insurance.admin import claims, filings, items, mobile, places, statements

__all__ = ["claims", "filings", "items", "mobile", "places", "statements"]
