"""What somebody agreed to. Only the current version of a text counts as a yes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.models import User
from patients.consents.texts import ConsentText, consent_text
from patients.models import Consent, ConsentPurpose


@dataclass(frozen=True, slots=True)
class ConsentState:
    """A purpose as the page lists it: its current text, and the yes that stands, if any."""

    purpose: ConsentPurpose
    text: ConsentText
    standing: Consent | None
    outdated: bool

    @property
    def given(self) -> bool:
        return self.standing is not None


def consent_stands(*, user: User, purpose: str) -> bool:
    """Whether this use is allowed now: given, not withdrawn, and to today's text."""
    return Consent.objects.standing(purpose).filter(user=user).exists()


def consent_taken_back(*, user_id: int, purposes: Iterable[str]) -> bool:
    """Whether one of these was given once and every yes to it is taken back; one statement."""
    rows = Consent.objects.filter(user=user_id, purpose__in=list(purposes))
    standing: dict[str, bool] = {}
    for purpose, withdrawn_at in rows.values_list("purpose", "withdrawn_at"):
        standing[purpose] = standing.get(purpose, False) or withdrawn_at is None
    return not all(standing.values())


def consents_of(user: User) -> list[ConsentState]:
    """Every purpose with its current text and what stands of it; one statement."""
    rows = Consent.objects.filter(user=user, withdrawn_at__isnull=True)
    return [_state(purpose, list(rows)) for purpose in ConsentPurpose]


def consent_of(*, user: User, purpose: str) -> ConsentState:
    """One purpose of `consents_of`; LookupError for a purpose there is none of."""
    found = [state for state in consents_of(user) if state.purpose == purpose]
    if not found:
        raise LookupError(purpose)
    return found[0]


def consent_history(*, user: User, purpose: str) -> list[Consent]:
    """Every yes there ever was to a purpose, newest first."""
    return list(Consent.objects.filter(user=user, purpose=purpose).order_by("-given_at", "-pk"))


def _state(purpose: ConsentPurpose, rows: list[Consent]) -> ConsentState:
    text = consent_text(purpose.value)
    own = [row for row in rows if row.purpose == purpose]
    standing = next((row for row in own if row.text_version == text.version), None)
    return ConsentState(purpose, text, standing, outdated=bool(own) and standing is None)
