"""Contenders take turns: a ratio is taken within a round, the median over the rounds."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from statistics import median

from tests.bench.crew import Crew

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))  # a window


def rounds_run(
    crews: Mapping[str, Crew],
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    before_round: Callable[[], None] = lambda: None,
) -> dict[str, list[float]]:
    """The rate of every crew in every round, in an order shuffled anew each time."""
    rates: dict[str, list[float]] = {name: [] for name in crews}
    for number in range(rounds):
        order = list(crews)
        random.Random(number).shuffle(order)
        before_round()
        for name in order:
            rates[name].append(crews[name].rate(seconds))
    return rates


def ratio(ours: list[float], other: list[float]) -> float:
    """The median of the rounds' own ratios."""
    return median(mine / theirs for mine, theirs in zip(ours, other, strict=True))
