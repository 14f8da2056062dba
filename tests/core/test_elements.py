"""The elements of every page: money to the fen, badges of a fixed list, a picture of the parts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from core.templatetags.elements import (
    BADGES,
    BAR_GAP,
    BAR_LEAST,
    BAR_WIDTH,
    badge,
    bar_rects,
    money,
    unbroken,
)


@dataclass(frozen=True)
class Part:
    key: str
    fen: int


def drawn(markup: str, **values: object) -> str:
    context = Context({"request": RequestFactory().get("/"), **values})
    return Template("{% load elements %}" + markup).render(context)


@pytest.mark.parametrize(
    ("fen", "digits", "sign"),
    [
        (0, "0.00", ""),
        (1, "0.01", ""),
        (108_640, "1,086.40", ""),
        (-5, "0.05", "−"),
        (900_000_000_000, "9,000,000,000.00", ""),
    ],
)
def test_money_is_printed_to_the_fen(fen, digits, sign):
    shown = money(fen)
    assert (shown["digits"], shown["currency"], shown["sign"]) == (digits, "¥", sign)
    assert digits in drawn("{% money fen %}", fen=fen)


def test_money_that_is_not_known_is_a_dash_and_never_zero():
    assert money(None)["digits"] == "—"
    assert "0.00" not in drawn("{% money fen %}", fen=None)


def test_money_coming_back_bears_its_sign_and_a_debt_its_own():
    assert money(500, sign="+")["sign"] == "+"
    assert money(-500, sign="+")["sign"] == "−"


@pytest.mark.parametrize(
    ("fen", "fit"), [(999, 6), (99_999, 6), (100_000, 8), (9_999_999, 10), (10**15, 15)]
)
def test_a_hero_sum_shrinks_to_fit_the_phone(fen, fit):
    assert money(fen, "hero")["style"] == f"hero fit-{fit}"


@pytest.mark.parametrize("state", BADGES)
def test_every_badge_has_a_word_and_an_icon(state):
    shown = badge(state)
    html = drawn("{% badge state %}", state=state)
    assert str(shown["word"]) in html
    assert f"#i-{shown['icon_name']}" in html


def test_a_state_that_is_no_badge_is_a_fault():
    with pytest.raises(KeyError):
        badge("COLLECTING")


def test_times_stay_on_one_line_and_text_is_escaped():
    assert unbroken("open 7:30–17:00 <b>") == (
        'open <span class="keep">7:30–17:00</span> &lt;b&gt;'
    )
    assert unbroken("no time") == "no time"


def test_a_line_breaks_after_a_phrase_and_never_inside_a_sum():
    assert unbroken("已绑定，最多可付 ¥5,000.00") == (
        '<span class="phrase">已绑定，</span>'
        '<span class="phrase">最多<span class="keep">可付 ¥5,000.00</span></span>'
    )
    assert unbroken("没有扣款。") == "没有扣款。"


@given(st.lists(st.integers(-5, 10**13), max_size=5))
def test_the_bar_reaches_from_end_to_end_and_hides_no_part(amounts):
    rects = bar_rects([Part(str(n), fen) for n, fen in enumerate(amounts)])
    assert [rect.key for rect in rects] == [str(n) for n, fen in enumerate(amounts) if fen > 0]
    if not rects:
        return
    assert rects[0].x == 0
    assert rects[-1].x + rects[-1].width == BAR_WIDTH
    assert all(rect.width >= BAR_LEAST for rect in rects)
    for left, right in pairwise(rects):
        assert right.x == left.x + left.width + BAR_GAP


def test_two_equal_parts_are_equal_in_the_bar():
    first, second = bar_rects([Part("fund", 500), Part("cash", 500)])
    assert (first.width, second.width) == (497, 497)


def test_a_code_is_a_picture_with_its_label():
    html = drawn("{% code_block value label %}", value="weixin://x?pr=1", label="<scan>")
    assert "<path" in html
    assert "&lt;scan&gt;" in html
    assert "weixin://" not in html


def test_the_mode_is_the_readers_cookie():
    request = RequestFactory().get("/", HTTP_COOKIE="mode=elder-2")
    shown = Template("{% load elements %}{% page_mode as mode %}{{ mode.text }}").render(
        Context({"request": request})
    )
    assert shown == "elder-2"
