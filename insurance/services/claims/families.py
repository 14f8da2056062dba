"""Before a trial: whether the family account of the patient may pay, every condition asked anew.

What a payer's account misses is kept on the link, where the payer's page names each condition, and
told to the payer once for a claim. Where no account of the family may pay and the patient has none,
the trial and the settlement are asked without any account.
"""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.crypto import mask_name
from insurance.family import links_for, rule_at, sentences_of
from insurance.gateway.visit_values import Scheme
from insurance.models import Claim, FamilyLink
from insurance.services.claims.speaking import Pricing, fields_write
from insurance.services.claims.values import PricedState
from insurance.services.family import SILENT, family_account_check
from patients.services.notifications import OwnMessage, notifications_queue

# The kind of the message to the payer, and the beginning of its key.
REFUSED = "family_account_refused"


def family_settle(pricing: Pricing) -> None:
    """Ask for every condition of every link; nothing is asked where there is none."""
    claim = pricing.claim
    links = links_for(claim.patient_id) if claim.use_account else []
    missed = {link.payer_id: _missed(pricing, link) for link in links}
    known = [{"payer": payer_id, "missed": codes} for payer_id, codes in missed.items()]
    holds = bool(missed) and all(missed.values()) and not _own_account(claim)
    if (claim.family_missed, claim.holds_account) == (known, holds):
        return
    with pricing.step("family") as locked:
        fields_write(locked, family_missed=known, holds_account=holds)


def _missed(pricing: Pricing, link: FamilyLink) -> list[str]:
    """A silent insurer decides nothing: the trial would not be answered either, so it waits."""
    missed = family_account_check(link=link)
    if missed == (SILENT,):
        pricing.end(
            PricedState.UNKNOWN, SILENT, _("The insurer does not answer. Please try again.")
        )
    if missed:
        _payer_tell(pricing.claim, link, missed)
    return list(missed)


def _payer_tell(claim: Claim, link: FamilyLink, missed: tuple[str, ...]) -> None:
    """Once for a claim and what it misses, whatever how often it is priced."""
    rule = rule_at(link.institution, clock.today())
    facts = {
        "hospital": claim.encounter.campus.name,
        "name": mask_name(link.member.name),
        "because": sentences_of(missed, rule),
    }
    which = hashlib.sha256(" ".join(missed).encode()).hexdigest()[:16]
    key = f"{REFUSED}/{claim.pk}/{link.pk}/{which}"
    with transaction.atomic():
        notifications_queue(messages=[OwnMessage(key, REFUSED, facts)], patient_id=link.payer_id)


def _own_account(claim: Claim) -> bool:
    visit = claim.visit
    coverage = visit.coverage if visit is not None else claim.coverage
    return coverage is not None and coverage.scheme == Scheme.EMPLOYEE.value
