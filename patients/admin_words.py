"""What the columns of people, places and visits are called in the admin."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

COLUMN_WORDS = {
    "addresses": pgettext_lazy("column", "networks"),
    "campus": pgettext_lazy("column", "campus"),
    "client": pgettext_lazy("column", "HIS client"),
    "department_name": pgettext_lazy("column", "department"),
    "encounter": pgettext_lazy("column", "visit"),
    "events_url": pgettext_lazy("column", "events go to"),
    "facts_client": pgettext_lazy("column", "birth, sex and guardian told by"),
    "institution_code": pgettext_lazy("column", "institution code"),
    "location": pgettext_lazy("column", "location"),
    "merged": pgettext_lazy("column", "duplicate"),
    "messenger": pgettext_lazy("column", "messenger"),
    "moved": pgettext_lazy("column", "moved rows"),
    "patient": pgettext_lazy("column", "patient"),
    "phone_client": pgettext_lazy("column", "phone told by"),
    "relation": pgettext_lazy("column", "relation"),
    "scopes": pgettext_lazy("column", "scopes"),
    "window_text": pgettext_lazy("column", "window"),
}
