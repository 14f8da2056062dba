"""Family accounts (家庭共济账户): filed, ended, and what of their conditions the insurer knows.

There is no national transaction for them. The numbers here are regional; a region that takes none
says so in its configuration, and its insured link their family in the wallet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.reading import Node


class Kinship(StrEnum):
    """What the member is to the one whose account pays."""

    CHILD = "1"
    SPOUSE = "2"
    PARENT = "3"


@dataclass(frozen=True, slots=True)
class FamilyPair:
    """Whose account pays, and for whom."""

    payer_no: str = field(repr=False)
    member_no: str = field(repr=False)
    insured_area: str  # of the payer


@dataclass(frozen=True, slots=True)
class FamilyState:
    """Every condition as the insurer knows it."""

    has_account: bool
    balance_fen: int
    member_insured: bool
    one_pool: bool
    card_valid: bool
    card_linked: bool
    family_account: bool
    guardian: bool  # the payer is who enrolled the member


def family_file(pair: FamilyPair, kinship: Kinship) -> Call[str]:
    """Make two people one family account; the value is the filing's number."""

    def read(output: Mapping[str, object], _profile: RegionProfile) -> str:
        return Node(output).node("result").text("fam_acct_sn")

    said = {**_named(pair), "memb_rel": kinship.value}
    return Call(Operation.FAMILY_FILE, "2581", {"data": said}, read, insured_area=pair.insured_area)


def family_end(pair: FamilyPair) -> Call[bool]:
    """The account pays for this person no more."""

    def read(_output: Mapping[str, object], _profile: RegionProfile) -> bool:
        return True

    return Call(
        Operation.FAMILY_END, "2582", {"data": _named(pair)}, read, insured_area=pair.insured_area
    )


def family_query(pair: FamilyPair) -> Call[FamilyState]:
    """What of the conditions holds."""

    def read(output: Mapping[str, object], _profile: RegionProfile) -> FamilyState:
        row = Node(output).node("famacctinfo")
        row.same("psn_no", pair.payer_no)
        row.same("memb_psn_no", pair.member_no)
        return FamilyState(
            has_account=row.flag("acct_flag"),
            balance_fen=row.fen("balc"),
            member_insured=row.flag("memb_insu_flag"),
            one_pool=row.flag("same_pool_flag"),
            card_valid=row.flag("memb_card_flag"),
            card_linked=row.flag("card_link_flag"),
            family_account=row.flag("fam_acct_flag"),
            guardian=row.flag("grdn_flag"),
        )

    return Call(
        Operation.FAMILY_QUERY, "5381", {"data": _named(pair)}, read, insured_area=pair.insured_area
    )


def _named(pair: FamilyPair) -> dict[str, object]:
    return {"psn_no": pair.payer_no, "memb_psn_no": pair.member_no}
