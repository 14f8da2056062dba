"""3101 and 3102: what the insurer's oversight says before (事前) and during (事中) an act.

Advice stops nothing by itself: an empty result is no warning, and who overrides one is recorded by
the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from insurance.gateway.base import Call, Operation, RegionProfile
from insurance.gateway.claim_values import ChargeLine
from insurance.gateway.nhsa import wire
from insurance.gateway.reading import Node
from insurance.gateway.visit_values import Visit


class Trigger(StrEnum):
    """When the question is asked (trig_scen); 1-5 are before, 6-10 during."""

    REGISTRATION = "1"
    OUTPATIENT_CHARGE = "2"
    ADMISSION = "3"
    INPATIENT_CHARGE = "4"
    ORDER_EXECUTED = "5"
    SETTLE = "6"
    PRESETTLE = "7"
    INPATIENT_SETTLE = "8"
    INPATIENT_PRESETTLE = "9"
    PHARMACY = "10"

    @property
    def during(self) -> bool:
        """Whether it belongs to 3102."""
        return int(self.value) > int(Trigger.ORDER_EXECUTED.value)


@dataclass(frozen=True, slots=True)
class AdviceQuestion:
    """One visit with its lines, as the oversight is asked about it."""

    visit: Visit
    patient_name: str
    sex: str
    birth_date: date | None
    institution_code: str
    institution_name: str
    institution_area: str
    lines: Sequence[ChargeLine]
    institution_level: str = ""


@dataclass(frozen=True, slots=True)
class RuleWarning:
    """One warning; `lines` are the numbers of the lines it is about."""

    rule_code: str
    rule_name: str
    text: str
    severity: str
    behaviour: str
    amount_fen: int
    lines: tuple[str, ...]


def advice(question: AdviceQuestion, trigger: Trigger) -> Call[tuple[RuleWarning, ...]]:
    """3101 or 3102, by the trigger."""
    said = {
        "syscode": question.institution_code,
        "patient_dtos": [_patient(question)],
        "rule_ids": [],
        "task_id": "",
        "trig_scen": trigger.value,
    }

    def read(output: Mapping[str, object], _profile: RegionProfile) -> tuple[RuleWarning, ...]:
        node = Node(output)
        return tuple(_warning(row) for row in node.nodes("result") or node.nodes("data"))

    operation = Operation.ADVICE_DURING if trigger.during else Operation.ADVICE_BEFORE
    return Call(
        operation,
        "3102" if trigger.during else "3101",
        {"data": said},
        read,
        insured_area=question.visit.insured_area,
    )


def _warning(row: Node) -> RuleWarning:
    details = row.nodes("judge_result_detail_dtos")
    return RuleWarning(
        rule_code=row.text("rule_id"),
        rule_name=row.text("rule_name"),
        text=row.text("vola_cont"),
        severity=row.text("sev_deg"),
        behaviour=row.text("vola_bhvr_type"),
        amount_fen=row.fen("vola_amt", required=False),
        lines=tuple(detail.text("rx_id") for detail in details if detail.has("rx_id")),
    )


def _patient(question: AdviceQuestion) -> dict[str, object]:
    visit = question.visit
    return {
        "patn_id": visit.person_no,
        "patn_name": question.patient_name,
        "gend": question.sex,
        "brdy": f"{question.birth_date:%Y-%m-%d}" if question.birth_date else "",
        "poolarea": visit.insured_area,
        "curr_mdtrt_id": visit.mdtrt_id,
        "fsi_encounter_dtos": [_encounter(question)],
        "fsi_his_data_dto": {},
    }


def _encounter(question: AdviceQuestion) -> dict[str, object]:
    visit = question.visit
    main = next((one for one in visit.diagnoses if one.main), None)
    return {
        "mdtrt_id": visit.mdtrt_id,
        "medins_id": question.institution_code,
        "medins_name": question.institution_name,
        "medins_admdvs": question.institution_area,
        "medins_type": "1",
        "medins_lv": question.institution_level,
        "adm_date": wire.moment(visit.begun_at),
        "dscg_date": wire.moment(visit.begun_at),
        "dscg_main_dise_codg": main.code if main else "",
        "dscg_main_dise_name": main.name if main else "",
        "fsi_diagnose_dtos": [
            {
                "dise_id": f"{visit.mdtrt_id}-{place}",
                "inout_dise_type": "1",
                "maindise_flag": wire.flag(one.main),
                "dias_srt_no": str(place),
                "dise_codg": one.code,
                "dise_name": one.name,
                "dise_date": wire.moment(one.at),
            }
            for place, one in enumerate(visit.diagnoses, 1)
        ],
        "dr_codg": visit.doctor_code,
        "adm_dept_codg": visit.department_code,
        "adm_dept_name": visit.department_name,
        "dscg_dept_codg": visit.department_code,
        "dscg_dept_name": visit.department_name,
        "med_mdtrt_type": "1",
        "med_type": visit.med_type,
        "fsi_order_dtos": [_order(visit, line) for line in question.lines],
        "matn_stas": "",
        "medfee_sumamt": wire.yuan(sum(line.amount_fen for line in question.lines)),
        "ownpay_amt": "0.00",
        "selfpay_amt": "0.00",
        "acct_payamt": "0.00",
        "ma_amt": "0.00",
        "hifp_payamt": "0.00",
        "setl_totlnum": "1",
        "insutype": visit.scheme.value,
        "reim_flag": "1",
        "out_setl_flag": "0",
        "fsi_operation_dtos": [],
    }


def _order(visit: Visit, line: ChargeLine) -> dict[str, object]:
    price = wire.plain(line.unit_price.quantize(Decimal("0.000001")).normalize(), 6)
    return {
        "rx_id": line.number,
        "rxno": line.prescription_no,
        "grpno": "",
        "long_drord_flag": "0",
        "hilist_type": "",
        "chrg_type": line.category,
        "drord_bhvr": "",
        "hilist_code": line.national_code,
        "hilist_name": line.name,
        "hilist_lv": "",
        "hilist_pric": price,
        "hosplist_code": line.hospital_code,
        "hosplist_name": line.name,
        "cnt": wire.plain(line.quantity, 4),
        "pric": price,
        "sumamt": wire.yuan(line.amount_fen),
        "ownpay_amt": "0.00",
        "selfpay_amt": "0.00",
        "spec": "",
        "spec_unt": "",
        "drord_begn_date": wire.moment(line.ordered_at),
        "drord_stop_date": "",
        "drord_dept_codg": line.ordering_department_code,
        "drord_dept_name": line.ordering_department_name,
        "drord_dr_codg": line.doctor_code,
        "drord_dr_name": line.doctor_name,
        "curr_drord_flag": "1",
    }
