"""2201, 2202 and 2203A: a visit opens, is taken back, gets its diagnoses; 5201 lists visits."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Entitlement, Settlement, Visit
from sandbox.nhsa.numbers import moment, visit_number
from sandbox.nhsa.people import coverage_of, credential_check, person_of
from sandbox.nhsa.refusal import Refused

# Outpatient kinds of care; 14 and what begins with it is a filed chronic disease.
MED_TYPES = ("11", "12", "13", "14", "140104", "140201", "140401", "41", "51", "9901")
CHRONIC = "14"
INSUTYPES = ("310", "390")
REGISTERED = ("atddr_no", "dr_name", "dept_code", "dept_name", "caty")


def visit_find(call: Call, data: Fields, *, lock: bool = False) -> Visit:
    """The visit a message means: of this institution, of this person, not taken back."""
    person = person_of(call, data)
    rows = Visit.objects.select_related("person", "coverage", "institution")
    if lock:
        rows = rows.select_for_update(of=("self",))
    visit = rows.filter(mdtrt_id=data.need("mdtrt_id", 30), institution=call.institution).first()
    if visit is None:
        raise Refused("未找到就诊信息，请先挂号（2201）")
    if visit.person_id != person.pk:
        raise Refused("就诊信息不属于该参保人员")
    if visit.coverage.insuplc_admdvs != call.insuplc:
        raise Refused("参保地医保区划与挂号时不一致")
    if visit.cancelled_at is not None:
        raise Refused("挂号已撤销")
    return visit


def register(call: Call) -> Output:
    """2201"""
    data = call.data()
    person = person_of(call, data)
    coverage = coverage_of(person, data.choice("insutype", INSUTYPES), call.insuplc)
    cert_type, cert_no = credential_check(call.institution, person, data)
    begin = data.moment("begntime")
    if begin > call.now.replace(hour=23, minute=59, second=59, microsecond=999999):
        raise Refused("开始时间不能晚于今天")
    if begin.date() < coverage.psn_insu_date:
        raise Refused("就诊时间早于参保时间")
    number = data.need("ipt_otp_no", 30)
    try:
        with transaction.atomic():
            visit = Visit.objects.create(
                mdtrt_id=visit_number(),
                institution=call.institution,
                person=person,
                coverage=coverage,
                ipt_otp_no=number,
                cert_type=cert_type,
                cert_no=cert_no,
                begntime=begin,
                registered={name: data.need(name, 50) for name in REGISTERED},
                created_at=call.now,
            )
    except IntegrityError as error:
        raise Refused(f"住院/门诊号{number}已登记") from error
    return {
        "data": {
            "mdtrt_id": visit.mdtrt_id,
            "psn_no": person.psn_no,
            "ipt_otp_no": number,
            "exp_content": "",
        }
    }


def register_cancel(call: Call) -> Output:
    """2202: only while nothing of the visit is settled or waits for it."""
    data = call.data()
    visit = visit_find(call, data, lock=True)
    if data.need("ipt_otp_no", 30) != visit.ipt_otp_no:
        raise Refused("住院/门诊号与挂号时不一致")
    if visit.settlements.filter(
        kind=Settlement.Kind.SETTLE, state=Settlement.State.STANDS
    ).exists():
        raise Refused("已有结算，不能撤销挂号")
    if visit.lines.exists():
        raise Refused("请先撤销费用明细（2205）")
    visit.cancelled_at = call.now
    visit.save(update_fields=["cancelled_at"])
    return {}


def visits_query(call: Call) -> Output:
    """5201: the person's visits here in a time; those taken back are none."""
    data = call.data()
    person = person_of(call, data)
    rows = Visit.objects.filter(
        person=person,
        institution=call.institution,
        cancelled_at=None,
        begntime__gte=data.moment("begntime"),
        begntime__lte=data.moment("endtime"),
    )
    if data.text("mdtrt_id", 30):
        rows = rows.filter(mdtrt_id=data.text("mdtrt_id", 30))
    if data.text("med_type", 6):
        rows = rows.filter(med_type=data.text("med_type", 6))
    return {
        "mdtrtinfo": [
            {
                "psn_no": person.psn_no,
                "mdtrt_id": one.mdtrt_id,
                "ipt_otp_no": one.ipt_otp_no,
                "med_type": one.med_type,
                "begntime": moment(one.begntime),
            }
            for one in rows.order_by("pk")
        ]
    }


def visit_info(call: Call) -> Output:
    """2203A: kind of care and diagnoses; sent again it replaces what was sent."""
    data = call.data("mdtrtinfo")
    visit = visit_find(call, data, lock=True)
    med_type = data.choice("med_type", MED_TYPES)
    data.moment("begntime")
    disease = data.text("dise_codg", 30)
    if med_type.startswith(CHRONIC):
        if not disease:
            raise Refused("门诊慢特病必须填写病种编码（dise_codg）")
        if not chronic_filed(visit, disease):
            raise Refused(f"参保人员未备案门诊慢特病病种{disease}")
    standing = visit.settlements.filter(kind=Settlement.Kind.SETTLE, state=Settlement.State.STANDS)
    if standing.exists() and (visit.med_type, visit.dise_codg) != (med_type, disease):
        raise Refused("已有结算，不能修改医疗类别和病种")
    visit.med_type, visit.dise_codg = med_type, disease
    visit.diagnoses = [diagnosis_of(row) for row in call.input.rows("diseinfo", 50)]
    visit.save(update_fields=["med_type", "dise_codg", "diagnoses"])
    return {}


def diagnosis_of(row: Fields) -> dict[str, str]:
    row.moment("diag_time")
    return {
        "diag_type": row.choice("diag_type", ("1", "2", "3")),
        "diag_srt_no": str(row.whole("diag_srt_no")),
        "diag_code": row.need("diag_code", 30),
        "diag_name": row.need("diag_name", 100),
        "diag_dept": row.need("diag_dept", 50),
        "dise_dor_no": row.need("dise_dor_no", 30),
        "dise_dor_name": row.need("dise_dor_name", 50),
        "vali_flag": row.choice("vali_flag", ("0", "1")),
    }


def chronic_filed(visit: Visit, disease: str) -> bool:
    at = visit.begntime.date()
    rows = visit.person.entitlements.filter(
        kind=Entitlement.Kind.CHRONIC, code=disease, revoked_at=None, begndate__lte=at
    )
    return rows.exclude(enddate__lt=at).exists()
