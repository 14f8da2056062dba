"""What a notice said, as it is kept: in our own words, compared by hash, read back as an answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.channels.base import ChannelAnswer, Notice
from core.idempotency import input_hash
from core.outcomes import Outcome


def facts_of(notice: Notice) -> dict[str, Any]:
    """What was said, in our own words; no personal data beyond the payer's id at the channel."""
    answer = notice.answer
    return {
        "outcome": answer.outcome.value,
        "code": answer.code,
        "message": answer.message,
        "channel_no": answer.channel_no,
        "amount_fen": answer.amount_fen,
        "occurred_at": answer.occurred_at.isoformat() if answer.occurred_at else None,
        "closed": answer.closed,
        "payer_id": answer.payer_id,
        # A notice that only rings (v2 refunds) asks for its query at once, not at the next look.
        "retry_at": answer.retry_at.isoformat() if answer.retry_at else None,
        "currency": notice.currency,
        "contract_id": notice.contract_id,
        "original_number": notice.original_number,
        "plan_id": notice.plan_id,
        "agreement_active": notice.agreement_active,
    }


def answer_of(facts: Mapping[str, Any]) -> ChannelAnswer:
    at, retry_at = facts["occurred_at"], facts.get("retry_at")
    return ChannelAnswer(
        outcome=Outcome(facts["outcome"]),
        code=facts["code"],
        message=facts["message"],
        channel_no=facts["channel_no"],
        amount_fen=facts["amount_fen"],
        occurred_at=datetime.fromisoformat(at) if at else None,
        closed=facts["closed"],
        payer_id=facts["payer_id"],
        retry_at=datetime.fromisoformat(retry_at) if retry_at else None,
    )


def content_hash(notice: Notice) -> str:
    """Of what was said. When to ask again is our own word and differs with every delivery."""
    said = facts_of(notice) | {"kind": notice.kind.value, "number": notice.number}
    said.pop("retry_at")
    return input_hash(said)
