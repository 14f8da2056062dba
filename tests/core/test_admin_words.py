"""Every word for a column of the admin is said in Chinese, once, and is found by its name."""

from __future__ import annotations

import pytest
from django.utils import translation

from billing.admin_words import COLUMN_WORDS as BILLING
from core.admin_words import COLUMNS, columns_add
from insurance.admin_words import COLUMN_WORDS as INSURANCE
from patients.admin_words import COLUMN_WORDS as PATIENTS


def test_every_word_is_translated():
    with translation.override("zh-hans"):
        chinese = {name: str(word) for name, word in COLUMNS.items()}
    left = [name for name, word in chinese.items() if word.isascii() and word != "HIS"]
    assert left == []


def test_words_stand_in_the_order_of_their_names():
    own = [name for name in COLUMNS if name not in {*BILLING, *INSURANCE, *PATIENTS}]
    assert all(list(words) == sorted(words) for words in (own, BILLING, INSURANCE, PATIENTS))


def test_each_app_s_words_are_there_and_none_is_said_twice():
    assert {*BILLING, *INSURANCE, *PATIENTS} <= COLUMNS.keys()
    with pytest.raises(ValueError, match="status"):
        columns_add({"status": COLUMNS["status"]})
