"""The scripted channel, with a page where an agreement is signed."""

from __future__ import annotations

from billing.channels.base import AgreementOrder, AgreementReference, ChannelAnswer
from core.outcomes import Outcome
from tests.scripted import ScriptedChannel


class SigningChannel(ScriptedChannel):
    def sign_url(self, order: AgreementOrder) -> str:
        return "/signed-elsewhere"

    def agreement_query(self, order: AgreementReference) -> ChannelAnswer:
        return ChannelAnswer(Outcome.PENDING, code="SIGNING")

    def unsign(self, order: AgreementReference, *, reason: str) -> ChannelAnswer:
        return ChannelAnswer(Outcome.SUCCEEDED)
