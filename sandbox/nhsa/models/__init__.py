"""The tables of the insurance platform, by what they are about."""

from sandbox.nhsa.models.benefits import BenefitTerm, CatalogueItem, Pool
from sandbox.nhsa.models.credentials import FaceScan, PayAuth, ShownCode, Token
from sandbox.nhsa.models.house import House, Institution, MessageLog, Nonce, SignIn, StoredFile
from sandbox.nhsa.models.mobile import MobileOrder, MobileRefund
from sandbox.nhsa.models.people import Accumulator, Coverage, Entitlement, FamilyLink, Person
from sandbox.nhsa.models.visits import FeeLine, Settlement, Visit

__all__ = [
    "Accumulator",
    "BenefitTerm",
    "CatalogueItem",
    "Coverage",
    "Entitlement",
    "FaceScan",
    "FamilyLink",
    "FeeLine",
    "House",
    "Institution",
    "MessageLog",
    "MobileOrder",
    "MobileRefund",
    "Nonce",
    "PayAuth",
    "Person",
    "Pool",
    "Settlement",
    "ShownCode",
    "SignIn",
    "StoredFile",
    "Token",
    "Visit",
]
