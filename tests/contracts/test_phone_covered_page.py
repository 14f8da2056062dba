"""On the phone's pages: a bill insurance pays whole, a child's bill by its guardian, an unpriced
bill; each with what its reader is told."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from billing.models import Invoice
from core import clock
from insurance.models import Claim, Coverage, FamilyLink, HeldCredential, InsuranceRegion
from patients.models import Notification, Patient, PatientAccess
from tests.billing.insured.phone import Phone, phone_open
from tests.billing.insured.test_phone_child import CART, CASH, COVERED, Guardian, phone
from tests.billing.insured.ward import Ward, even, movements, split_of, ward_open
from tests.billing.portal_house import signed_in, text_of
from tests.contracts.nhsa_claims import ADULT
from tests.contracts.nhsa_families import CHANGES, CHILD
from tests.contracts.nhsa_house import SERVICE
from tests.contracts.test_pay_pages import WECHAT
from tests.contracts.test_phone_insurance_page import allowed, pressed
from tests.factories import payments
from tests.fixtures.sandbox_process import CLIENT, Sandbox

__all__ = ["phone"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(sandbox: Sandbox, still_clock: clock.FrozenClock) -> Phone:
    """An insured patient whose own account holds more than the bill."""
    phone = phone_open(ward_open(sandbox, still_clock, balance_fen=50_000))
    asks_on_the_phone(phone.ward)
    payments.access(phone.ward.visit.patient, phone.user)
    return phone


def asks_on_the_phone(ward: Ward) -> None:
    InsuranceRegion.objects.update(authorise_url=ward.sandbox.nhsa["ec"]["authorise_url"])


def at_home(phone: Phone, scheme: str = "390", cart: tuple[str, int] = CART) -> Invoice:
    """A bill of a patient whose code nobody showed: the insurer waits for a proof."""
    HeldCredential.objects.all().delete()
    Coverage.objects.update_or_create(
        patient=phone.ward.visit.patient, scheme=scheme, insured_area="330300",
        defaults={"state": "1", "person_no": "P1", "checked_at": clock.now()},
    )  # fmt: skip
    bill = phone.ward.priced(cart)
    assert (bill.status, bill.unpriced) == ("ISSUED", True)
    return bill


def test_what_insurance_pays_whole_is_settled_by_allowing_it(rich: Phone) -> None:
    bill = at_home(rich, "310", (SERVICE, 1_000))
    reader = signed_in(rich.user, WECHAT)
    back = allowed(rich, reader, bill, rich.ward.insurer.psn_no)
    assert reader.get(back).headers["Location"] == f"/bills/{bill.pk}"
    rich.ward.driven(bill)
    assert (bill.status, split_of(bill), movements(bill)) == ("PAID", (600, 400, 0, 0, 0), [])
    assert rich.claims(bill)[-1] == ("MOBILE", "SETTLED")
    result = text_of(reader.get(f"/bills/{bill.pk}/result"))
    assert "已支付" in result and "¥0.00" not in result
    assert Notification.objects.filter(kind="covered").count() == 1
    # its receipt is called by the bill, for no payment of ours has a number
    receipt = reader.get(f"/bills/{bill.pk}/receipt")
    assert receipt.content[:5] == b"%PDF-"
    assert f'"{bill.invoice_no}.pdf"' in receipt.headers["Content-Disposition"]
    even(rich.ward, bill)


def test_a_bill_without_an_own_part_is_settled_by_one_press(rich: Phone) -> None:
    bill = rich.ward.priced((SERVICE, 1_000))
    reader = signed_in(rich.user, WECHAT)
    assert "确认结算" in text_of(reader.get(f"/bills/{bill.pk}"))
    assert reader.get(f"/bills/{bill.pk}/pay").headers["Location"] == f"/bills/{bill.pk}"
    for _press in range(2):  # pressed again it stays paid, and is settled once
        answer = reader.post(f"/bills/{bill.pk}/pay", {"way": "confirm", "form_key": "K1"})
        assert answer.headers["Location"] == f"/bills/{bill.pk}/result"
        rich.ward.driven(bill)
        assert (bill.status, movements(bill)) == ("PAID", [])
    assert rich.ward.insurer.calls().count("2207") == 1
    even(rich.ward, bill)


def test_where_the_centre_waits_to_be_confirmed_the_hall_settles(rich: Phone) -> None:
    code = rich.ward.sandbox.nhsa["fixmedins_code"]
    rules = rich.ward.sandbox.act
    rules("nhsa", "set_rules", code, cashless_waits=True)
    bill = rich.ward.priced((SERVICE, 1_000))
    rich.allowed(bill)
    rules("nhsa", "set_rules", code, cashless_waits=False)
    assert (bill.status, rich.claims(bill)[-1]) == ("ISSUED", ("FSI", "PRICED"))
    assert (split_of(bill), movements(bill)) == ((600, 400, 0, 0, 0), [])
    assert rich.ward.books()["fund"] == 0


def test_a_bill_with_an_own_part_is_not_confirmed_for_nothing(rich: Phone) -> None:
    rich.ward.sandbox.act("nhsa", "set_coverage", rich.ward.insurer.psn_no, balance_fen=0)
    bill = rich.ward.priced((SERVICE, 1_000))
    reader = signed_in(rich.user, WECHAT)
    answer = reader.post(f"/bills/{bill.pk}/pay", {"way": "confirm", "form_key": "K1"})
    bill.refresh_from_db()
    assert (answer.status_code, bill.status, bill.cash_fen) == (409, "ISSUED", 400)
    assert rich.ward.insurer.calls().count("2207") == 0


def guardian_allows(reader: Client, bill: Invoice, child: str, payer: str) -> str:
    """At the insurer's page the guardian allows it for the child; the address it leads back to."""
    assert pressed(reader, bill, "insured") == f"/bills/{bill.pk}/insured"
    page = reader.get(f"/bills/{bill.pk}/insured").headers["Location"]
    shown = CLIENT.get(page).text
    assert "由家人" in shown
    done = CLIENT.post(page, data={"person": child, "payer": payer})
    return re.sub(r"^https?://[^/]+", "", done.headers["location"])


def numbers(phone: Guardian) -> tuple[str, str]:
    act = phone.ward.sandbox.act
    shown = [act("nhsa", "show_person", one)["baseinfo"]["psn_no"] for one in (CHILD, ADULT)]
    return str(shown[0]), str(shown[1])


def test_a_guardian_pays_the_childs_bill_by_one_tap(phone: Guardian) -> None:
    asks_on_the_phone(phone.ward)
    bill = at_home(phone)
    reader = signed_in(phone.user, WECHAT)
    ways = text_of(reader.get(f"/bills/{bill.pk}/pay"))
    assert "在这部手机上使用医保" in ways and "孩子" in ways
    back = guardian_allows(reader, bill, *numbers(phone))
    assert reader.get(back).headers["Location"] == f"/bills/{bill.pk}"
    phone.ward.driven(bill)
    assert (bill.status, split_of(bill), movements(bill)) == ("PAID", COVERED, [])
    assert "已支付" in text_of(reader.get(f"/bills/{bill.pk}/result"))


def test_what_keeps_the_account_from_paying_stands_on_the_guardians_page(phone: Guardian) -> None:
    asks_on_the_phone(phone.ward)
    bill = at_home(phone)
    CHANGES["card_not_linked"](phone.ward.insurer)
    CHANGES["balance_not_above"](phone.ward.insurer)
    reader = signed_in(phone.user, WECHAT)
    reader.get(guardian_allows(reader, bill, *numbers(phone)))
    phone.ward.driven(bill)
    assert (bill.status, split_of(bill)) == ("ISSUED", CASH)
    for page in (f"/bills/{bill.pk}", f"/bills/{bill.pk}/pay"):
        said = text_of(reader.get(page))
        assert "孩子的社保卡还没有绑定" in said and "¥5,008.80" in said
        assert "/family/insurance" in reader.get(page).content.decode()
    # another reader of the same bill reads nothing of the guardian's account
    other = payments.user()
    payments.access(phone.ward.visit.patient, other, "child", may_view=True)
    assert "¥5,008.80" not in text_of(signed_in(other, WECHAT).get(f"/bills/{bill.pk}"))


def test_the_guardians_way_is_the_guardians_alone(phone: Guardian) -> None:
    asks_on_the_phone(phone.ward)
    bill = at_home(phone)
    words = "在这部手机上使用医保"
    PatientAccess.objects.filter(relation="child").update(may_pay=False)
    reader = signed_in(phone.user, WECHAT)
    assert words not in text_of(reader.get(f"/bills/{bill.pk}"))
    assert reader.get(f"/bills/{bill.pk}/insured").status_code == 404
    # nor where the insurer cannot know the guardian
    PatientAccess.objects.filter(relation="child").update(may_pay=True)
    Patient.objects.filter(pk=FamilyLink.objects.get().payer_id).update(id_type="09")
    assert words not in text_of(signed_in(phone.user, WECHAT).get(f"/bills/{bill.pk}/pay"))
    assert [row.route for row in Claim.objects.all()] == ["FSI"]


def test_an_unpriced_bill_names_no_own_part(rich: Phone) -> None:
    rich.ward.fault("presettle", "drop_before", times=9)
    bill = rich.ward.priced((SERVICE, 1_000))
    for _again in range(3):
        rich.ward.later(4)
        rich.ward.driven(bill)
    assert (bill.status, bill.unpriced) == ("ISSUED", True)
    reader = signed_in(rich.user, WECHAT)
    for page in ("/", "/bills", f"/bills/{bill.pk}", f"/bills/{bill.pk}/pay"):
        said = text_of(reader.get(page))
        assert "您需支付¥10.00" not in said and "支付¥10.00" not in said, page
