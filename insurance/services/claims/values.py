"""What the verbs of a claim answer: frozen values, fen, the claim's state after the call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise

from core.outcomes import Outcome
from insurance.gateway.claim_values import Split

# Codes of ours, beside those of the platform.
NOT_EXECUTED = "NOT_EXECUTED"  # the lost call never happened: it may be said once more
MOBILE_OVER = "MOBILE_OVER"  # the consent on the phone is used up; release the claim
REVOKED = "REVOKED"  # nobody confirmed the order on the phone, and it was taken away
ALONE = "SETTLED_ALONE"  # 6202 found no cash to pay and settled by itself: look
MAYBE = "MAYBE_SETTLED"  # 6202 was said and not answered: ask until it is known
OVERTAKEN = "OVERTAKEN"  # another process took the claim up meanwhile


class PricedState(StrEnum):
    """How pricing ended."""

    PRICED = "PRICED"
    NO_CREDENTIAL = "NO_CREDENTIAL"  # the patient shows the code
    NOT_COVERED = "NOT_COVERED"  # no entitlement that holds here today
    REFUSED = "REFUSED"  # the platform's final no, in its own words
    UNKNOWN = "UNKNOWN"  # no answer; call again
    REVIEW = "REVIEW"  # an answer that cannot be believed; a person decides


@dataclass(frozen=True, slots=True)
class Priced:
    """The end of `claim_price`. `sentence` is what the patient or clerk may read.

    `split`, `priced_at` and `valid_until` are there when the state is PRICED, and only then.
    """

    state: PricedState
    split: Split | None = None
    priced_at: datetime | None = None
    valid_until: datetime | None = None
    code: str = ""
    sentence: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a call about a settlement; `status` is the claim's state after it, `sentence` what
    the patient or clerk may read."""

    outcome: Outcome
    split: Split | None = None
    code: str = ""
    sentence: str | Promise = ""
    status: str = ""


class Settled(Ended):
    """The end of `claim_settle` and `claim_look`.

    From `claim_settle`, or `claim_look` at a claim that was being settled:
    SUCCEEDED: the fund pays `split`, whose cash part may differ from the trial's.
    DECLINED: nothing stands at the insurer. With code NOT_EXECUTED the call was lost before it
    happened and the trial still holds (status PRICED): settle once more. With any other code the
    insurer refused and the trial is void (status OPEN): price again.
    UNKNOWN: neither refund nor collect; look again (the claim's `due_at` says when). With status
    REVIEW only a person ends it.
    """

    __slots__ = ()


class Reversed(Ended):
    """The end of `claim_reverse`, and of `claim_look` at a claim that was being reversed.

    SUCCEEDED: the settlement is undone in full (status REVERSED), `split` is what it was.
    DECLINED: it stands (status SETTLED); with code NOT_EXECUTED the call was lost: reverse once
    more. UNKNOWN: as for `Settled`.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Released:
    """The end of `claim_release`.

    SUCCEEDED: the claim is RELEASED and nothing stands at the insurer. UNKNOWN: the insurer does
    not say yet; a sweeper goes on. DECLINED: a settlement stands after all (status SETTLED):
    reverse it.
    """

    outcome: Outcome
    code: str = ""
    sentence: str | Promise = ""
    status: str = ""


class Decision(StrEnum):
    """What a person decides about a claim in review."""

    LOOK_AGAIN = "look_again"  # ask the insurer anew what stands
    UNDO = "undo"  # end whatever was said to the insurer (2601), then price anew
