"""A code drawn as one path: every dark module once, a quiet zone around, any text a payer gets."""

from __future__ import annotations

import re

import pytest
import qrcode
from qrcode.constants import ERROR_CORRECT_M

from core.qr import QUIET_ZONE, qr_path

PIECE = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")
WECHAT = "weixin://wxpay/bizpayurl?pr=p4ymEnt"


def dark(text: str) -> set[tuple[int, int]]:
    """The modules a path covers; a module drawn twice is a fault."""
    drawn = [
        (int(x) + step, int(y))
        for x, y, width, back in PIECE.findall(qr_path(text).d)
        for step in range(int(width))
        if width == back
    ]
    assert len(drawn) == len(set(drawn))
    return set(drawn)


@pytest.mark.parametrize("text", [WECHAT, "x", "https://pay.example/p/" + "a" * 400, "缴费"])
def test_the_path_draws_the_code(text):
    code = qrcode.QRCode(border=QUIET_ZONE, error_correction=ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    wanted = {(x, y) for y, row in enumerate(matrix) for x, black in enumerate(row) if black}
    assert dark(text) == wanted
    assert PIECE.sub("", qr_path(text).d) == ""


def test_four_modules_around_stay_white():
    path = qr_path(WECHAT)
    edge = range(QUIET_ZONE, path.side - QUIET_ZONE)
    assert QUIET_ZONE == 4
    assert all(x in edge and y in edge for x, y in dark(WECHAT))
    assert path.side == 29 + 2 * QUIET_ZONE


def test_nothing_of_the_text_is_in_the_picture():
    assert set(qr_path('"><script>alert(1)</script>').d) <= set("MhvzL- 0123456789")


def test_a_text_no_code_can_hold_is_refused():
    with pytest.raises(ValueError):
        qr_path("x" * 3000)
