"""Wishing to bind a patient card: what was typed, and the code that is asked for.

Nobody learns here whether a person is a patient: a wish is written down in the same way for
everybody, and only afterwards is the register asked (`binding_sends`). What a code makes of a wish
stands in `binding_proofs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM, Actor
from core.crypto import blind_index
from core.errors import BadInput, Conflict, NotFound
from core.models import User
from core.states import transition
from patients.actors import patient_actor
from patients.certificates import certificate_number
from patients.locks import (
    binding_locked,
    bindings_expired_locked,
    bindings_locked,
    bindings_waiting_locked,
)
from patients.models import (
    Binding,
    BindingStatus,
    IdType,
    PatientAccess,
    Relation,
)
from patients.models.access import PatientAccessQuerySet
from patients.selectors import FAMILY_MAX, family_places, id_number_index
from patients.selectors.binding_limits import wishes_refusal
from patients.selectors.binding_rules import (
    ADULT_FROM,
    age_on,
    born_by_number,
    person_of,
)

VALID_FOR = timedelta(minutes=10)
AGAIN_AFTER = timedelta(seconds=60)
SENDS_MAX = 3
ATTEMPTS_MAX = 5
NAME_LENGTH_MAX = 100
CARD_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class BindingWanted:
    """What was typed. The certificate or the card may be empty, not both."""

    relation: str
    name: str
    id_type: str = IdType.ID_CARD
    id_number: str = ""
    card_no: str = ""


def binding_begin(*, user: User, wanted: BindingWanted, address: str) -> Binding:
    """Write the wish down; a task asks the register and sends the code.

    Raises BadInput for what cannot be a name or number, Conflict for what the user's own family
    forbids or after too many wishes. Neither says anything about the other person.
    """
    values = _checked(wanted)
    names = [f"user/{user.pk}", f"target/{values['target']}"]
    with transaction.atomic():
        bindings_locked(*names, *_address_name(address))
        _own_family_allows(user, wanted, str(values["id_number_index"]))
        wish = Binding(user=user, relation=wanted.relation, **values)
        refuse(wishes_refusal(wish, address=address))
        for row in bindings_waiting_locked(user.pk):
            binding_over(row, "replaced")
        now = clock.now()
        wish.address, wish.expires_at = address or None, now + VALID_FOR
        wish.due_at = wish.asked_at = wish.created_at = now
        wish.save()
    return wish


def _checked(wanted: BindingWanted) -> dict[str, object]:
    if wanted.relation not in Relation.values:
        raise BadInput("bad_relation", _("Choose who this person is to you."), "relation")
    if wanted.id_type not in IdType.values:
        raise BadInput("bad_id_type", _("Choose the kind of certificate."), "id_type")
    name = " ".join(wanted.name.split())
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise BadInput("bad_name", _("Write the name as it is on the certificate."), "name")
    card_no = "".join(wanted.card_no.split())
    if len(card_no) > CARD_LENGTH_MAX or (card_no and not card_no.isprintable()):
        raise BadInput("bad_card", _("This is not a card number."), "card_no")
    number = _number(wanted)
    if not number and not card_no:
        raise BadInput(
            "no_number", _("Write the certificate number, or the card number."), "id_number"
        )
    told = f"{wanted.id_type}/{number}" if number else f"card/{card_no}"
    return {
        "name": name,
        "id_type": wanted.id_type,
        "id_number_index": id_number_index(number),
        "card_no": card_no,
        "target": blind_index(told, purpose="binding target"),
    }


def _number(wanted: BindingWanted) -> str:
    """The certificate's number in its normal form; empty without one."""
    if not wanted.id_number.strip():
        return ""
    return certificate_number(id_type=wanted.id_type, value=wanted.id_number)


def _address_name(address: str) -> list[str]:
    return [f"address/{address}"] if address else []


def _own_family_allows(user: User, wanted: BindingWanted, index: str) -> None:
    """What the user knows already, and therefore may be told."""
    own = person_of(user)
    if wanted.relation == Relation.SELF and own is not None:
        raise Conflict("self_bound", SELF_BOUND)
    same = PatientAccess.objects.live().filter(
        user=user, patient__id_number_index=index, patient__id_type=wanted.id_type
    )
    if index:
        refuse_bound(same)
    if family_places(user) >= FAMILY_MAX:
        raise Conflict("family_full", FULL)
    born = born_by_number(wanted.id_type, _number(wanted))
    minor = born is not None and age_on(born, clock.today()) < ADULT_FROM
    if own is None and minor and wanted.relation != Relation.SELF:
        raise Conflict("own_card_first", _("Bind your own card first, then your child's."))


def refuse_bound(same: PatientAccessQuerySet) -> None:
    """Say that a person is bound already: the user themselves, or somebody of the family."""
    relation = same.values_list("relation", flat=True).first()
    if relation is not None:
        raise Conflict("already_bound", OWN_BOUND if relation == Relation.SELF else ALREADY_BOUND)


SELF_BOUND = _("Your own card is bound already. To change it, end that binding first.")
OWN_BOUND = _("You have bound your own card already. To bind a relative, type their number.")
ALREADY_BOUND = _("This person is bound already. Open them under Family, there is no need to add.")
FULL = _("You have bound five people. End one of these bindings to add another.")
OVER = _("This code is no longer valid. Begin again to get a new one.")


def binding_send_again(*, user: User, binding_id: int) -> Binding:
    """Ask for another code; the earlier one ends with it."""
    with transaction.atomic():
        row = own_binding_locked(user, binding_id)
        now = clock.now()
        if row.status != BindingStatus.WAITING or row.sends_asked >= SENDS_MAX:
            raise Conflict("binding_over", OVER)
        if now < row.asked_at + AGAIN_AFTER:
            raise Conflict("too_soon", _("Wait a minute before asking for another code."))
        refuse(wishes_refusal(row, address=str(row.address or "")))
        row.sends_asked += 1
        row.code_hash, row.sent_to, row.outcome, row.send_tries = "", "", "", 0
        row.asked_at = row.due_at = now
        row.expires_at = now + VALID_FOR
        row.save()
    return row


def binding_cancel(*, user: User, binding_id: int) -> None:
    """The user does not go on; the code is worth nothing from now on."""
    with transaction.atomic():
        row = own_binding_locked(user, binding_id)
        if row.status == BindingStatus.WAITING:
            binding_over(row, "cancelled")


def bindings_expire(*, limit: int) -> int:
    """End the wishes that nobody confirmed in time; how many there were."""
    with transaction.atomic():
        rows = bindings_expired_locked(now=clock.now(), limit=limit)
        for row in rows:
            binding_over(row, "expired", by=SYSTEM)
    return len(rows)


def own_binding_locked(user: User, binding_id: int, address: str = "") -> Binding:
    """The user's own wish, with the counts its limits need. Raises NotFound for anybody else's."""
    known = Binding.objects.filter(pk=binding_id, user=user).values_list("target", flat=True)
    target = known.first()
    if target is None:
        raise NotFound("unknown_binding", _("There is nothing to confirm under this address."))
    bindings_locked(f"user/{user.pk}", f"target/{target}", *_address_name(address))
    return binding_locked(binding_id)


def binding_over(row: Binding, outcome: str, *, by: Actor | None = None) -> None:
    """End a locked wish without a binding; why is for the desk only."""
    transition(
        row,
        BindingStatus.OVER,
        by=by or patient_actor(row.user),
        outcome=outcome,
        **ended_fields(),
    )


def ended_fields() -> dict[str, Any]:
    """What was typed is not kept longer than it is needed."""
    emptied = dict.fromkeys(("name", "card_no", "code_hash", "sent_to"), "")
    return {"ended_at": clock.now(), "due_at": None, **emptied}


def refuse(refusal: Conflict | None) -> None:
    """Raise a limit's answer, if it has one."""
    if refusal is not None:
        raise refusal
