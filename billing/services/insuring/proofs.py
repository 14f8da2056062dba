"""The proof a HIS sends with a visit: a code or face to be read, or what it has read itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from billing.models import CollectMethod
from billing.reasons import Reason
from billing.services.insuring.codes import CodeRefused, identity_read
from core.actors import Actor
from core.errors import Refusal
from insurance.gateway.visit_values import Credential, CredentialKind
from insurance.services.credentials import credential_hold, credential_keep
from patients.models import Encounter


class ProofKind(StrEnum):
    """What a HIS may send; the first two are read at the insurer."""

    ONE_CODE = "one_code"
    FACE = "face"  # the number of the terminal before which the patient stands
    TOKEN = "ec_token"  # noqa: S105 - a kind, not a token
    ID_CARD = "id_card"
    SOCIAL_CARD = "social_card"


READ_BY = {ProofKind.ONE_CODE: CollectMethod.ONE_CODE, ProofKind.FACE: CollectMethod.FACE}
KEPT_AS = {
    ProofKind.TOKEN: CredentialKind.ELECTRONIC,
    ProofKind.ID_CARD: CredentialKind.ID_CARD,
    ProofKind.SOCIAL_CARD: CredentialKind.SOCIAL_CARD,
}


@dataclass(frozen=True, slots=True)
class ProofTaken:
    """Whether the visit is insured by it, and why not, in words for who stands there."""

    held: bool
    reason: str = ""
    sentence: str = ""


def proof_take(*, visit: Encounter, kind: str, value: str, serial: str, by: Actor) -> ProofTaken:
    """Hold the proof for the visit. The registration stands whatever the insurer says; a bill
    without a usable proof asks for the code. Not inside a transaction."""
    if visit.self_pay:
        return ProofTaken(False, "self_pay")
    proof = ProofKind(kind)
    try:
        if proof in KEPT_AS:
            # Whose it is, the insurer says when the first bill is priced.
            credential_keep(encounter=visit, credential=Credential(KEPT_AS[proof], value, serial))
        else:
            subject = f"encounter:{visit.pk}"
            identity = identity_read(
                visit=visit, method=READ_BY[proof], code=value, subject=subject
            )
            credential_hold(encounter=visit, identity=identity, by=by)
    except CodeRefused as refused:
        return ProofTaken(False, str(refused.reason), refused.sentence)
    except Refusal as refused:
        reason = Reason.OTHER_PERSON if refused.code == "other_person" else refused.code
        return ProofTaken(False, str(reason), str(refused.message))
    return ProofTaken(True)
