"""2501 and 2503 with their cancellations, and 5304: care elsewhere, chronic disease."""

from __future__ import annotations

from datetime import date, timedelta

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Entitlement, Person
from sandbox.nhsa.numbers import day, filing_number
from sandbox.nhsa.people import coverage_of, person_of, pool_of
from sandbox.nhsa.refusal import Refused

# refl_type as this platform reads it (the national table was not found): transfer to another place,
# living there for long, an emergency there.
WAYS = {"1": "transfer", "2": "long_term", "3": "emergency"}
A_YEAR = timedelta(days=365)


def _dates(data: Fields) -> tuple[date, date]:
    begin = data.day("begndate")
    end = data.day_or_none("enddate") or begin + A_YEAR
    if end < begin:
        raise Refused("结束日期早于开始日期")
    return begin, end


def cross_region_file(call: Call) -> Output:
    """2501: once filed for a place and time it is not filed twice."""
    data = call.data("refmedin")
    person = person_of(call, data)
    coverage = coverage_of(person, data.need("insutype", 6), call.insuplc)
    data.need("tel", 50)
    region = data.need("mdtrtarea_admdvs", 6)
    if pool_of(region) == pool_of(coverage.insuplc_admdvs):
        raise Refused("就医地与参保地相同，无需异地备案")
    way = WAYS[data.choice("refl_type", tuple(WAYS))]
    begin, end = _dates(data)
    name = data.text("refl_rea", 100)
    row = _file(
        person,
        kind=Entitlement.Kind.CROSS_REGION,
        code=way,
        name=name,
        region=region,
        dates=(begin, end),
    )
    return {"result": {"trt_dcla_detl_sn": row.number, "begndate": day(begin), "enddate": day(end)}}


def cross_region_query(call: Call) -> Output:
    """5304: what of care elsewhere stands for the person, also what was filed at other places."""
    person = person_of(call, call.data())
    codes = {way: code for code, way in WAYS.items()}
    rows = person.entitlements.filter(kind=Entitlement.Kind.CROSS_REGION, revoked_at=None)
    return {
        "refmedin": [
            {
                "psn_no": person.psn_no,
                "trt_dcla_detl_sn": one.number,
                "refl_type": codes.get(one.code, one.code),
                "refl_rea": one.name,
                "mdtrtarea_admdvs": one.region,
                "begndate": day(one.begndate),
                "enddate": day(one.enddate),
            }
            for one in rows.order_by("pk")
        ]
    }


def chronic_file(call: Call) -> Output:
    """2503"""
    data = call.data()
    person = person_of(call, data)
    coverage_of(person, data.need("insutype", 6), call.insuplc)
    code, name = data.need("opsp_dise_code", 30), data.need("opsp_dise_name", 100)
    data.need("diag_dr_codg", 30)
    data.day("hosp_ide_date")
    begin, end = _dates(data)
    row = _file(
        person,
        kind=Entitlement.Kind.CHRONIC,
        code=code,
        name=name,
        region="",
        dates=(begin, end),
    )
    return {"result": {"trt_dcla_detl_sn": row.number, "begndate": day(begin), "enddate": day(end)}}


def _file(
    person: Person,
    *,
    kind: Entitlement.Kind,
    code: str,
    name: str,
    region: str,
    dates: tuple[date, date],
) -> Entitlement:
    begin, end = dates
    standing = Entitlement.objects.filter(
        person=person, kind=kind, code=code, region=region, revoked_at=None, begndate__lte=end
    ).exclude(enddate__lt=begin)
    if standing.exists():
        raise Refused("已有有效的备案，不能重复备案")
    return Entitlement.objects.create(
        person=person,
        kind=kind,
        code=code,
        name=name,
        region=region,
        number=filing_number(),
        begndate=begin,
        enddate=end,
    )


def filing_cancel(kind: Entitlement.Kind, call: Call) -> Output:
    """2502 and 2504: by the number of the filing."""
    data = call.data()
    person = person_of(call, data)
    changed = Entitlement.objects.filter(
        person=person, kind=kind, number=data.need("trt_dcla_detl_sn", 40), revoked_at=None
    ).update(revoked_at=call.now)
    if not changed:
        raise Refused("未找到备案，或已撤销")
    return {}


def cross_region_cancel(call: Call) -> Output:
    return filing_cancel(Entitlement.Kind.CROSS_REGION, call)


def chronic_cancel(call: Call) -> Output:
    return filing_cancel(Entitlement.Kind.CHRONIC, call)
