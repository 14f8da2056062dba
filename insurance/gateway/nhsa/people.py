"""1101 and 1162: who somebody is and what they are entitled to; 2001: whether it holds today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.nhsa import wire
from insurance.gateway.reading import Different, Node, Unreadable
from insurance.gateway.visit_values import Coverage, Credential, CredentialKind, Person, Scheme


@dataclass(frozen=True, slots=True)
class Benefit:
    """One benefit check: whether a fund pays for this person, and until when."""

    kind: str
    fund_code: str
    enjoyed: bool
    result: str
    begins_at: datetime | None
    ends_at: datetime | None


def person(
    credential: Credential,
    *,
    name: str = "",
    id_number: str = "",
    id_kind: str = "01",
    at: datetime | None = None,
) -> Call[Person]:
    """1101. A name and ID number given are also compared with the answer's."""
    said = {
        **wire.proof(credential),
        "card_sn": credential.card_serial,
        "begntime": wire.moment(at) if at else "",
        "psn_cert_type": id_kind if id_number else "",
        "certno": id_number,
        "psn_name": name,
    }
    if credential.kind is CredentialKind.SOCIAL_CARD and not credential.card_serial:
        raise ValueError("a social security card is named with its serial (card_sn)")

    def read(output: Mapping[str, object], _profile: RegionProfile) -> Person:
        found = person_read(Node(output))
        if id_number and found.id_number.upper() != id_number.upper():
            raise Different("baseinfo.certno is not the person asked for")
        return found

    return Call(
        Operation.PERSON, "1101", {"data": said}, read, insured_area=credential.insured_area
    )


def card_read(code: str, *, business: str = "01301") -> Call[Person]:
    """1162: the region's own reading of a card or shown code; the person comes with a token."""

    def read(output: Mapping[str, object], _profile: RegionProfile) -> Person:
        return person_read(Node(output))

    said = {"data": {"ecQrCode": code, "businessType": business}}
    return Call(Operation.CARD_READ, "1162", said, read)


def benefit_check(
    person_no: str,
    *,
    scheme: Scheme,
    institution_code: str,
    med_type: str,
    at: datetime,
    insured_area: str,
    disease_code: str = "",
    disease_name: str = "",
) -> Call[tuple[Benefit, ...]]:
    """2001: what the person may enjoy at this institution for this kind of care."""
    said = {
        "psn_no": person_no,
        "insutype": scheme.value,
        "fixmedins_code": institution_code,
        "med_type": med_type,
        "begntime": wire.moment(at),
        "endtime": "",
        "dise_codg": disease_code,
        "dise_name": disease_name,
        "oprn_oprt_code": "",
        "oprn_oprt_name": "",
        "matn_type": "",
        "birctrl_type": "",
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> tuple[Benefit, ...]:
        rows = _rows(Node(output), "trtinfo")
        for row in rows:
            row.same("psn_no", person_no)
        return tuple(_benefit(row) for row in rows)

    return Call(Operation.BENEFIT_CHECK, "2001", {"data": said}, read, insured_area=insured_area)


def person_read(output: Node) -> Person:
    """The three nodes of 1101, which 1162 answers as well."""
    base = output.node("baseinfo")
    born = base.time("brdy")
    return Person(
        person_no=base.text("psn_no", required=True),
        name=base.text("psn_name", required=True),
        id_number=base.text("certno", required=True),
        id_kind=base.text("psn_cert_type"),
        sex=base.text("gend"),
        birth_date=born.date() if born else None,
        coverages=tuple(_coverage(row) for row in output.nodes("insuinfo")),
        identities=tuple(row.text("psn_idet_type") for row in output.nodes("idetinfo")),
        token=output.text("ecToken") or base.text("ecToken"),
    )


def _coverage(row: Node) -> Coverage:
    since, paused = row.time("psn_insu_date"), row.time("paus_insu_date")
    balance = row.fen("balc", required=False)
    if balance < 0:
        raise Unreadable("insuinfo.balc is negative")
    return Coverage(
        scheme=row.code("insutype", Scheme),
        person_class=row.text("psn_type"),
        state=row.text("psn_insu_stas", required=True),
        balance_fen=balance,
        insured_area=row.text("insuplc_admdvs", required=True),
        civil_servant=row.flag("cvlserv_flag"),
        since=since.date() if since else None,
        paused_since=paused.date() if paused else None,
        employer=row.text("emp_name"),
    )


def _benefit(row: Node) -> Benefit:
    return Benefit(
        kind=row.text("trt_chk_type"),
        fund_code=row.text("fund_pay_type"),
        enjoyed=row.flag("trt_enjymnt_flag"),
        result=row.text("trt_chk_rslt"),
        begins_at=row.time("begndate"),
        ends_at=row.time("enddate"),
    )


def _rows(output: Node, named: str) -> list[Node]:
    """The rows of a node whose name differs between regions, or that stand in `data`."""
    return output.nodes(named) or output.nodes("data") or output.nodes("result")
