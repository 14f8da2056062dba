"""Regions and institutions as the insurer knows them, and every message sent to it.

An `InsuranceRegion` is a pool with its platform; an `Institution` a campus under its own code
there. `InsuranceMessage` is the intent of a call, committed before it is sent; `InsuranceReply`
what was learnt of it. Messages and replies are evidence: rows are added, never changed.
"""

from insurance.models.catalogue import (
    CatalogueItem,
    ItemCategory,
    ItemImport,
    ItemLevel,
    ItemMapping,
)
from insurance.models.credential import HeldCredential
from insurance.models.message import InsuranceMessage, InsuranceReply
from insurance.models.region import Institution, InsuranceRegion, InsuranceSession

__all__ = [
    "CatalogueItem",
    "HeldCredential",
    "Institution",
    "InsuranceMessage",
    "InsuranceRegion",
    "InsuranceReply",
    "InsuranceSession",
    "ItemCategory",
    "ItemImport",
    "ItemLevel",
    "ItemMapping",
]
