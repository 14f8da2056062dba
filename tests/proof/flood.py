"""A seeded flood of notices, and the small model that says what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

KINDS = (
    "plain",
    "stale",
    "early",
    "unknown",
    "late_open",
    "late_paid",
    "wrong",
    "wrong_then_right",
)
# Shares of the notices that are no duplicates; a stale order has two of them.
WEIGHTS = (43, 14, 7, 7, 4, 3, 4, 3)
DUPLICATES = 0.3


@dataclass(frozen=True)
class Step:
    """At a moment: make the order, close it, pay the bill otherwise, or deliver a notice."""

    at: float
    verb: str
    order: int
    event: str = ""
    state: str = "SUCCESS"
    extra_fen: int = 0


@dataclass
class Order:
    """What the model knows of one order and its bill."""

    kind: str
    exists: bool = False
    status: str = "PENDING"
    bill: str = "COLLECTING"
    refunded: bool = False
    questions: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)


def model(kinds: list[str], steps: list[Step]) -> list[Order]:
    """The truth, computed without database, locks or retries."""
    orders = [Order(kind) for kind in kinds]
    waiting: list[Step] = []
    for step in steps:
        order = orders[step.order]
        if step.verb == "make":
            order.exists = True
            for early in [one for one in waiting if one.order == step.order]:
                _tell(order, early)
        elif step.verb == "close":
            if order.status == "PENDING":
                order.status, order.bill = "CLOSED", "ISSUED"
        elif step.verb == "pay_otherwise":
            order.bill = "PAID"
        elif order.exists:
            _tell(order, step)
        else:
            waiting.append(step)
            order.events.add(step.event)
    for order in orders:
        if not order.exists:
            order.questions.add("unknown_order")
    return orders


def _tell(order: Order, step: Step) -> None:
    order.events.add(step.event)
    if step.extra_fen:
        order.questions.add("amount_differs")
    elif step.state == "SUCCESS" and order.status != "SUCCEEDED":
        order.refunded = order.bill == "PAID"
        order.status, order.bill = "SUCCEEDED", "PAID"


def flood(notices: int, random: Random) -> tuple[list[str], list[Step]]:
    """The kinds of the orders and the steps of all, in the order of time."""
    kinds: list[str] = []
    steps: list[Step] = []
    told = 0
    while told < notices:
        kinds.append(random.choices(KINDS, WEIGHTS)[0])
        story = _story(len(kinds) - 1, kinds[-1], random)
        told += sum(step.verb == "tell" for step in story)
        steps += story
    return kinds, sorted(steps, key=lambda step: step.at)


def _story(order: int, kind: str, random: Random) -> list[Step]:
    """One order's life; half of its notices or so come more than once."""
    start = random.uniform(0, 1000)
    times = iter(sorted(random.uniform(start, start + 120) for _ in range(8)))

    def step(verb: str, event: str = "", **more: object) -> Step:
        name = event and f"EV-{order}-{event}"
        return Step(next(times), verb, order, name, **more)  # type: ignore[arg-type]

    told = [step("tell", "a")] if kind == "early" else []
    made = [] if kind == "unknown" else [step("make")]
    if kind.startswith("late"):
        made.append(step("close"))
    if kind == "late_paid":
        made.append(step("pay_otherwise"))
    if kind.startswith("wrong"):
        made.append(step("tell", "w", extra_fen=random.choice((-1, 1, 100))))
    if kind not in ("early", "wrong"):
        made.append(step("tell", "b"))
    if kind == "stale":
        # Sent before the success, delivered after it.
        made.append(step("tell", "s", state="USERPAYING"))
    story = told + made
    again = [one for one in story if one.verb == "tell" and random.random() < DUPLICATES / 0.7]
    return story + [
        Step(
            one.at + random.uniform(0, 100), *(one.verb, order, one.event, one.state, one.extra_fen)
        )
        for one in again
    ]
