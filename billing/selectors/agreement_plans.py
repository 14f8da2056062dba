"""Which deduction agreements can be signed now, grouped by the account they deduct from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import time
from itertools import groupby

from django.db.models import QuerySet
from django.utils.functional import Promise

from billing.channels.base import Capability
from billing.channels.registry import channel_get
from billing.models import Agreement, AgreementPlan
from billing.selectors.agreements import LIVE, agreement_channel_word
from core import clock
from core.models import User
from patients.models import Campus


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan that can be signed; `signed` names the holder's live agreement of this plan.

    `hospital` is whose bills it pays; empty where it pays everywhere in a house of several.
    """

    plan: AgreementPlan
    hospital: str
    signed: int | None = None

    @property
    def all_day(self) -> bool:
        """Whether it deducts at any hour."""
        hours = (self.plan.hours_from, self.plan.hours_until)
        return hours in {(time(0), time(0)), (time(0), time.max)}


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """The plans of one institution through one channel, one for each campus."""

    channel: str | Promise
    institution: str
    plans: tuple[PlanChoice, ...]

    @property
    def first(self) -> PlanChoice:
        """The plan that is shown; those of other campuses are folded away behind it."""
        return self.plans[0]

    @property
    def others(self) -> tuple[PlanChoice, ...]:
        return self.plans[1:]


def plans_open() -> QuerySet[AgreementPlan]:
    """Plans that can be signed now: their institution's own agreement is in term (Z1)."""
    today = clock.today()
    return AgreementPlan.objects.filter(
        merchant__active=True,
        merchant__institution__suspended=False,
        merchant__institution__agreement_from__lte=today,
        merchant__institution__agreement_until__gte=today,
    ).select_related("merchant__institution", "merchant__campus")


def plan_is_offered(plan: AgreementPlan) -> bool:
    """Whether the plan's channel is set up here and has agreements."""
    try:
        return Capability.AGREEMENT in channel_get(plan.merchant.channel).capabilities
    except LookupError:
        return False


def plan_hospital(plan: AgreementPlan) -> str:
    """Whose bills a plan pays: its campus, or the one house; empty for all of several."""
    if plan.merchant.campus is not None:
        return plan.merchant.campus.name
    names = list(Campus.objects.order_by("pk").values_list("name", flat=True)[:2])
    return names[0] if len(names) == 1 else ""


def plans_offered(user: User) -> list[PlanGroup]:
    """The widest plan of each campus, of every institution in term. None of the institutions is
    favoured: each reader has another order."""
    live = dict(Agreement.objects.filter(holder=user, status__in=LIVE).values_list("plan_id", "pk"))
    widest = (
        plans_open()
        .filter(offered=True)
        .order_by("-single_fen", "-daily_fen", "-daily_count", "pk")
    )
    chosen: dict[tuple[str, int, int], AgreementPlan] = {}
    for plan in widest:
        if plan_is_offered(plan):
            chosen.setdefault((*_account(plan), plan.merchant.campus_id or 0), plan)
    found = sorted(chosen.values(), key=lambda plan: _drawn(user, plan))
    names = list(Campus.objects.order_by("pk").values_list("name", flat=True)[:2])
    house = names[0] if len(names) == 1 else ""
    return [_group(list(rows), house, live) for _key, rows in groupby(found, key=_account)]


def _group(plans: list[AgreementPlan], house: str, live: dict[int, int]) -> PlanGroup:
    merchant = plans[0].merchant
    return PlanGroup(
        channel=agreement_channel_word(merchant.channel),
        institution=merchant.institution.name,
        plans=tuple(
            PlanChoice(
                plan=plan,
                hospital=plan.merchant.campus.name if plan.merchant.campus else house,
                signed=live.get(plan.pk),
            )
            for plan in plans
        ),
    )


def _account(plan: AgreementPlan) -> tuple[str, int]:
    return plan.merchant.channel, plan.merchant.institution_id


def _drawn(user: User, plan: AgreementPlan) -> tuple[str, str, int, int]:
    """A place drawn by lot for the institution, the same at every look of one reader; within it by
    hospital."""
    code = plan.merchant.institution.code
    lot = hashlib.sha256(f"{user.pk}/{code}".encode()).hexdigest()
    return lot, plan.merchant.channel, plan.merchant.campus_id or 0, plan.pk
