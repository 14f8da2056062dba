"""The mode of a page comes from one cookie; whatever else stands in it means standard."""

from __future__ import annotations

import pytest

from core.page_mode import COOKIE, MODES, SIZES, STANDARD, PageMode, page_mode


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("standard", PageMode()),
        ("elder-1", PageMode(True, 1)),
        ("elder-2", PageMode(True, 2)),
        ("elder-3", PageMode(True, 3)),
    ],
)
def test_every_mode_is_read_as_it_is_written(text, mode):
    assert page_mode({COOKIE: text}) == mode
    assert mode.text == text


@pytest.mark.parametrize(
    "text", ["", "elder", "elder-0", "elder-4", "ELDER-1", "standard ", "<script>", "x" * 5000]
)
def test_a_cookie_nobody_of_us_wrote_means_standard(text):
    assert page_mode({COOKIE: text}) is STANDARD
    assert page_mode({}) is STANDARD


def test_the_modes_are_all_there_is():
    assert len(MODES) == 1 + len(SIZES)
    assert STANDARD.sizes == SIZES == (1, 2, 3)
