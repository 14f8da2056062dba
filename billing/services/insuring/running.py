"""Who was told to ask the insurer does so: outside of any transaction, one call of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from billing.models import CourseStep
from billing.services.insuring.codes import code_read
from billing.services.insuring.course import Ask
from billing.services.insuring.pricing import price_run
from billing.services.insuring.reversing import reverse_run
from billing.services.insuring.settling import settle_run
from core.failpoints import failpoint

_RUN: Mapping[CourseStep, Callable[[Ask], bool]] = MappingProxyType({
    CourseStep.READ: code_read,
    CourseStep.PRICE: price_run,
    CourseStep.SETTLE: settle_run,
    CourseStep.REVERSE: reverse_run,
})  # fmt: skip


def ask_run(ask: Ask) -> bool:
    """Ask, write what was heard, and say whether the bill has a next step now."""
    failpoint("insured.before_ask")
    goes_on = _RUN[ask.step](ask)
    failpoint("insured.after_ask")
    return goes_on
