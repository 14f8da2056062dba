"""Who is treated, where, and whom we may tell.

Nouns: a `Patient` is a person; medical record numbers and cards are `Identifier`s; an `Encounter`
(就诊) is one visit; `PatientAccess` says which user may view or pay for a patient; `Notification`
is a message that must reach somebody, committed together with what it tells.
"""

from patients.models.access import AccessEnd, PatientAccess, Relation, WalletIdentity
from patients.models.account import CodePurpose, PhoneCode, UserPhone
from patients.models.binding import Binding, BindingStatus
from patients.models.consent import Consent, ConsentPurpose
from patients.models.encounter import Encounter, EncounterKind, EncounterStatus
from patients.models.hospital import Campus, CampusKind, HisClient
from patients.models.merge import PatientMerge
from patients.models.notification import Messenger, Notification, NotificationStatus
from patients.models.patient import Identifier, IdentifierKind, IdType, Patient, PatientReview, Sex
from patients.models.tag import Location, LocationKind, TagTouch

__all__ = [
    "AccessEnd",
    "Binding",
    "BindingStatus",
    "Campus",
    "CampusKind",
    "CodePurpose",
    "Consent",
    "ConsentPurpose",
    "Encounter",
    "EncounterKind",
    "EncounterStatus",
    "HisClient",
    "IdType",
    "Identifier",
    "IdentifierKind",
    "Location",
    "LocationKind",
    "Messenger",
    "Notification",
    "NotificationStatus",
    "Patient",
    "PatientAccess",
    "PatientMerge",
    "PatientReview",
    "PhoneCode",
    "Relation",
    "Sex",
    "TagTouch",
    "UserPhone",
    "WalletIdentity",
]
