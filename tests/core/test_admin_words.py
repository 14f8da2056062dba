"""Every column a list of the admin shows has a word for people, in Chinese."""

from __future__ import annotations

from django.contrib import admin
from django.utils import translation

from core.admin import ReadOnlyAdmin
from core.admin_words import COLUMNS

OF_PAGES = {"window_text"}  # a column that a page computes


def shown() -> set[tuple[str, str]]:
    """Model and field of every column of a read-only list."""
    return {
        (model._meta.label, name)
        for model, page in admin.site._registry.items()
        if isinstance(page, ReadOnlyAdmin)
        for name in page.list_display
        if isinstance(name, str) and not hasattr(page, name)
    }


def test_every_column_is_named_here_or_by_its_model():
    fields = {(field.model._meta.label, field.name): field for field in _fields()}
    bare = [
        key
        for key in shown()
        if key in fields
        and key[1] not in COLUMNS
        and str(fields[key].verbose_name) == key[1].replace("_", " ")
    ]
    assert bare == []


def _fields():
    return [field for model in admin.site._registry for field in model._meta.concrete_fields]


def test_every_word_is_translated():
    with translation.override("zh-hans"):
        chinese = {name: str(word) for name, word in COLUMNS.items()}
    left = [name for name, word in chinese.items() if word.isascii()]
    assert left == []


def test_no_word_is_kept_that_nothing_shows():
    names = {field.name for field in _fields()} | {name for _model, name in shown()}
    names |= {
        str(name)
        for page in admin.site._registry.values()
        for inline in page.inlines
        for name in inline.fields or ()
    }
    assert set(COLUMNS) - names - OF_PAGES == set()
