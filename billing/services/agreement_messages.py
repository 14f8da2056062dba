"""What a payer is told of their agreement: signed, refused, paused, going on, ended."""

from __future__ import annotations

from billing.models import Agreement, AgreementEnd
from core import clock
from patients.models import Campus
from patients.services.notifications import Message, notifications_queue

ENDED: dict[str, str] = {
    AgreementEnd.HOLDER: "agreement_ended",
    AgreementEnd.STAFF: "agreement_ended",
    AgreementEnd.WALLET: "agreement_unsigned",
    AgreementEnd.REFUSED: "agreement_refused",
}


def tell_signed(agreement: Agreement) -> None:
    _tell(agreement, "agreement_signed")


def tell_paused(agreement: Agreement) -> None:
    """Each pause is a message of its own, so its key carries the moment."""
    _tell(agreement, "agreement_paused", f"/{_moment()}")


def tell_resumed(agreement: Agreement) -> None:
    _tell(agreement, "agreement_resumed", f"/{_moment()}")


def tell_ended(agreement: Agreement) -> None:
    """Once; a link that nobody signed ends without a word."""
    kind = ENDED.get(agreement.ended_how)
    if kind is not None:
        _tell(agreement, kind)


def _tell(agreement: Agreement, kind: str, more: str = "") -> None:
    campus = agreement.plan.merchant.campus_id
    rows = Campus.objects.order_by("pk")
    rows = rows.filter(pk=campus) if campus is not None else rows
    facts = {
        "hospital": rows.values_list("name", flat=True).first() or "",
        "number": agreement.contract_code[-6:],
    }
    key = f"{kind}/{agreement.pk}{more}"
    notifications_queue(messages=[Message(key, kind, agreement.holder_id, facts)])


def _moment() -> str:
    return f"{clock.now():%Y%m%d%H%M%S%f}"
