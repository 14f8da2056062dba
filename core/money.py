"""Money is an integer of fen. Yuan exist only at the edges: people and counterparties.

Conversion is exact or refused: a third decimal, an exponent, a float never become an amount.
"""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import BadInput

FEN_PER_YUAN = 100
FEN_MAX = 10**15  # ten trillion yuan; far inside a bigint, far above any bill
MINUS = "−"

# Only what a Chinese keyboard types for a number: NFKC would also read 5² as 52.
_HALF_WIDTH = str.maketrans("０１２３４５６７８９．。，￥－−\u3000", "0123456789..,¥-- ")
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]{1,2})?")
_GROUPED = re.compile(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]{1,2})?")
_TOO_FINE = re.compile(r"-?[0-9,]+\.[0-9]{3,}")


class MoneyError(BadInput):
    """This is no amount of money that can be taken exactly."""


def fen_from_yuan(value: str | Decimal) -> int:
    """A counterparty's yuan, plain decimal with at most two places, as fen."""
    if isinstance(value, Decimal):
        text = format(value, "f") if value.is_finite() else str(value)
    elif isinstance(value, str):
        text = value
    else:
        raise MoneyError("bad_amount", _("An amount in yuan is a text or a decimal."))
    if not _PLAIN.fullmatch(text):
        raise MoneyError("bad_amount", _("An amount in yuan has at most two decimals."))
    whole, _dot, part = text.lstrip("-").partition(".")
    if len(whole.lstrip("0")) > len(str(FEN_MAX)):
        raise MoneyError("bad_amount", _("The amount is too large."))
    fen = int(whole) * FEN_PER_YUAN + int(part.ljust(2, "0"))
    if fen > FEN_MAX:
        raise MoneyError("bad_amount", _("The amount is too large."))
    return -fen if text.startswith("-") else fen


def share_fen(total_fen: int, part: Decimal, whole: Decimal, rounding: str = ROUND_FLOOR) -> int:
    """What `part` of `whole` is of a sum, in whole fen.

    Split by growing parts (1 of 3, 2 of 3, 3 of 3) and take the differences: rounded over all so
    far, they add up to the sum, and the last one has the remainder.
    """
    return int((Decimal(total_fen) * part / whole).to_integral_value(rounding))


def yuan_text(fen: int) -> str:
    """What counterparties read: 86.40, -0.05."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // FEN_PER_YUAN}.{abs(fen) % FEN_PER_YUAN:02d}"


def grouped_yuan(fen: int) -> str:
    """What people read, without the currency: 1,086.40, with a true minus."""
    sign = MINUS if fen < 0 else ""
    return f"{sign}{abs(fen) // FEN_PER_YUAN:,}.{abs(fen) % FEN_PER_YUAN:02d}"


def format_yuan(fen: int) -> str:
    """What people read: ¥1,086.40, −¥0.05."""
    return f"{MINUS}¥{grouped_yuan(-fen)}" if fen < 0 else f"¥{grouped_yuan(fen)}"


class YuanField(forms.CharField):
    """People type yuan, commas and full-width digits welcome; the cleaned value is fen."""

    def __init__(self, *, fen_min: int = 1, fen_max: int = FEN_MAX, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal"}))
        super().__init__(**kwargs)
        self.fen_min = fen_min
        self.fen_max = fen_max

    def prepare_value(self, value: Any) -> Any:
        """Show fen as yuan; show a refused text as it was typed."""
        return yuan_text(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        """Fen, or None where the field may stay empty."""
        text = super().clean(value).translate(_HALF_WIDTH).strip()
        text = text.removeprefix("¥").removesuffix("元").strip()
        if not text:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return None
        if _TOO_FINE.fullmatch(text):
            raise forms.ValidationError(
                _("Enter at most two decimals: the smallest amount is one fen."), code="too_fine"
            )
        if not _GROUPED.fullmatch(text):
            raise forms.ValidationError(_("Enter an amount in yuan, such as 1,086.40."), code="bad")
        try:
            fen = fen_from_yuan(text.replace(",", ""))
        except MoneyError as error:
            raise forms.ValidationError(str(error.message), code="bad") from error
        self._check_bounds(fen)
        return fen

    def _check_bounds(self, fen: int) -> None:
        if fen < self.fen_min:
            raise forms.ValidationError(
                _("Enter at least %(amount)s."),
                code="too_small",
                params={"amount": format_yuan(self.fen_min)},
            )
        if fen > self.fen_max:
            raise forms.ValidationError(
                _("Enter at most %(amount)s."),
                code="too_large",
                params={"amount": format_yuan(self.fen_max)},
            )
