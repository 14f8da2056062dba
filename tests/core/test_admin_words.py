"""Every word for a column of the admin is said in Chinese, and is found by its name."""

from __future__ import annotations

from django.utils import translation

from core.admin_words import COLUMNS


def test_every_word_is_translated():
    with translation.override("zh-hans"):
        chinese = {name: str(word) for name, word in COLUMNS.items()}
    left = [name for name, word in chinese.items() if word.isascii() and word != "HIS"]
    assert left == []


def test_words_stand_in_the_order_of_their_names():
    assert list(COLUMNS) == sorted(COLUMNS)
