"""What a payer is told of their agreement: signed, refused, paused, going on, ended, waiting for a
yes to new words."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import override

from billing.models import Agreement, AgreementEnd, Invoice
from billing.words import wallet_words
from core import clock
from patients.consents.texts import current_version
from patients.models import ConsentPurpose
from patients.selectors import hospital_name
from patients.services.notifications import Message, notifications_queue

ENDED: dict[str, str] = {
    AgreementEnd.HOLDER: "agreement_ended",
    AgreementEnd.STAFF: "agreement_ended",
    AgreementEnd.WALLET: "agreement_unsigned",
    AgreementEnd.REFUSED: "agreement_refused",
    AgreementEnd.CARD_LEFT: "agreement_card_left",
}


def tell_signed(agreement: Agreement) -> None:
    _tell(agreement, "agreement_signed")


def tell_signed_too_late(agreement: Agreement) -> None:
    """Once: an old link, or one whose day was over, was signed after all."""
    _tell(agreement, "agreement_too_late")


def tell_paused(agreement: Agreement) -> None:
    """Each pause is a message of its own, so its key carries the moment."""
    _tell(agreement, "agreement_paused", f"/{_moment()}")


def tell_resumed(agreement: Agreement) -> None:
    _tell(agreement, "agreement_resumed", f"/{_moment()}")


def tell_wallet_taken(agreement: Agreement, *, owner_id: int) -> None:
    """To the holder that it rests, and to the wallet's owner that it took from them."""
    _tell(agreement, "agreement_wallet_taken", f"/{_moment()}")
    kind = "wallet_was_signed"
    _queue(agreement, kind, f"{kind}/{agreement.pk}/{_moment()}", to=owner_id)


def tell_ended(agreement: Agreement) -> None:
    """Once; a link that nobody signed ends without a word."""
    kind = ENDED.get(agreement.ended_how)
    if kind is not None:
        _tell(agreement, kind)


def tell_unread(invoice: Invoice) -> None:
    """To whoever's agreement was passed over because they have not agreed to today's words on
    deductions: once for each text, however many bills come."""
    asked = (invoice.patient_id, invoice.encounter.campus_id, clock.today())
    rows = Agreement.objects.unread(*asked).select_related("plan__merchant").order_by("pk")
    for agreement in rows:
        tell_text_changed(agreement)


def tell_text_changed(agreement: Agreement) -> None:
    kind = "agreement_text_changed"
    version = current_version(ConsentPurpose.DEDUCTION)
    _queue(agreement, kind, f"{kind}/{agreement.holder_id}/{version}")


def _tell(agreement: Agreement, kind: str, more: str = "") -> None:
    _queue(agreement, kind, f"{kind}/{agreement.pk}{more}")


def _queue(agreement: Agreement, kind: str, key: str, *, to: int | None = None) -> None:
    merchant = agreement.plan.merchant
    with override(settings.LANGUAGE_CODE):
        facts = {
            "hospital": hospital_name(merchant.campus_id),
            "number": agreement.tail,
            "wallet": str(wallet_words(merchant.channel).name),
        }
    notifications_queue(messages=[Message(key, kind, to or agreement.holder_id, facts)])


def _moment() -> str:
    return f"{clock.now():%Y%m%d%H%M%S%f}"
