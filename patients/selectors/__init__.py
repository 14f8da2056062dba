from patients.selectors.bindings import access_of, access_to, family_places
from patients.selectors.consents import consent_history, consent_of, consent_stands, consents_of
from patients.selectors.people import (
    ID_NUMBER_PURPOSE,
    PHONE_PURPOSE,
    campus_by_code,
    id_number_index,
    identifier_find,
    notification_addresses,
    patient_by_card,
    patient_by_mrn,
    patients_with_id_number,
    phone_index,
)

__all__ = [
    "ID_NUMBER_PURPOSE",
    "PHONE_PURPOSE",
    "access_of",
    "access_to",
    "campus_by_code",
    "consent_history",
    "consent_of",
    "consent_stands",
    "consents_of",
    "family_places",
    "id_number_index",
    "identifier_find",
    "notification_addresses",
    "patient_by_card",
    "patient_by_mrn",
    "patients_with_id_number",
    "phone_index",
]
