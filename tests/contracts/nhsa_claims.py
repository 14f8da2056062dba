"""A patient with a bill at the sandbox's hospital, and the claim that is made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from core import clock
from core.actors import Actor
from insurance.gateway.claim_values import ChargeLine, Split
from insurance.gateway.credential import code_decode
from insurance.models import Claim
from insurance.policy import POLICY
from insurance.services.claims import claim_open, claim_price, claim_resume
from insurance.services.credentials import credential_hold
from insurance.services.exchange import message_send
from patients.models import Encounter
from tests.contracts.nhsa_house import (
    ADULT,
    DRUG,
    EXCLUDED,
    NAME,
    SERVICE,
    TERMINAL,
    institution,
    line,
)
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox

CLERK = Actor("staff", "C1", "收费员")
DIAGNOSES = [{"code": "J00.x00", "name": "急性鼻咽炎", "main": True}]
# 甲 10.00 and 乙 32.50 at 0.05, 丙 1.00: in scope 40.87, of which 0.60 is 24.52.
CART = ((SERVICE, 1_000), (DRUG, 3_250), (EXCLUDED, 100))
CART_FEN = 4_350
CART_SPLIT = Split(
    fund_fen=2_452, own_account_fen=500, mutual_aid_fen=0, hospital_part_fen=0, cash_fen=1_398
)


@dataclass
class House:
    """One insured patient in one visit."""

    sandbox: Sandbox
    psn_no: str
    encounter: Encounter
    bills: int = 0

    def show_code(self, psn_no: str = "") -> None:
        """The patient shows the code, which is decoded and held for the visit."""
        code = self.sandbox.act("nhsa", "show_insurance_code", psn_no or self.psn_no)["code"]
        answer = message_send(
            institution=self.encounter.campus.institution,
            call=code_decode(code, TERMINAL),
            subject="test",
        )
        credential_hold(encounter=self.encounter, identity=answer.known, by=CLERK)

    def open(self, *charged: tuple[str, int], ref: int = 0, **values: Any) -> Claim:
        """The claim of a bill over these items."""
        self.bills += 1
        rows = [charge(f"{self.bills}-{n}", *one) for n, one in enumerate(charged or CART)]
        return claim_open(
            invoice_ref=ref or self.bills,
            encounter=self.encounter,
            lines=values.pop("lines", rows),
            med_type=values.pop("med_type", "11"),
            by=CLERK,
            **values,
        )

    def priced(self, *charged: tuple[str, int], **values: Any) -> Claim:
        """A claim whose trial succeeded."""
        claim = self.open(*charged, **values)
        assert claim_price(claim_id=claim.pk).state == "PRICED"
        return again(claim)

    def fault(self, operation: str, fault: str, **how: Any) -> str:
        return self.sandbox.fault(operation, fault, "nhsa", **{"times": 1} | how)

    def book(self) -> dict[str, int]:
        """What the insurer believes, in fen."""
        book = self.sandbox.book("nhsa", self.sandbox.nhsa["fixmedins_code"])
        return {name: row["fen"] for name, row in book.items()}

    def calls(self) -> list[str]:
        """The transactions said to the insurer, in order."""
        from_log = self.encounter.campus.institution.messages.order_by("pk")
        return list(from_log.values_list("code", flat=True))


def charge(number: str, code: str, fen: int, price: str = "") -> ChargeLine:
    """One of an item, or as many at a price as make the amount."""
    row = line(number, code, fen)
    if not price:
        return row
    return replace(row, unit_price=Decimal(price), quantity=Decimal(fen) / 100 / Decimal(price))


def again(claim: Claim) -> Claim:
    return Claim.objects.select_related("coverage", "visit").get(pk=claim.pk)


def house_open(
    sandbox: Sandbox,
    *,
    balance_fen: int = 500,
    used_fen: int = 60_000,
    style: str = "signed_base",
    **coverage: Any,
) -> House:
    """An adult whose deductible is used up, in a visit, with the code shown."""
    place = institution(sandbox, style)
    shown = sandbox.act(
        "nhsa", "enrol_person", ADULT, name=NAME, sex="female", birth_date="1982-06-18",
        balance_fen=balance_fen, **coverage,
    )  # fmt: skip
    psn_no = str(shown["baseinfo"]["psn_no"])
    scheme = coverage.get("insutype", "310")
    sandbox.act("nhsa", "set_used", psn_no, insutype=scheme, deductible_fen=used_fen)
    person = patients.patient(number=ADULT, name=NAME, birth_date=date(1982, 6, 18))
    encounter = patients.encounter(
        of=person,
        campus=place.campus,
        self_pay=False,
        diagnoses=DIAGNOSES,
        doctor_national_code="D330300000001",
    )
    house = House(sandbox, psn_no, encounter)
    house.show_code()
    return house


def later(claim: Claim, seconds: int = POLICY.sending_s + 1) -> None:
    """The sweeper comes by when nobody can still be sending."""
    clock_now = clock.now() + timedelta(seconds=seconds)
    with clock.freeze(clock_now):
        claim_resume(claim_id=claim.pk)


def fund(house: House) -> tuple[int, int]:
    book = house.book()
    return book["fund"], book["own_account"]
