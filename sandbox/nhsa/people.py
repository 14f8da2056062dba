"""Persons as the platform knows them: found by credential, shown by 1101, enrolled by actions."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.nhsa.credentials import token_person
from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Coverage, Entitlement, Institution, Person, Visit
from sandbox.nhsa.numbers import day, yuan
from sandbox.nhsa.refusal import Refused
from sandbox.world import clock

E_CREDENTIAL, ID_CARD, SOCIAL_CARD = "01", "02", "03"
CERTS = (E_CREDENTIAL, ID_CARD, SOCIAL_CARD)
NOBODY = "未查询到参保人员信息"


def pool_of(region: str) -> str:
    """The pool of a place: its prefecture."""
    return f"{region[:4]}00"


def person_of(call: Call, data: Fields) -> Person:
    """The person a message names by number; the place of insurance must be told and be right."""
    person = Person.objects.filter(psn_no=data.need("psn_no", 30)).first()
    if person is None:
        raise Refused(NOBODY)
    if not call.insuplc:
        raise Refused("参保地医保区划不能为空")
    if not person.coverages.filter(insuplc_admdvs=call.insuplc).exists():
        raise Refused("参保地医保区划与参保信息不一致")
    return person


def by_credential(institution: Institution, cert_type: str, cert_no: str) -> Person:
    """Who a credential belongs to."""
    if cert_type == E_CREDENTIAL:
        return token_person(institution, cert_no)
    rows = Person.objects.filter(card_no=cert_no, card_valid=True)
    if cert_type == ID_CARD:
        rows = Person.objects.filter(certno=cert_no.upper())
    person = rows.first()
    if person is None:
        raise Refused(NOBODY)
    return person


def credential_check(institution: Institution, person: Person, data: Fields) -> tuple[str, str]:
    """The credential of a call must be living and this person's."""
    cert_type = data.choice("mdtrt_cert_type", CERTS)
    cert_no = data.need("mdtrt_cert_no", 50)
    if by_credential(institution, cert_type, cert_no).pk != person.pk:
        raise Refused("就诊凭证与参保人员不一致，不能结算")
    return cert_type, cert_no


def visit_credential_check(visit: Visit, data: Fields) -> None:
    """Trial and settlement use the credential of the registration."""
    given = credential_check(visit.institution, visit.person, data)
    if given != (visit.cert_type, visit.cert_no):
        raise Refused("就诊凭证与挂号时不一致")


def coverage_of(person: Person, insutype: str, insuplc: str) -> Coverage:
    """The scheme named, where it is living."""
    found = person.coverages.filter(insutype=insutype, insuplc_admdvs=insuplc).first()
    if found is None:
        raise Refused(f"参保人员没有险种{insutype}的参保信息")
    if found.psn_insu_stas != Coverage.ACTIVE:
        raise Refused("参保状态不正常，不能享受医保待遇")
    return found


def info(call: Call) -> Output:
    """1101: who it is, every row of insurance, every standing identity."""
    data = call.data()
    cert_type = data.choice("mdtrt_cert_type", CERTS)
    person = by_credential(call.institution, cert_type, data.need("mdtrt_cert_no", 50))
    if cert_type == SOCIAL_CARD:
        data.need("card_sn", 32)
    certno, name = data.text("certno", 50), data.text("psn_name", 50)
    if (certno and certno.upper() != person.certno) or (name and name != person.name):
        raise Refused("姓名或证件号码与就诊凭证不一致")
    at = data.moment("begntime").date() if data.text("begntime") else call.now.date()
    return person_json(person, at)


def person_json(person: Person, at: date) -> dict[str, Any]:
    rescue = person.entitlements.filter(
        kind=Entitlement.Kind.RESCUE, revoked_at=None, begndate__lte=at
    ).exclude(enddate__lt=at)
    return {
        "baseinfo": base_json(person, at),
        "insuinfo": [coverage_json(one) for one in person.coverages.order_by("insutype", "pk")],
        "idetinfo": [
            {
                "psn_idet_type": one.code,
                "psn_type_lv": "",
                "memo": one.name,
                "begntime": day(one.begndate),
                "endtime": day(one.enddate),
            }
            for one in rescue.order_by("pk")
        ],
    }


def base_json(person: Person, at: date) -> dict[str, Any]:
    return {
        "psn_no": person.psn_no,
        "psn_cert_type": person.psn_cert_type,
        "certno": person.certno,
        "psn_name": person.name,
        "gend": person.gend,
        "naty": "01",
        "brdy": day(person.birthday),
        "age": age_of(person, at),
        "exp_content": "",
    }


def age_of(person: Person, at: date) -> int:
    born = person.birthday
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def coverage_json(one: Coverage) -> dict[str, Any]:
    return {
        "balc": yuan(one.balance_fen),
        "insutype": one.insutype,
        "psn_type": one.psn_type,
        "psn_insu_stas": one.psn_insu_stas,
        "psn_insu_date": day(one.psn_insu_date),
        "paus_insu_date": day(one.paus_insu_date),
        "cvlserv_flag": one.cvlserv_flag,
        "insuplc_admdvs": one.insuplc_admdvs,
        "emp_name": one.emp_name,
    }


def today() -> date:
    return clock.now().date()
