"""Who holds an agreement, and what follows when that is not certain any more.

An agreement takes from one person's wallet, and an account is that person's by their own card. When
the card leaves the account, for whatever reason, whoever comes next is nobody the wallet agreed to:
every agreement of the account ends, and is signed anew by who wants one.
"""

from __future__ import annotations

from django.db import transaction

from billing.locks import agreements_of_holder_lock
from billing.models import Agreement, AgreementEnd, AgreementStatus
from billing.services.agreements.ends import agreement_end
from billing.services.agreements.pauses import agreements_let_go
from core.actors import Actor
from patients.models import PatientAccess, Relation

CARD_LEFT = "the own card left the account"


def agreements_follow_access(*, access: PatientAccess, by: Actor) -> None:
    """A binding ended: the holder's agreements let go of this person. With the own card they end.

    Called in the transaction that ends the binding (`settings.ACCESS_FOLLOWERS`).
    """
    with transaction.atomic():
        agreements_let_go(user=access.user, patient=access.patient, by=by)
        if access.relation == Relation.SELF:
            for agreement in agreements_of_holder_lock(access.user_id):
                _end(agreement, by)


def _end(agreement: Agreement, by: Actor) -> None:
    """What nobody has signed yet ends without a word."""
    signing = agreement.status == AgreementStatus.SIGNING
    how = AgreementEnd.NOT_SIGNED if signing else AgreementEnd.CARD_LEFT
    agreement_end(agreement=agreement, by=by, reason=CARD_LEFT, how=how)
