"""QR codes as the phone draws them."""

from __future__ import annotations

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString

QUIET = 4


def qr_svg(text: str, label: str) -> SafeString:
    """A QR code as one SVG path, black on white with its quiet zone, without an image file."""
    code = qrcode.QRCode(border=QUIET)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return format_html(
        '<svg viewBox="0 0 {0} {0}" role="img" aria-label="{1}"><path d="{2}"/></svg>',
        len(rows),
        label,
        path,
    )


def grouped(digits: str) -> str:
    """18 digits as people read them: 4 4 4 6."""
    return " ".join((digits[:4], digits[4:8], digits[8:12], digits[12:]))
