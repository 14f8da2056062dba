"""A guardian whose insurance account pays a child's bill by one tap on the guardian's phone."""

from __future__ import annotations

from datetime import date

from billing.models import Invoice
from billing.services.insuring.phone import phone_begin
from core.actors import Actor
from insurance.models import FamilyLink, FamilyRule
from insurance.services.family import family_account_link
from patients.actors import patient_actor
from tests.billing.insured.phone import Phone
from tests.billing.insured.ward import Ward
from tests.contracts import nhsa_claims
from tests.factories import patients, payments
from tests.proof.insured import Hospital

BORN, NAME = date(2018, 3, 15), "王小明"
ENOUGH_FEN, THRESHOLD_FEN, USED_FEN = 500_881, 500_880, 20_000


class Guardian(Phone):
    """The phone of a guardian; the ward is the child's."""

    def allowed(self, bill: Invoice) -> Invoice:
        link = FamilyLink.objects.select_related("payer", "member").get(
            member=self.ward.visit.patient
        )
        member, payer = link.member.id_number, link.payer.id_number
        given = self.ward.sandbox.act("nhsa", "authorise_pay", member, by=payer)
        bill.refresh_from_db()
        phone_begin(
            invoice=bill,
            pay_auth_no=given["pay_auth_no"],
            payer=link.payer,
            by=patient_actor(self.user),
        )
        return self.ward.driven(bill)


def guardian(house: Hospital) -> Guardian:
    """A child in a visit of its own, whose guardian has filed the family account here."""
    _rule(house)
    own = house.patient(ENOUGH_FEN)
    payer = own.ward.visit.patient
    payments.access(payer, own.user)
    number = patients.id_number(house.seen, born=BORN, region="330300")
    child = patients.patient(number=number, name=NAME, birth_date=BORN, guardian=payer)
    house.sandbox.act(
        "nhsa", "enrol_person", number, name=NAME, sex="male", birth_date=BORN.isoformat(),
        insutype="390", enrolled_by=payer.id_number, card_no=f"C{house.seen:07}", card_valid=True,
    )  # fmt: skip
    visit = patients.encounter(
        of=child, campus=house.place.campus, self_pay=False, diagnoses=nhsa_claims.DIAGNOSES,
        doctor_national_code="D330300000001",
    )  # fmt: skip
    by = Actor("patient", f"user-{own.user.pk}", "")
    family_account_link(payer=payer, member=child, relation="child", by=by)
    house.sandbox.act("nhsa", "set_used", number, insutype="390", deductible_fen=USED_FEN)
    payments.access(child, own.user, "child", may_view=True)
    insurer = nhsa_claims.House(house.sandbox, number, visit)
    insurer.show_code()
    ward = Ward(house.sandbox, insurer, house.channel, own.ward.openid)
    return Guardian(ward, own.user, own.forms)


def _rule(house: Hospital) -> None:
    """The region's words on family accounts, said once."""
    region = house.place.region
    if region.family_accounts:
        return
    region.family_accounts = True
    region.save()
    FamilyRule.objects.create(
        region=region, valid_from=date(2018, 1, 1), child_threshold_fen=THRESHOLD_FEN,
        relations=["child", "spouse"], basis="上年度平均工资的5%",
    )  # fmt: skip
