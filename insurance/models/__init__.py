"""Regions and institutions as the insurer knows them, and every message sent to it.

An `InsuranceRegion` is a pool with its platform; an `Institution` a campus under its own code
there. `InsuranceMessage` is the intent of a call, committed before it is sent; `InsuranceReply`
what was learnt of it. Messages and replies are evidence: rows are added, never changed. A
`Coverage` is an entitlement of a patient, an `InsuredVisit` a visit the insurer was told of, a
`Claim` what it is asked to pay of one bill, with its `ClaimLine`s as they were frozen; a
`MobileOrder` is a claim's order at the mobile-pay centre; what only a person can decide about a
claim is an `InsuranceReview`. An `InsurerStatement` compares the sums of a day with the insurer
(3201), a `StatementDifference` is one row the two sides do not share. A `Filing` is what was filed
for a person (care elsewhere, a chronic disease), an `Entitlement` what the insurer says stands.
"""

from insurance.models.catalogue import (
    DRUGS,
    CatalogueItem,
    ItemCategory,
    ItemImport,
    ItemLevel,
    ItemMapping,
)
from insurance.models.claim import Claim, ClaimRoute, ClaimStatus
from insurance.models.claim_line import ClaimLine
from insurance.models.coverage import Coverage, InsuredVisit
from insurance.models.credential import HeldCredential
from insurance.models.family import FamilyLink, FamilyRule
from insurance.models.filing import (
    Entitlement,
    Filing,
    FilingKind,
    FilingStatus,
    FilingWay,
)
from insurance.models.filing_decision import FilingDecision, FilingVerdict
from insurance.models.message import InsuranceMessage, InsuranceReply
from insurance.models.mobile import MobileOrder
from insurance.models.region import Institution, InsuranceRegion, InsuranceSession
from insurance.models.review import InsuranceReason, InsuranceReview
from insurance.models.statement import (
    DifferenceKind,
    InsurerStatement,
    StatementDifference,
    StatementStatus,
)

__all__ = [
    "DRUGS",
    "CatalogueItem",
    "Claim",
    "ClaimLine",
    "ClaimRoute",
    "ClaimStatus",
    "Coverage",
    "DifferenceKind",
    "Entitlement",
    "FamilyLink",
    "FamilyRule",
    "Filing",
    "FilingDecision",
    "FilingKind",
    "FilingStatus",
    "FilingVerdict",
    "FilingWay",
    "HeldCredential",
    "Institution",
    "InsuranceMessage",
    "InsuranceReason",
    "InsuranceRegion",
    "InsuranceReply",
    "InsuranceReview",
    "InsuranceSession",
    "InsuredVisit",
    "InsurerStatement",
    "ItemCategory",
    "ItemImport",
    "ItemLevel",
    "ItemMapping",
    "MobileOrder",
    "StatementDifference",
    "StatementStatus",
]
