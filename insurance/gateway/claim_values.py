"""What the claim services say to the insurer and hear from it: frozen values, fen, our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from insurance.gateway.visit_values import Credential, Scheme

NO_PRICE_LIMIT = Decimal(999999)


class LineLevel(StrEnum):
    """What the catalogue of the place of care says of an item (chrgitm_lv)."""

    A = "01"
    B = "02"
    C = "03"


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One priced line, as billing hands it down; insurance never sees a charge item."""

    number: str  # feedetl_sn, unique within the visit
    national_code: str
    hospital_code: str
    name: str
    category: str  # med_chrgitm_type 01-14
    amount_fen: int
    quantity: Decimal
    unit_price: Decimal
    ordered_at: datetime
    ordering_department_code: str
    ordering_department_name: str
    doctor_code: str
    doctor_name: str
    executing_department_code: str = ""
    executing_department_name: str = ""
    prescription_no: str = ""
    disease_code: str = ""
    dose: str = ""
    frequency: str = ""
    days: str = ""
    route: str = ""
    approval: str = "0"  # hosp_appr_flag: 0 not needed, 1 approved, 2 not approved
    outside: bool = False  # 外购处方: the prescription is filled elsewhere


@dataclass(frozen=True, slots=True)
class LineResult:
    """What the insurer made of one line; the four parts are the line (I6)."""

    number: str
    amount_fen: int
    own_fen: int  # wholly self-paid
    over_limit_fen: int
    first_own_fen: int  # 先行自付
    in_scope_fen: int
    level: LineLevel | None
    category: str
    own_share: Decimal | None
    price_limit: Decimal | None  # None where there is none
    limited_use: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """The five exclusive parts that make up the bill. Other figures are shown, never posted."""

    fund_fen: int
    own_account_fen: int
    mutual_aid_fen: int
    hospital_part_fen: int
    cash_fen: int

    @property
    def total_fen(self) -> int:
        """What the parts add up to."""
        return (
            self.fund_fen
            + self.own_account_fen
            + self.mutual_aid_fen
            + self.hospital_part_fen
            + self.cash_fen
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """The bill by how the catalogue sees it (I1); 2207 echoes what 2206 said."""

    own_fen: int
    over_limit_fen: int
    first_own_fen: int
    in_scope_fen: int


@dataclass(frozen=True, slots=True)
class FundParts:
    """Every payer inside the fund (I3)."""

    basic_fen: int = 0  # 基本医疗统筹
    civil_servant_fen: int = 0
    enterprise_fen: int = 0
    serious_illness_fen: int = 0  # 居民大病
    large_expense_fen: int = 0  # 职工大额
    medical_aid_fen: int = 0  # 医疗救助
    disabled_soldier_fen: int = 0
    other_fen: int = 0


class FundKind(StrEnum):
    """Whose money a row of the settlement's detail is."""

    FUND = "fund"
    ACCOUNT = "account"
    HOSPITAL = "hospital"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FundRow:
    """One row of the detail, for the page; rows mix funds with accounts and are never summed."""

    code: str
    name: str
    kind: FundKind
    amount_fen: int
    limit_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The insurer's word on one batch: a trial (2206), a settlement (2207) or its mirror (2208)."""

    settlement_no: str  # setl_id; empty in a trial
    mdtrt_id: str
    person_no: str = field(repr=False)
    total_fen: int
    split: Split
    scope: Scope
    fund: FundParts
    rows: tuple[FundRow, ...]
    scheme: Scheme
    person_class: str
    med_type: str
    deductible_fen: int = 0
    fund_ratio: Decimal | None = None
    balance_fen: int | None = None
    settled_at: datetime | None = None
    sent_as: str = ""  # medins_setl_id: our message number of the 2207 that made it
    clearing_office: str = ""
    clearing_way: str = ""
    clearing_kind: str = ""
    refunded: bool = False


@dataclass(frozen=True, slots=True)
class SettleOrder:
    """What 2206 and 2207 are asked: the same words twice, so the answer can only differ by time."""

    person_no: str = field(repr=False)
    credential: Credential
    scheme: Scheme
    med_type: str
    total_fen: int
    mdtrt_id: str
    batch_no: str
    use_account: bool
    insured_area: str
    invoice_no: str = ""
    way: str = "01"  # psn_setlway: by item


@dataclass(frozen=True, slots=True)
class SettlementReference:
    """Which settlement to query or reverse; without a number every one of the visit."""

    person_no: str = field(repr=False)
    mdtrt_id: str
    insured_area: str
    settlement_no: str = ""


class Reversal(StrEnum):
    """How 2601 ended the lost call."""

    REVERSED = "reversed"
    NOTHING = "nothing"  # the original never happened
