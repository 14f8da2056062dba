"""The fault engine: what goes wrong, how often, from which seed. It lives in this one process."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.world.registry import FAULTS, NOTICES, OPERATIONS, RELEASES, BadCall

_lock = threading.Lock()


@dataclass
class Fault:
    """A standing fault; `times` counts down, `probability` draws from its own generator."""

    id: str
    counterparty: str
    operation: str
    name: str
    times: int | None
    probability: float | None
    seed: int
    seconds: float
    struck: int = 0
    random: Random = field(default_factory=Random)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "counterparty": self.counterparty,
            "operation": self.operation,
            "fault": self.name,
            "times": self.times,
            "probability": self.probability,
            "seed": self.seed,
            "seconds": self.seconds,
            "struck": self.struck,
        }


_standing: list[Fault] = []


def fault_add(wanted: dict[str, Any]) -> Fault:
    """Set up a fault; every name it uses must be known."""
    unknown = set(wanted) - {
        "counterparty", "operation", "fault", "times", "probability", "seed", "seconds",
    }  # fmt: skip
    if unknown:
        raise BadCall(f"unknown field: {', '.join(sorted(unknown))}")
    counterparty, operation = wanted.get("counterparty"), wanted.get("operation", "*")
    name = wanted.get("fault")
    if counterparty not in OPERATIONS:
        raise BadCall(f"unknown counterparty {counterparty!r}; known: {sorted(OPERATIONS)}")
    if name not in FAULTS:
        raise BadCall(f"unknown fault {name!r}; known: {sorted(FAULTS)}")
    operations = OPERATIONS[counterparty]
    able = sorted(key for key, faults in operations.items() if name in faults)
    if operation != "*" and operation not in operations:
        raise BadCall(f"unknown operation {operation!r}; known: {sorted(operations)}")
    if not able or (operation != "*" and operation not in able):
        raise BadCall(f"{name} cannot happen there; it can at {able} of {counterparty}")
    seed = wanted.get("seed", 0)
    fault = Fault(
        id=secrets.token_hex(6),
        counterparty=counterparty,
        operation=operation,
        name=name,
        times=_times(wanted.get("times")),
        probability=_probability(wanted.get("probability")),
        seed=seed,
        seconds=float(wanted.get("seconds", 2)),
        random=Random(seed),  # noqa: S311 - repeatable on purpose
    )
    with _lock:
        _standing.append(fault)
    return fault


def _times(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadCall("times is a positive integer")
    return value


def _probability(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise BadCall("probability lies in (0, 1]")
    return float(value)


def draw(counterparty: str, *operations: str, able: frozenset[str] | None = None) -> Fault | None:
    """The fault that strikes this call, if any: the first that draws, and only one.

    Several operations may name one call: a notice of a refund is `notice` and `refund`.
    """
    known = OPERATIONS[counterparty]
    able = frozenset().union(*(known[o] for o in operations)) if able is None else able
    with _lock:
        for fault in _standing:
            if fault.counterparty != counterparty or fault.name not in able:
                continue
            if fault.operation != "*" and fault.operation not in operations:
                continue
            if fault.times is not None and fault.struck >= fault.times:
                continue
            if fault.probability is not None and fault.random.random() >= fault.probability:
                continue
            fault.struck += 1
            return fault
    return None


def draw_notice(counterparty: str, operation: str) -> Fault | None:
    """The fault that strikes the notice of an operation."""
    return draw(counterparty, "notice", operation, able=NOTICES)


def faults_standing() -> list[Fault]:
    with _lock:
        return list(_standing)


def faults_remove(fault_id: str | None = None) -> list[Fault]:
    """Remove one or all; what they held back (never_final, user_paying) becomes final."""
    with _lock:
        gone = [f for f in _standing if fault_id in (None, f.id)]
        _standing[:] = [f for f in _standing if f not in gone]
    if fault_id is not None and not gone:
        raise BadCall(f"no fault {fault_id}")
    for release in RELEASES:
        release()
    return gone
