"""2201, 2202, 2203A: the visit at the insurer; 5201 finds one whose registration got no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.nhsa import wire
from insurance.gateway.reading import Node
from insurance.gateway.visit_values import Visit

VISIT_NO_MAX = 30


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit the insurer knows."""

    mdtrt_id: str
    visit_no: str
    med_type: str
    begun_at: datetime | None


def register(visit: Visit) -> Call[str]:
    """2201; the value is the insurer's visit number (mdtrt_id)."""
    said = {
        "psn_no": visit.person_no,
        "insutype": visit.scheme.value,
        "begntime": wire.moment(visit.begun_at),
        **wire.proof(visit.credential),
        "ipt_otp_no": wire.fitting("ipt_otp_no", visit.visit_no, VISIT_NO_MAX),
        "atddr_no": visit.doctor_code,
        "dr_name": visit.doctor_name,
        "dept_code": visit.department_code,
        "dept_name": visit.department_name,
        "caty": visit.department_kind,
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> str:
        data = Node(output).node("data")
        data.same("psn_no", visit.person_no)
        data.same("ipt_otp_no", visit.visit_no)
        return data.text("mdtrt_id", required=True)

    return Call(Operation.REGISTER, "2201", {"data": said}, read, insured_area=visit.insured_area)


def register_cancel(visit: Visit) -> Call[bool]:
    """2202; only while no settlement stands on the visit."""
    said = {
        "psn_no": visit.person_no,
        "mdtrt_id": visit.mdtrt_id,
        "ipt_otp_no": visit.visit_no,
    }
    return Call(
        Operation.REGISTER_CANCEL, "2202", {"data": said}, _done, insured_area=visit.insured_area
    )


def visit_tell(visit: Visit) -> Call[bool]:
    """2203A: what kind of care it is, and the diagnoses."""
    told = {
        "mdtrt_id": visit.mdtrt_id,
        "psn_no": visit.person_no,
        "med_type": visit.med_type,
        "begntime": wire.moment(visit.begun_at),
        "main_cond_dscr": visit.complaint,
        "dise_codg": visit.disease_code,
        "dise_name": visit.disease_name,
        "birctrl_type": "",
        "birctrl_matn_date": "",
        "matn_type": "",
        "geso_val": "",
    }
    said: dict[str, object] = {"mdtrtinfo": told, "diseinfo": diagnosis_bodies(visit)}
    return Call(Operation.VISIT, "2203A", said, _done, insured_area=visit.insured_area)


def diagnosis_bodies(visit: Visit) -> list[dict[str, object]]:
    """The diagnoses as 2203A writes them."""
    # The main diagnosis comes first, whatever order the HIS sent.
    ordered = sorted(visit.diagnoses, key=lambda one: not one.main)
    return [
        {
            "diag_type": one.kind,
            "diag_srt_no": str(place),
            "diag_code": one.code,
            "diag_name": one.name,
            "diag_dept": one.department,
            "dise_dor_no": one.doctor_code,
            "dise_dor_name": one.doctor_name,
            "diag_time": wire.moment(one.at),
            "vali_flag": "1",
        }
        for place, one in enumerate(ordered, 1)
    ]


def visit_query(visit: Visit, *, until: datetime) -> Call[tuple[VisitRow, ...]]:
    """5201: the person's visits since this one began; an unanswered 2201 is found by its number."""
    said = {
        "psn_no": visit.person_no,
        "begntime": wire.moment(visit.begun_at),
        "endtime": wire.moment(until),
        "med_type": "",
        "mdtrt_id": visit.mdtrt_id,
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> tuple[VisitRow, ...]:
        node = Node(output)
        rows = node.nodes("mdtrtinfo") or node.nodes("data")
        for row in rows:
            row.same("psn_no", visit.person_no)
        return tuple(
            VisitRow(
                mdtrt_id=row.text("mdtrt_id", required=True),
                visit_no=row.text("ipt_otp_no"),
                med_type=row.text("med_type"),
                begun_at=row.time("begntime"),
            )
            for row in rows
        )

    return Call(
        Operation.VISIT_QUERY,
        "5201",
        {"data": said},
        read,
        insured_area=visit.insured_area,
        nothing=(),
    )


def _done(_output: Mapping[str, object], _profile: RegionProfile) -> bool:
    return True
