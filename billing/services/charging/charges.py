"""Charges of a visit, as the HIS puts, replaces and cancels them.

Every change of a visit's charges happens under the visit's lock, so a bill that is being issued and
a charge that is being replaced wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing.locks.charges import charges_locked
from billing.models import ChargeItem, ChargeStatus
from billing.services.charging.charge_input import ChargeInput
from core import clock
from core.actors import Actor
from core.audit import record_by_each
from core.errors import BadInput, Conflict, NotFound
from core.integrity import constraint_name
from core.states import transition
from patients.models import Encounter, EncounterStatus, HisClient
from patients.services.encounters import encounter_hold

CHARGES_MAX = 1000
NOBODY: Mapping[str, Actor] = MappingProxyType({})
_REPLACED = (*tuple(ChargeInput.__dataclass_fields__)[1:], "input_hash")


@dataclass(frozen=True, slots=True)
class ChargesPut:
    """The charges in the order they were given; `created` counts those that are new."""

    charges: list[ChargeItem]
    created: int


def charges_put(
    *,
    client: HisClient,
    encounter_no: str,
    inputs: Sequence[ChargeInput],
    operators: Mapping[str, Actor] = NOBODY,
    single: bool = False,
) -> ChargesPut:
    """Put charges, all or none, in a constant number of statements.

    The same content again changes nothing; other content replaces a charge that is not billed yet.
    `operators` says by number of charge who put it, where the HIS does; an event is kept of each.
    `single` only words the refusals for a call about one charge.
    """
    _refuse_list(inputs)
    try:
        return _put(client, encounter_no, inputs, operators, single)
    except IntegrityError as error:
        if constraint_name(error) != "charge_unique":
            raise
        # Only another visit can have taken the number meanwhile: this visit was locked.
        raise Conflict(
            "charge_elsewhere", _("A charge of this list belongs to another visit."), "charge_no"
        ) from None


def _put(
    client: HisClient,
    encounter_no: str,
    inputs: Sequence[ChargeInput],
    operators: Mapping[str, Actor],
    single: bool,
) -> ChargesPut:
    with transaction.atomic():
        encounter = encounter_hold(client=client, encounter_no=encounter_no)
        numbers = [one.charge_no for one in inputs]
        known = {row.charge_no: row for row in charges_locked(client=client, charge_nos=numbers)}
        fresh: list[ChargeItem] = []
        changed: list[ChargeItem] = []
        for position, one in enumerate(inputs):
            field = "" if single else f"[{position}]."
            row = known.get(one.charge_no)
            if row is None:
                fresh.append(_new(encounter, one))
            elif _differs(row, one, encounter, field):
                changed.append(row)
        if (fresh or changed) and encounter.status != EncounterStatus.OPEN:
            raise Conflict("encounter_ended", _("This visit is closed or cancelled."))
        _store(fresh, changed)
        _keep_operators(encounter, [*fresh, *changed], operators)
        known.update({row.charge_no: row for row in fresh})
        return ChargesPut([known[number] for number in numbers], len(fresh))


def _refuse_list(inputs: Sequence[ChargeInput]) -> None:
    if len(inputs) > CHARGES_MAX:
        raise BadInput("too_many", _("At most 1,000 charges in one call."))
    seen: set[str] = set()
    for position, one in enumerate(inputs):
        if one.charge_no in seen:
            raise BadInput(
                "twice_in_list", _("This number is in the list twice."), f"[{position}].charge_no"
            )
        seen.add(one.charge_no)


def _new(encounter: Encounter, one: ChargeInput) -> ChargeItem:
    return ChargeItem(
        client=encounter.client,
        encounter=encounter,
        charge_no=one.charge_no,
        created_at=clock.now(),
        **one.columns(),
    )


def _differs(row: ChargeItem, one: ChargeInput, encounter: Encounter, field: str) -> bool:
    """Whether the row is to be replaced; the row then holds the new content."""
    if row.encounter_id != encounter.pk:
        raise Conflict(
            "charge_elsewhere", _("This charge belongs to another visit."), f"{field}charge_no"
        )
    columns = one.columns()
    if row.input_hash == columns["input_hash"]:
        return False
    if row.status == ChargeStatus.BILLED:
        message = _("This charge is on a bill and can no longer change.")
        raise Conflict("charge_billed", message, f"{field}charge_no")
    if row.status == ChargeStatus.CANCELLED:
        raise Conflict("charge_cancelled", _("This charge is cancelled."), f"{field}charge_no")
    for name, value in columns.items():
        setattr(row, name, value)
    return True


def _store(fresh: list[ChargeItem], changed: list[ChargeItem]) -> None:
    """One statement for what is new, one for what is replaced."""
    if changed:
        ChargeItem.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=_REPLACED,
        )
    if fresh:
        ChargeItem.objects.bulk_create(fresh)


def _keep_operators(
    encounter: Encounter, rows: Sequence[ChargeItem], operators: Mapping[str, Actor]
) -> None:
    """Who put what; they are no part of the content, so the row does not say it."""
    put: dict[Actor, list[str]] = {}
    for row in rows:
        if row.charge_no in operators:
            put.setdefault(operators[row.charge_no], []).append(row.charge_no)
    if put:
        record_by_each(
            action="charges_put",
            subject="patients.encounter",
            subject_id=encounter.pk,
            details={by: {"charge_nos": numbers} for by, numbers in put.items()},
        )


def charge_cancel(
    *, client: HisClient, encounter_no: str, charge_no: str, by: Actor, reason: str = ""
) -> ChargeItem:
    """Cancel a charge that is on no bill; cancelling it again changes nothing."""
    with transaction.atomic():
        encounter = encounter_hold(client=client, encounter_no=encounter_no)
        rows = charges_locked(client=client, charge_nos=[charge_no])
        if not rows or rows[0].encounter_id != encounter.pk:
            raise NotFound("unknown_charge", _("No charge has this number."), "charge_no")
        row = rows[0]
        if row.status == ChargeStatus.BILLED:
            raise Conflict("charge_billed", _("This charge is on a bill."), "charge_no")
        if row.status == ChargeStatus.UNBILLED:
            transition(row, ChargeStatus.CANCELLED, by=by, reason=reason)
        return row
