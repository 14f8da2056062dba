"""Who is insured, how they prove it, and the visit the insurer is told of: frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class CredentialKind(StrEnum):
    """By what a person proves who they are (mdtrt_cert_type)."""

    ELECTRONIC = "01"  # ecToken, from a shown code or a face
    ID_CARD = "02"
    SOCIAL_CARD = "03"


class Scheme(StrEnum):
    """Insurance schemes (险种, insutype)."""

    EMPLOYEE = "310"
    CIVIL_SERVANT = "320"
    LARGE_EXPENSE = "330"
    RETIRED_CADRE = "340"
    DISABLED_SOLDIER = "350"
    OLD_RED_ARMY = "360"
    ENTERPRISE = "370"
    RURAL = "380"
    RESIDENT = "390"
    URBAN_RESIDENT = "391"
    RESIDENT_SERIOUS_ILLNESS = "392"
    OTHER = "399"
    LONG_TERM_CARE = "410"
    MATERNITY = "510"


@dataclass(frozen=True, slots=True)
class Credential:
    """The proof used for the whole visit: the same at registration, trial and settlement."""

    kind: CredentialKind
    number: str = field(repr=False)
    card_serial: str = field(default="", repr=False)
    insured_area: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the insurer knows under a number (psn_no), with every entitlement they hold."""

    person_no: str = field(repr=False)
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    id_kind: str
    sex: str
    birth_date: date | None
    coverages: tuple[Coverage, ...]
    identities: tuple[str, ...] = ()  # rescue and preferential identities (psn_idet_type)
    token: str = field(default="", repr=False)  # 1162 gives it with the person


@dataclass(frozen=True, slots=True)
class Coverage:
    """One entitlement (参保信息): several rows per person, each with a state and a balance.

    Only state 1 entitles; the codes of the other states are not known to the reference, so they are
    kept as said and all mean "not now".
    """

    scheme: Scheme
    person_class: str
    state: str
    balance_fen: int
    insured_area: str
    civil_servant: bool
    since: date | None = None
    paused_since: date | None = None
    employer: str = ""

    @property
    def active(self) -> bool:
        """Whether it can be used today."""
        return self.state == "1"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One diagnosis of a visit; `kind` 1 western, 2 and 3 Chinese medicine."""

    code: str
    name: str
    main: bool
    department: str
    doctor_code: str
    doctor_name: str
    at: datetime
    kind: str = "1"


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as the insurer is told of it. `visit_no` is the hospital's number (ipt_otp_no)."""

    person_no: str = field(repr=False)
    credential: Credential
    scheme: Scheme
    visit_no: str
    begun_at: datetime
    doctor_code: str
    doctor_name: str
    department_code: str
    department_name: str
    department_kind: str
    med_type: str
    insured_area: str
    mdtrt_id: str = ""  # the insurer's number, known after registration
    disease_code: str = ""
    disease_name: str = ""
    complaint: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()
