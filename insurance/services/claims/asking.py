"""Asking the insurer for a claim: as the exchange does, with the day's sign-in renewed once."""

from __future__ import annotations

from typing import TypeVar

from core.errors import Conflict
from core.outcomes import Outcome
from insurance.gateway.base import Answer, Call
from insurance.models import Claim, Institution
from insurance.selectors import institution_speaking, site_of
from insurance.services.exchange import message_send
from insurance.services.sessions import session_renew

Value = TypeVar("Value")
# How platforms say that the day's sign-in holds no more (签到流水号无效); nothing was done then.
SIGN_IN_WORD = "签到"


def insurer_ask(claim: Claim, call: Call[Value]) -> Answer[Value]:
    """Commit the intent, send it, record the reply; once more after a new sign-in."""
    return place_ask(institution_speaking(claim.institution_id), call, claim.subject)


def place_ask(institution: Institution, call: Call[Value], subject: str) -> Answer[Value]:
    """As `insurer_ask`, about whatever else an institution asks for."""
    answer = message_send(institution=institution, call=call, subject=subject)
    again = institution_signed_in(institution, answer)
    if again is None:
        return answer
    return message_send(institution=again, call=call, subject=subject)


def institution_signed_in(institution: Institution, answer: Answer[Value]) -> Institution | None:
    """The institution under a new sign-in number, when the answer says the old one is void."""
    void = answer.outcome is Outcome.DECLINED and SIGN_IN_WORD in answer.message
    if not void or not site_of(institution).sign_no:
        return None
    try:
        session_renew(institution=institution)
    except Conflict:
        return None
    return institution_speaking(institution.pk)
