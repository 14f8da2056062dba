"""Who holds an agreement, and what follows when that is not certain any more.

An agreement takes from one person's wallet, and an account is that person's by their own card. When
the card leaves the account, for whatever reason, whoever comes next is nobody the wallet agreed to:
every agreement of the account ends, and is signed anew by who wants one. While the holder cannot be
reached, or the wallet turns out to be another user's, agreements rest.
"""

from __future__ import annotations

from django.db import transaction

from billing.locks import agreements_of_holder_lock, agreements_of_wallet_lock
from billing.models import Agreement, AgreementEnd, AgreementStatus, ReviewReason
from billing.selectors.agreements import LIVE
from billing.services.agreements.ends import agreement_end
from billing.services.agreements.messages import tell_wallet_taken
from billing.services.agreements.pauses import agreements_let_go, agreements_pause_all
from billing.services.reviews import review_open
from core.actors import Actor
from core.audit import record
from core.models import User
from core.states import transition
from patients.models import PatientAccess, Relation, WalletIdentity

CARD_LEFT = "the own card left the account"
PHONE_GONE = "the phone of the account may be somebody else's"
WALLET_TAKEN = "the wallet is another user's"


def agreements_follow_access(*, access: PatientAccess, by: Actor) -> None:
    """A binding ended: the holder's agreements let go of this person. With the own card they end.

    Called in the transaction that ends the binding (`settings.ACCESS_FOLLOWERS`).
    """
    with transaction.atomic():
        agreements_let_go(user=access.user, patient=access.patient, by=by)
        if access.relation == Relation.SELF:
            agreements_follow_person(user=access.user, by=by)


def agreements_follow_person(*, user: User, by: Actor) -> None:
    """The account has another person now, or none: nobody signed for who comes next.

    Called in the transaction that binds another's card (`settings.ACCOUNT_FOLLOWERS`).
    """
    with transaction.atomic():
        for agreement in agreements_of_holder_lock(user.pk):
            _end(agreement, by)


def agreements_follow_phone(*, user: User, by: Actor) -> None:
    """The phone of the account may be somebody else's: its holder could not be told of a deduction.

    Whoever enters the account by its wallet, or gets it back at the window, lets them go on.
    Called in the transaction that takes the phone away (`settings.ACCOUNT_FOLLOWERS`).
    """
    agreements_pause_all(user=user, by=by, reason=PHONE_GONE)


def agreements_follow_wallet(*, identity: WalletIdentity, by: Actor) -> None:
    """A wallet is proven this user's: no other account's agreement takes from it any more.

    A helper may have signed with theirs, or somebody was talked into it. Both are told, and a
    person looks; it goes on no more while the wallet is not the holder's (`agreement_switch`).
    Called in the transaction that joins the wallet (`settings.ACCOUNT_FOLLOWERS`).
    """
    with transaction.atomic():
        for agreement in agreements_of_wallet_lock(identity.app_id, identity.subject):
            if agreement.status in LIVE and agreement.holder_id != identity.user_id:
                _wallet_taken(agreement, identity, by)


def _wallet_taken(agreement: Agreement, identity: WalletIdentity, by: Actor) -> None:
    if agreement.status == AgreementStatus.ACTIVE:
        transition(agreement, AgreementStatus.PAUSED, by=by, reason=WALLET_TAKEN)
    tell_wallet_taken(agreement, owner_id=identity.user_id)
    record(
        by=by,
        action="agreement_wallet_taken",
        subject="billing.agreement",
        subject_id=agreement.pk,
        detail={"holder": agreement.holder_id, "user": identity.user_id},
    )
    review_open(
        reason=ReviewReason.WALLET_TAKEN,
        agreement=agreement,
        figures={"number": agreement.contract_code},
    )


def _end(agreement: Agreement, by: Actor) -> None:
    """What nobody has signed yet ends without a word."""
    signing = agreement.status == AgreementStatus.SIGNING
    how = AgreementEnd.NOT_SIGNED if signing else AgreementEnd.CARD_LEFT
    agreement_end(agreement=agreement, by=by, reason=CARD_LEFT, how=how)
