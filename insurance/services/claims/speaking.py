"""One claim speaking to the insurer: how an answer that is no value ends the pricing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from django.db import transaction
from django.utils.functional import Promise

from core.failpoints import failpoint
from core.outcomes import Outcome
from core.prepared import row_update
from insurance.gateway.base import Answer, Call
from insurance.gateway.envelope import UNUSABLE
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimStatus, Institution, InsuranceReason
from insurance.services.claims.asking import institution_signed_in
from insurance.services.claims.reviews import claim_to_review, reason_of
from insurance.services.claims.values import OVERTAKEN, Priced, PricedState
from insurance.services.exchange import message_send

Value = TypeVar("Value")
PRICEABLE = frozenset({ClaimStatus.OPEN, ClaimStatus.PRICED})
MESSAGE_MAX, CODE_MAX = 500, 64


class PricingEnded(Exception):
    """The pricing is over before its end; what the caller is told goes with it."""

    def __init__(self, priced: Priced) -> None:
        super().__init__(priced.code)
        self.priced = priced


@dataclass
class Pricing:
    """One attempt at a claim. A later attempt silences this one at its next step."""

    claim: Claim
    institution: Institution
    attempt: int

    @contextmanager
    def step(self, name: str) -> Iterator[Claim]:
        """A transaction with the claim locked, while the attempt is still the claim's."""
        failpoint(f"claim.before_{name}")
        with transaction.atomic():
            claim = claim_lock(self.claim.pk)
            if claim.attempt != self.attempt or claim.status not in PRICEABLE:
                raise PricingEnded(Priced(PricedState.UNKNOWN, code=OVERTAKEN))
            claim.encounter = self.claim.encounter  # read once, with its patient
            yield claim
        self.claim = claim
        failpoint(f"claim.after_{name}")

    def ask(self, call: Call[Value], *, subject: str = "") -> Answer[Value]:
        """Whatever is answered, for who judges it himself."""
        about = subject or self.claim.subject
        answer = message_send(institution=self.institution, call=call, subject=about)
        again = institution_signed_in(self.institution, answer)
        if again is None:
            return answer
        self.institution = again
        return message_send(institution=again, call=call, subject=about)

    def say(self, call: Call[Value], *, subject: str = "") -> Value:
        """The value of a call, or the end of the pricing."""
        return self.value_of(self.ask(call, subject=subject))

    def value_of(self, answer: Answer[Value]) -> Value:
        """What was learnt; a refusal, a silence or something unbelievable ends the pricing."""
        if answer.outcome is Outcome.SUCCEEDED:
            return answer.known
        if answer.fault is not None and answer.executed:
            self.review(reason_of(answer.fault), answer.message, message_no=answer.message_no)
        self.note(answer.code, answer.message)
        state = PricedState.REFUSED if answer.outcome is Outcome.DECLINED else PricedState.UNKNOWN
        raise PricingEnded(Priced(state, code=answer.code, sentence=answer.sentence))

    def review(self, reason: InsuranceReason, words: str, **figures: object) -> NoReturn:
        """Stop the claim for a person, and the pricing with it."""
        with self.step("review") as claim:
            claim_to_review(claim, reason, words, **figures)
        raise PricingEnded(Priced(PricedState.REVIEW, code=str(reason), sentence=UNUSABLE))

    def end(self, state: PricedState, code: str, sentence: str | Promise) -> NoReturn:
        """End the pricing in words of ours."""
        self.note(code, str(sentence))
        raise PricingEnded(Priced(state, code=code, sentence=sentence))

    def note(self, code: str, message: str) -> None:
        """Keep the last answer on the claim, for whoever looks at it."""
        with self.step("note") as claim:
            fields_write(claim, code=code[:CODE_MAX], message=message[:MESSAGE_MAX])


def fields_write(claim: Claim, **values: object) -> None:
    """Columns other than the status, of a locked claim."""
    for name, value in values.items():
        setattr(claim, name, value)
    row_update(claim, *values)
