"""What other apps ask about people: whose account, who is bound to whom, what was agreed to."""

from patients.selectors.accounts import identity_holder, phone_of, user_by_phone
from patients.selectors.binding_rules import is_asked_themselves, minors_born_after
from patients.selectors.bindings import FAMILY_MAX, access_of, access_to, family_places
from patients.selectors.cards import card_code_resolve
from patients.selectors.consents import (
    consent_history,
    consent_of,
    consent_stands,
    consent_taken_back,
    consents_of,
)
from patients.selectors.people import (
    ID_NUMBER_PURPOSE,
    PHONE_PURPOSE,
    campus_for,
    hospital_name,
    id_number_ended,
    id_number_index,
    id_number_tail,
    identifier_find,
    patient_by_card,
    patient_by_mrn,
    patients_with_id_number,
    phone_index,
)
from patients.selectors.receivers import notification_addresses, notification_told_already

__all__ = [
    "FAMILY_MAX",
    "ID_NUMBER_PURPOSE",
    "PHONE_PURPOSE",
    "access_of",
    "access_to",
    "campus_for",
    "card_code_resolve",
    "consent_history",
    "consent_of",
    "consent_stands",
    "consent_taken_back",
    "consents_of",
    "family_places",
    "hospital_name",
    "id_number_ended",
    "id_number_index",
    "id_number_tail",
    "identifier_find",
    "identity_holder",
    "is_asked_themselves",
    "minors_born_after",
    "notification_addresses",
    "notification_told_already",
    "patient_by_card",
    "patient_by_mrn",
    "patients_with_id_number",
    "phone_index",
    "phone_of",
    "user_by_phone",
]
