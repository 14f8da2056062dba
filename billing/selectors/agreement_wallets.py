"""Whose wallet it is that signs an agreement, or that one takes from."""

from __future__ import annotations

from billing.models import Agreement, AgreementEnd
from billing.selectors.agreements import LIVE
from patients.models import WalletIdentity


def is_holders_wallet(agreement: Agreement, payer_id: str) -> bool:
    """An id is of one app: whoever is known there by another one, or is another user, is not it.

    A holder is known by the wallet they sign in with, or else by the ones that their standing
    agreements take from. Where neither is, a wallet we did not know is kept on the agreement alone:
    a helper may have signed with theirs, and that must open no account. What ended when a card left
    an account says nothing: the person may sign in another one with the wallet of before.
    """
    if agreement.payer_id:
        return agreement.payer_id == payer_id
    app_id = agreement.plan.merchant.app_id
    rows = WalletIdentity.objects.filter(app_id=app_id)
    owner = rows.filter(subject=payer_id).values_list("user_id", flat=True).first()
    if owner is not None:
        return owner == agreement.holder_id
    signed = Agreement.objects.filter(plan__merchant__app_id=app_id)
    others = signed.filter(payer_id=payer_id).exclude(holder=agreement.holder_id)
    if others.exclude(ended_how=AgreementEnd.CARD_LEFT).exists():
        return False
    if rows.filter(user=agreement.holder_id).exists():
        return False
    standing = signed.filter(holder=agreement.holder_id, status__in=LIVE)
    wallets = set(standing.values_list("payer_id", flat=True))
    return not wallets or payer_id in wallets


def wallet_is_anothers(agreement: Agreement) -> bool:
    """Whether the wallet it takes from has turned out to be another user's."""
    rows = WalletIdentity.objects.filter(
        app_id=agreement.plan.merchant.app_id, subject=agreement.payer_id
    )
    return rows.exclude(user=agreement.holder_id).exists()
