"""The five parts, as the bill's row and the HIS have them."""

from __future__ import annotations

from dataclasses import asdict

from insurance.gateway.claim_values import Split


def split_columns(split: Split) -> dict[str, int]:
    """The columns of a bill; together the parts are `priced_fen`."""
    return {**asdict(split), "priced_fen": split.total_fen}


def split_told(split: Split) -> dict[str, int]:
    """The parts as events name them."""
    return asdict(split)
