"""The long body of 6201: a visit, its diagnoses and its lines in the centre's camelCase."""

from __future__ import annotations

import re

from insurance.gateway.mobile.values import MobileBill
from insurance.gateway.nhsa import wire
from insurance.gateway.nhsa.lines import LineBatch, line_body
from insurance.gateway.nhsa.visits import diagnosis_bodies

_UNDERSCORE = re.compile(r"_([a-z])")


def camel(name: str) -> str:
    """det_item_fee_sumamt as the centre writes it: detItemFeeSumamt."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


def fees_body(bill: MobileBill) -> dict[str, object]:
    """Everything 6201 is told."""
    visit = bill.visit
    batch = LineBatch(
        visit.person_no, visit.mdtrt_id, bill.batch_no, visit.insured_area, visit.disease_code
    )
    return {
        "orgCodg": bill.institution_code,
        "orgId": "",
        "psnNo": visit.person_no,
        "insutype": visit.scheme.value,
        "medOrgOrd": bill.order_no,
        "initRxOrd": "",
        "rxCircFlag": "0",
        "begntime": wire.moment(visit.begun_at),
        "endtime": wire.moment(bill.ended_at),
        "idNo": bill.id_number,
        "userName": bill.patient_name,
        "idType": bill.id_kind,
        "ecToken": bill.token,
        "payAuthNo": bill.pay_auth_no,
        "insuCode": visit.insured_area,
        "insuplcAdmdvs": visit.insured_area,
        "mdtrtCertType": visit.credential.kind.value,
        "iptOtpNo": visit.visit_no,
        "atddrNo": visit.doctor_code,
        "drName": visit.doctor_name,
        "deptCode": visit.department_code,
        "deptName": visit.department_name,
        "caty": visit.department_kind,
        "mdtrtId": visit.mdtrt_id,
        "medType": visit.med_type,
        "feeType": bill.fee_kind,
        "medfeeSumamt": wire.yuan(bill.total_fen),
        "acctUsedFlag": wire.flag(bill.use_account),
        "mainCondDscr": visit.complaint,
        "diseCodg": visit.disease_code,
        "diseName": visit.disease_name,
        "psnSetlway": "01",
        "chrgBchno": bill.batch_no,
        "invono": bill.invoice_no,
        "uldLatlnt": bill.location,
        "diseinfoList": [_camelled(row) for row in diagnosis_bodies(visit)],
        "feedetailList": [_camelled(line_body(batch, line)) for line in bill.lines],
    }


def _camelled(row: dict[str, object]) -> dict[str, object]:
    return {camel(name): value for name, value in row.items()}
