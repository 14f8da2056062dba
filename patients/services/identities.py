"""A record number stands for one person, whatever its own client tells of it later.

A deviation from `PUT` as plain replacing, for visits, bills, agreements and bindings hang on the
record: given to another person they would be that person's to see, and theirs to pay from the
first one's agreement. A record is settled by a resident's number, whose check digit fits, and by
anything that hangs on it. Of a settled record

- another certificate number is refused, whatever the name: the other person needs a record number
  of their own;
- another name under the same number is asked about (same number with another name goes to review);
  nothing of the call is written before a member of staff agreed to the name;
- another name without the number is refused, for nothing says that it is the same person.

A number left out is not taken away. Where there was none, one may be added, and the name with it:
newborns and people of an emergency get theirs later. Once somebody has bound such a record, another
name with another date of birth is another person, and another name alone is asked about.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.review import ReviewStatus
from patients.models import IdType, Patient, PatientAccess, PatientReview
from patients.selectors.binding_rules import plain_name
from patients.selectors.merges import links

OTHER_NAME = "same_number_other_name"
SAME_PERSON = "same_person_two_records"
OTHER_PERSON = "other_person"
OTHER_NUMBER_TEXT = _(
    "This record number stands for a person with another certificate number. Register the other"
    " person, or the right number, under a record number of its own."
)
OTHER_NAME_TEXT = _(
    "This record number stands for a person with another name. Send the certificate number of the"
    " record with it, or give the other person a record number of their own."
)
NAME_REFUSED_TEXT = _(
    "The desk looked at this name and did not take it over. Correct the name, or give the other"
    " person a record number of their own."
)
NUMBERS_OF_RECORD = "patients.identifier.patient"  # any record has one, used or not


def name_in_question(*, patient: Patient, values: dict[str, object]) -> bool:
    """Whether what is told may be written only after somebody has looked at the name.

    Raises Conflict where it is another person. Runs under the lock on the person.
    """
    old, new = patient.id_number_index, values.get("id_number_index", "")
    renamed = plain_name(patient.name) != plain_name(str(values["name"]))
    if not old:
        return renamed and _unnumbered_in_question(patient, values)
    if new and new != old and _settled(patient):
        raise Conflict(OTHER_PERSON, OTHER_NUMBER_TEXT, "id_number")
    if not renamed or (new and new != old) or not _settled(patient):
        return False
    if not new:
        raise Conflict(OTHER_PERSON, OTHER_NAME_TEXT, "name")
    return True


def _unnumbered_in_question(patient: Patient, values: dict[str, object]) -> bool:
    if not PatientAccess.objects.live().filter(patient=patient).exists():
        return False
    if patient.birth_date != values["birth_date"]:
        raise Conflict(OTHER_PERSON, OTHER_NAME_TEXT, "name")
    return not values.get("id_number_index")


def _settled(patient: Patient) -> bool:
    return patient.id_type in (IdType.ID_CARD, IdType.HOUSEHOLD) or _is_used(patient)


def _is_used(patient: Patient) -> bool:
    """Whether any table of any app names the person: a binding, a visit, an agreement, a ward."""
    return any(
        link.model._base_manager.filter(**{link.field: patient.pk}).exists()
        for link in links()
        if link.key != NUMBERS_OF_RECORD
    )


def name_review_open(*, patient: Patient, name: str, by: Actor) -> None:
    """Ask a member of staff about the name told, once; raises Conflict where they said no."""
    cases = PatientReview.objects.filter(patient=patient, other=patient, told_name=name)
    last = cases.order_by("-pk").first()
    if last is not None and last.status == ReviewStatus.REJECTED:
        raise Conflict(OTHER_PERSON, NAME_REFUSED_TEXT, "name")
    if last is None or last.status != ReviewStatus.OPEN:
        _opened(patient, patient, OTHER_NAME, by, told_name=name)


def number_review_open(*, patient: Patient, others: list[Patient], reason: str, by: Actor) -> bool:
    """Ask about two records under one number, once; whether there is anything to ask."""
    if not others:
        return False
    open_case = PatientReview.objects.filter(
        patient=patient, other=others[0], status=ReviewStatus.OPEN
    )
    if not open_case.exists():
        _opened(patient, others[0], reason, by)
    return True


def _opened(patient: Patient, other: Patient, reason: str, by: Actor, told_name: str = "") -> None:
    PatientReview.objects.create(
        patient=patient,
        other=other,
        reason_code=reason,
        told_name=told_name,
        opened_by=by.key,
        opened_at=clock.now(),
    )
