"""What the insurer's side shows to staff: configuration, codes, and what was said to it."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from core.admin_values import words_add

words_add("action", {
    "items_imported": pgettext_lazy("action", "items imported"),
})  # fmt: skip
