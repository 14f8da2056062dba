"""A payer with a family, a plan that can be signed, and a channel that answers what it is told."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from billing.channels.base import AgreementOrder, AgreementReference, ChannelAnswer
from billing.models import Agreement, AgreementPlan
from billing.services.agreements.signing import agreement_sign_begin
from billing.services.agreements.terms import Limits
from core.actors import Actor
from core.models import User
from core.outcomes import Outcome
from patients.actors import patient_actor
from patients.consents.texts import consent_text
from patients.models import Notification, Patient
from patients.services.consents import consent_give
from tests import scripted
from tests.factories import payments
from tests.factories.accounts import patient_user
from tests.factories.patients import patient

CHANNEL = Actor("channel", "wechat_pay", "notice")
STAFF = Actor("staff", "clerk", "张敏")
DONE = ChannelAnswer(Outcome.SUCCEEDED, executed=True, closed=True)
STANDS = ChannelAnswer(Outcome.SUCCEEDED, channel_no="202600000001", payer_id="oHolder")
GONE = ChannelAnswer(Outcome.DECLINED, code="CONTRACT_STATE_1", executed=True, closed=True)
SILENT = ChannelAnswer(Outcome.UNKNOWN, code="NO_ANSWER")


class Wallet:
    """The agreement verbs of the scripted channel: the next answers, and what was asked."""

    def __init__(self) -> None:
        self.unsigns: deque[ChannelAnswer | Exception] = deque()
        self.queries: deque[ChannelAnswer] = deque()
        self.asked: list[tuple[str, str, str]] = []

    def unsign(self, order: AgreementReference, *, reason: str) -> ChannelAnswer:
        assert reason
        self.asked.append(("unsign", order.contract_code, order.contract_id))
        answer = self.unsigns.popleft() if self.unsigns else DONE
        if isinstance(answer, Exception):
            raise answer
        return answer

    def agreement_query(self, order: AgreementReference) -> ChannelAnswer:
        self.asked.append(("query", order.contract_code, order.contract_id))
        return self.queries.popleft() if self.queries else SILENT

    def sign_url(self, order: AgreementOrder) -> str:
        self.asked.append(("sign_url", order.contract_code, order.return_url))
        return f"https://wallet.example/sign?code={order.contract_code}"

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, *_rest in self.asked]


def wallet_of(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    made = Wallet()
    for verb in ("unsign", "agreement_query", "sign_url"):
        bound = getattr(made, verb)

        def call(_self: object, *args: Any, _bound: Any = bound, **kwargs: Any) -> Any:
            return _bound(*args, **kwargs)

        monkeypatch.setattr(scripted.ScriptedChannel, verb, call, raising=False)
    return made


def narrow_plan(plan_id: str = "100002") -> AgreementPlan:
    """¥500.00 at once, ¥2,500.00 a day."""
    return payments.plan(plan_id=plan_id, single_fen=50_000, daily_fen=250_000)


def family() -> tuple[User, Patient, Patient]:
    """A payer, their own person 王芳, and their mother 陈秀兰 whom they may pay for."""
    user = patient_user()
    own, mother = patient(name="王芳"), patient(name="陈秀兰")
    payments.access(own, user, may_view=True)
    payments.access(mother, user, "parent")
    return user, own, mother


def text_hash() -> str:
    return consent_text("deduction").sha256


def begin(user: User, people: list[Patient], **how: Any) -> Agreement:
    """The form of a new agreement, sent with the consent ticked."""
    plan = how.pop("plan", None) or narrow_plan()
    values: dict[str, Any] = {
        "plan_id": plan.pk,
        "patient_ids": [one.pk for one in people],
        "limits": Limits(),
        "text_hash": text_hash(),
        "by": patient_actor(user),
    }
    return agreement_sign_begin(user=user, **values | how)


def standing(user: User, people: list[Patient], **values: Any) -> Agreement:
    """A signed agreement for these people."""
    first, *rest = people
    row = payments.agreement(first, user, plan=values.pop("plan", None) or narrow_plan(), **values)
    for one in rest:
        row.pays_for.create(patient=one, created_at=row.created_at)
    return row


def told(user: User) -> list[str]:
    """The kinds of messages this user gets, in their order."""
    return list(
        Notification.objects.filter(user=user).order_by("pk").values_list("kind", flat=True)
    )


def as_was(row: Agreement) -> Agreement:
    row.refresh_from_db()
    return row


def agreed(user: User) -> None:
    """The consent to deduct stands."""
    consent_give(user=user, purpose="deduction", by=patient_actor(user))
