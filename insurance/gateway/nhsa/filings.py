"""2501 to 2504, 5301 and 5304: care away from home (异地), chronic diseases (慢特病), what stands.

Of 2502, 2504 and 5304 only the numbers are national knowledge; the fields are those of 2501, 2503
and 5301 with the filing's serial number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.reading import Node
from insurance.gateway.visit_values import Scheme


@dataclass(frozen=True, slots=True)
class TransferFiling:
    """A filing for care in another region, from one day to another."""

    person_no: str = field(repr=False)
    scheme: Scheme
    phone: str = field(repr=False)
    address: str = field(repr=False)
    insured_area: str
    care_area: str
    institution_code: str  # where the person is referred to
    institution_name: str
    diagnosis_code: str
    diagnosis_name: str
    kind: str  # refl_type, a local table
    reason: str
    from_day: date
    until_day: date
    filed_on: date
    condition: str = ""


@dataclass(frozen=True, slots=True)
class ChronicFiling:
    """A filing of a chronic or special disease, found by a doctor of this hospital."""

    person_no: str = field(repr=False)
    scheme: Scheme
    disease_code: str
    disease_name: str
    phone: str = field(repr=False)
    address: str = field(repr=False)
    insured_area: str
    institution_code: str
    institution_name: str
    found_on: date
    doctor_code: str
    doctor_name: str
    from_day: date
    until_day: date


@dataclass(frozen=True, slots=True)
class Chronic:
    """A chronic disease the person is entitled for."""

    code: str
    name: str
    from_day: date | None
    until_day: date | None
    serial: str = ""

    def stands_on(self, day: date) -> bool:
        """Whether a visit of that day may name it; open ends are open."""
        begun = self.from_day is None or self.from_day <= day
        return begun and (self.until_day is None or day <= self.until_day)


@dataclass(frozen=True, slots=True)
class Away:
    """A filing of care away from home, as the insurer knows it."""

    serial: str
    care_area: str
    way: str  # refl_type
    from_day: date | None
    until_day: date | None


def transfer_file(filing: TransferFiling) -> Call[str]:
    """2501; the value is the filing's serial number, empty where the region gives none."""
    said = {
        "psn_no": filing.person_no,
        "insutype": filing.scheme.value,
        "tel": filing.phone,
        "addr": filing.address,
        "insu_optins": filing.insured_area,
        "diag_code": filing.diagnosis_code,
        "diag_name": filing.diagnosis_name,
        "dise_cond_dscr": filing.condition,
        "reflin_medins_no": filing.institution_code,
        "reflin_medins_name": filing.institution_name,
        "mdtrtarea_admdvs": filing.care_area,
        "hosp_agre_refl_flag": "1",
        "refl_type": filing.kind,
        "refl_date": _day(filing.filed_on),
        "refl_rea": filing.reason,
        "refl_opnn": "",
        "begndate": _day(filing.from_day),
        "enddate": _day(filing.until_day),
        "refl_used_flag": "0",
    }
    return Call(
        Operation.FILE_TRANSFER,
        "2501",
        {"refmedin": said},
        _serial,
        insured_area=filing.insured_area,
    )


def chronic_file(filing: ChronicFiling) -> Call[str]:
    """2503; the value is the filing's serial number, empty where the region gives none."""
    said = {
        "psn_no": filing.person_no,
        "insutype": filing.scheme.value,
        "opsp_dise_code": filing.disease_code,
        "opsp_dise_name": filing.disease_name,
        "tel": filing.phone,
        "addr": filing.address,
        "insu_optins": filing.insured_area,
        "ide_fixmedins_no": filing.institution_code,
        "ide_fixmedins_name": filing.institution_name,
        "hosp_ide_date": _day(filing.found_on),
        "diag_dr_codg": filing.doctor_code,
        "diag_dr_name": filing.doctor_name,
        "begndate": _day(filing.from_day),
        "enddate": _day(filing.until_day),
    }
    return Call(
        Operation.FILE_CHRONIC, "2503", {"data": said}, _serial, insured_area=filing.insured_area
    )


def chronic_query(person_no: str, *, insured_area: str) -> Call[tuple[Chronic, ...]]:
    """5301: the diseases a person is filed for."""

    def read(output: Mapping[str, object], _profile: RegionProfile) -> tuple[Chronic, ...]:
        node = Node(output)
        rows = node.nodes("feedetail") or node.nodes("data") or node.nodes("result")
        for row in rows:
            row.same("psn_no", person_no)
        return tuple(
            Chronic(
                code=row.text("opsp_dise_code", required=True),
                name=row.text("opsp_dise_name"),
                from_day=_date(row, "begndate"),
                until_day=_date(row, "enddate"),
                serial=row.text("trt_dcla_detl_sn"),
            )
            for row in rows
        )

    return Call(
        Operation.CHRONIC_QUERY,
        "5301",
        {"data": {"psn_no": person_no}},
        read,
        insured_area=insured_area,
        nothing=(),
    )


def transfer_query(person_no: str, *, insured_area: str) -> Call[tuple[Away, ...]]:
    """5304: the filings of care away from home that stand, wherever they were made."""

    def read(output: Mapping[str, object], _profile: RegionProfile) -> tuple[Away, ...]:
        node = Node(output)
        rows = node.nodes("refmedin") or node.nodes("data") or node.nodes("result")
        for row in rows:
            row.same("psn_no", person_no)
        return tuple(
            Away(
                serial=row.text("trt_dcla_detl_sn"),
                care_area=row.text("mdtrtarea_admdvs"),
                way=row.text("refl_type"),
                from_day=_date(row, "begndate"),
                until_day=_date(row, "enddate"),
            )
            for row in rows
        )

    return Call(
        Operation.TRANSFER_QUERY,
        "5304",
        {"data": {"psn_no": person_no}},
        read,
        insured_area=insured_area,
        nothing=(),
    )


def transfer_end(person_no: str, serial: str, *, insured_area: str) -> Call[bool]:
    """2502: the filing holds no more."""
    return _end(Operation.TRANSFER_END, "2502", person_no, serial, insured_area)


def chronic_end(person_no: str, serial: str, *, insured_area: str) -> Call[bool]:
    """2504: the disease is filed no more."""
    return _end(Operation.CHRONIC_END, "2504", person_no, serial, insured_area)


def _end(operation: Operation, code: str, person_no: str, serial: str, area: str) -> Call[bool]:
    def read(_output: Mapping[str, object], _profile: RegionProfile) -> bool:
        return True

    said = {"psn_no": person_no, "trt_dcla_detl_sn": serial}
    return Call(operation, code, {"data": said}, read, insured_area=area)


def _serial(output: Mapping[str, object], _profile: RegionProfile) -> str:
    for name in ("result", "data"):
        rows = Node(output).nodes(name)
        if rows:
            return rows[0].text("trt_dcla_detl_sn")
    return ""


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def _date(row: Node, name: str) -> date | None:
    found = row.time(name)
    return found.date() if found else None
