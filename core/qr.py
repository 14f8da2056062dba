"""QR codes as one SVG path: sharp at any size, no image file, no inline style."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE = 4


@dataclass(frozen=True, slots=True)
class QrPath:
    """`side` modules along one edge, the quiet zone included; `d` draws the dark ones."""

    side: int
    d: str


def qr_path(text: str) -> QrPath:
    """Draw `text` with medium error correction; neighbours in a row become one rectangle."""
    code = qrcode.QRCode(border=QUIET_ZONE, error_correction=ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    return QrPath(side=len(matrix), d="".join(_row(y, row) for y, row in enumerate(matrix)))


def _row(y: int, row: list[bool]) -> str:
    parts: list[str] = []
    start: int | None = None
    for x, dark in enumerate([*row, False]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            parts.append(f"M{start} {y}h{x - start}v1h{start - x}z")
            start = None
    return "".join(parts)
