"""The portal's institution at the sandbox's insurance platform, and one visit there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core import clock
from insurance.gateway.base import Answer, Call
from insurance.gateway.claim_values import ChargeLine, SettlementReference, SettleOrder
from insurance.gateway.credential import Terminal, code_decode
from insurance.gateway.nhsa import lines, people, visits
from insurance.gateway.visit_values import Credential, Diagnosis, Person, Scheme, Visit
from insurance.models import Institution, InsuranceRegion
from insurance.selectors import institution_of
from insurance.services.exchange import message_send
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox

ADULT, NAME = "330300198206180010", "王芳"
SERVICE, DRUG, EXCLUDED = "001102000010000", "ZA04CAE0023010100166", "001101000010000"
TERMINAL = Terminal("A03", "内科")


def institution(sandbox: Sandbox, style: str = "signed_base") -> Institution:
    """The first house of the sandbox, reached in one of the two styles."""
    told = sandbox.nhsa
    gate, mobile = told["gd"], told["mobile"]
    base = gate["base_url"] if style == "signed_base" else told["rio_fsi"]["base_url"]
    region = InsuranceRegion.objects.create(
        area=told["mdtrtarea_admvs"],
        name="沙盒统筹区",
        style=style,
        base_url=base,
        mobile_url=mobile["base_url"],
        credential_url=told["ec"]["url"],
        receiver_code=told["recer_sys_code"],
        interface_version=told["infver"],
        sign_type=told["signtype"],
        med_types=["11", "14"],
        mobile_version=mobile["version"],
        secrets=json.dumps(
            {
                "paas_id": gate["paasid"],
                "secret_key": gate["secret_key"],
                "api_key": told["rio_fsi"]["apikey"],
                "mobile_app_id": mobile["app_id"],
                "mobile_app_secret": mobile["app_secret"],
                "mobile_private_key": mobile["private_key"],
                "mobile_platform_key": mobile["platform_public_key"],
            }
        ),
    )
    campus = patients.campus(institution_code=told["fixmedins_code"])
    Institution.objects.create(
        campus=campus,
        region=region,
        name=told["fixmedins_name"],
        operator_code="D001",
        operator_name="测试",
    )
    return institution_of(campus.pk)


def line(number: str, code: str, fen: int) -> ChargeLine:
    return ChargeLine(
        number=number,
        national_code=code,
        hospital_code=f"H{number}",
        name="测试项目",
        category="09",
        amount_fen=fen,
        quantity=Decimal(1),
        unit_price=Decimal(fen) / 100,
        ordered_at=clock.now(),
        ordering_department_code="A03",
        ordering_department_name="内科",
        doctor_code="D330300000001",
        doctor_name="李医生",
        prescription_no="RX1",
    )


@dataclass
class Desk:
    """Steps of an insured visit, each through the exchange."""

    sandbox: Sandbox
    institution: Institution
    person: Person | None = None
    credential: Credential | None = None
    visit: Visit | None = None
    batch: lines.LineBatch | None = None
    sent: list[Answer[Any]] = field(default_factory=list)

    def say(self, call: Call[Any]) -> Answer[Any]:
        answer = message_send(institution=self.institution, call=call, subject="claim:1")
        self.sent.append(answer)
        return answer

    def enrol(self, balance_fen: int = 0, **more: Any) -> str:
        given = {
            "name": NAME, "sex": "female", "birth_date": "1982-06-18",
            "balance_fen": balance_fen, "insuplc_admdvs": "330300",
        }  # fmt: skip
        shown = self.sandbox.act("nhsa", "enrol_person", ADULT, **given | more)
        return str(shown["baseinfo"]["psn_no"])

    def identify(self, psn_no: str) -> Person:
        """Show the code, decode it, ask who it is."""
        code = self.sandbox.act("nhsa", "show_insurance_code", psn_no)["code"]
        self.credential = self.say(code_decode(code, TERMINAL)).known.credential
        self.person = self.say(people.person(self.credential)).known
        return self.person

    def begin(self, number: str = "OP1", **values: Any) -> Visit:
        assert self.person is not None and self.credential is not None
        filled: dict[str, Any] = {
            "person_no": self.person.person_no,
            "credential": self.credential,
            "scheme": Scheme.EMPLOYEE,
            "visit_no": number,
            "begun_at": clock.now(),
            "doctor_code": "D330300000001",
            "doctor_name": "李医生",
            "department_code": "A03",
            "department_name": "内科",
            "department_kind": "A03",
            "med_type": "11",
            "insured_area": "330300",
            "diagnoses": (
                Diagnosis("J00.x00", "急性鼻咽炎", True, "内科", "D330300000001", "李医生",
                          clock.now()),
            ),
        }  # fmt: skip
        unregistered = Visit(**filled | values)
        mdtrt_id = self.say(visits.register(unregistered)).known
        self.visit = Visit(**filled | values | {"mdtrt_id": mdtrt_id})
        self.say(visits.visit_tell(self.visit)).known  # noqa: B018
        return self.visit

    def charge(self, *charged: tuple[str, int], batch: str = "B1") -> tuple[Any, ...]:
        assert self.visit is not None
        self.batch = lines.LineBatch(
            self.visit.person_no, self.visit.mdtrt_id, batch, self.visit.insured_area
        )
        rows = [line(f"{batch}-{n}", code, fen) for n, (code, fen) in enumerate(charged)]
        results: tuple[Any, ...] = ()
        for call in lines.lines_send(self.batch, rows, lines_per_call=2):
            results += self.say(call).known
        return results

    def order(self, total_fen: int, **values: Any) -> SettleOrder:
        assert self.visit is not None and self.batch is not None
        filled: dict[str, Any] = {
            "person_no": self.visit.person_no,
            "credential": self.visit.credential,
            "scheme": self.visit.scheme,
            "med_type": self.visit.med_type,
            "total_fen": total_fen,
            "mdtrt_id": self.visit.mdtrt_id,
            "batch_no": self.batch.batch_no,
            "use_account": True,
            "insured_area": self.visit.insured_area,
        }
        return SettleOrder(**filled | values)

    def reference(self, settlement_no: str = "") -> SettlementReference:
        assert self.visit is not None
        visit = self.visit
        return SettlementReference(
            visit.person_no, visit.mdtrt_id, visit.insured_area, settlement_no
        )


def desk_open(sandbox: Sandbox, style: str = "signed_base") -> Desk:
    return Desk(sandbox, institution(sandbox, style))
