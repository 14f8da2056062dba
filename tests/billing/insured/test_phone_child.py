"""The guardian's phone and the child's bill: one tap, the guardian's account, no cash to pay; and
every condition that keeps the account from paying, named to the guardian."""

from __future__ import annotations

import pytest

from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import Invoice
from billing.selectors.family_accounts import account_refused
from billing.selectors.payments import receivable_fen
from billing.services.insuring.phone import phone_begin
from core import clock
from core.errors import Conflict, NotOffered
from insurance.family import SENTENCES
from insurance.models import Claim, FamilyLink
from patients.actors import patient_actor
from patients.models import Notification, PatientAccess
from tests.billing.insured.phone import PHONE, Phone, phone_open
from tests.billing.insured.test_returning import part, returned
from tests.billing.insured.ward import FUND, Ward, movements, split_of
from tests.contracts.nhsa_claims import ADULT
from tests.contracts.nhsa_families import CHANGES, CHILD, child_open
from tests.contracts.nhsa_house import DRUG
from tests.factories import payments
from tests.fixtures.sandbox_process import Sandbox
from tests.proof import house as wechat

pytestmark = pytest.mark.django_db
COVERED = (3_325, 0, 6_675, 0, 0)
CASH = (3_325, 0, 0, 0, 6_675)
CART = (DRUG, 10_000)


class Guardian(Phone):
    """The phone of the child's guardian."""

    @property
    def access(self) -> PatientAccess:
        return PatientAccess.objects.get(user=self.user, relation="child")

    def allowed(self, bill: Invoice) -> Invoice:
        given = self.ward.sandbox.act("nhsa", "authorise_pay", CHILD, by=ADULT)
        bill.refresh_from_db()
        phone_begin(
            invoice=bill,
            pay_auth_no=given["pay_auth_no"],
            payer=FamilyLink.objects.get().payer,
            by=patient_actor(self.user),
        )
        return self.ward.driven(bill)


@pytest.fixture
def phone(sandbox: Sandbox, still_clock: clock.FrozenClock) -> Guardian:
    channel = wechat.house_open(sandbox, still_clock)
    openid = channel.wallet()
    child = child_open(sandbox)
    channel.advance(0)
    phone = phone_open(Ward(sandbox, child, channel, openid))
    payer = FamilyLink.objects.get().payer
    PatientAccess.objects.filter(patient=payer).update(user=phone.user)
    payments.access(child.encounter.patient, phone.user, "child", may_view=True)
    return Guardian(phone.ward, phone.user)


def even(phone: Guardian, bill: Invoice) -> dict[str, int]:
    """The ledger says what the insurer says; what that is."""
    report = ledger_check()
    assert (report.unbalanced, list(report.violations)) == (0, [])
    book = phone.ward.insurer.book()
    parts = {name: book[name] for name in ("fund", "own_account", "mutual_aid")}
    assert account_balance(FUND) == sum(parts.values())
    bill.refresh_from_db()
    assert receivable_fen(bill) == (0 if bill.status == "PAID" else bill.amount_fen)
    return parts


NOTHING = {"fund": 0, "own_account": 0, "mutual_aid": 0}
PAID = {"fund": 3_325, "own_account": 0, "mutual_aid": 6_675}


def test_the_guardians_tap_pays_all_from_the_guardians_account(phone: Guardian) -> None:
    bill = phone.ward.priced(CART)
    phone.allowed(bill)
    assert (bill.status, split_of(bill), movements(bill)) == ("PAID", COVERED, [])
    assert phone.claims(bill)[-1] == ("MOBILE", "SETTLED")
    assert even(phone, bill) == PAID
    codes = phone.ward.insurer.calls()
    assert codes.count("6202") == 1 and not {"2207", "2208"} & set(codes)
    # told once, however often the bill is looked at
    phone.ward.driven(bill)
    told = Notification.objects.filter(kind="covered")
    assert told.count() == told.values("user").distinct().count() == 1
    balance = phone.ward.sandbox.act("nhsa", "show_person", ADULT)["insuinfo"][0]["balc"]
    assert float(balance) == 5_008.81 - 66.75


@pytest.mark.parametrize("code", CHANGES)
def test_each_condition_is_named_to_the_guardian_and_no_account_pays(
    phone: Guardian, code: str
) -> None:
    bill = phone.ward.priced(CART)
    CHANGES[code](phone.ward.insurer)
    phone.allowed(bill)
    assert (bill.status, split_of(bill)) == ("ISSUED", CASH)
    said = account_refused(bill, phone.access)
    assert str(SENTENCES[code]) % {"limit": "¥5,008.80"} in said
    # what the account does not pay, the guardian's wallet does, named as a relative's payment
    action = phone.pressed(bill)
    assert '"mixTradeNo": "mx' in action.value
    assert phone.confirmed()["mix_pay_status"] == "MIX_PAY_SUCCESS"
    phone.heard(bill)
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 6_675)])
    assert even(phone, bill) == PAID | {"mutual_aid": 0}
    assert account_refused(bill, phone.access) == ()


def test_without_a_family_account_that_is_what_is_missing(phone: Guardian) -> None:
    payer = FamilyLink.objects.get().payer
    FamilyLink.objects.update(ended_at=clock.now())
    phone.ward.sandbox.act("nhsa", "unlink_family", ADULT, member=CHILD)
    bill = phone.ward.priced(CART)
    assert account_refused(bill, phone.access) == (str(SENTENCES["no_family_account"]),)
    given = phone.ward.sandbox.act("nhsa", "authorise_pay", CHILD, by=ADULT)
    by = patient_actor(phone.user)
    phone_begin(invoice=bill, pay_auth_no=given["pay_auth_no"], payer=payer, by=by)
    phone.ward.driven(bill)
    assert (bill.status, split_of(bill)) == ("ISSUED", CASH)


def test_only_who_allowed_it_confirms_it(phone: Guardian) -> None:
    bill = phone.ward.priced(CART)
    CHANGES["card_invalid"](phone.ward.insurer)
    phone.allowed(bill)
    other = phone_open_other(phone)
    with pytest.raises(NotOffered):
        other.pressed(bill)
    assert movements(bill) == []


def phone_open_other(phone: Guardian) -> Phone:
    ward = phone.ward
    return phone_open(Ward(ward.sandbox, ward.insurer, ward.channel, ward.channel.wallet()))


STEPS = [
    (operation, fault)
    for operation in ("mobile_upload", "mobile_order", "mobile_query", "query")
    for fault in ("drop_before", "drop_after", "bad_signature", "http_500_after")
    if (operation, fault) != ("query", "bad_signature")  # only the centre signs
]


@pytest.mark.parametrize(("operation", "fault"), STEPS)
def test_a_lost_answer_at_any_step_ends_paid_once(
    phone: Guardian, operation: str, fault: str
) -> None:
    bill = phone.ward.priced(CART)
    phone.ward.fault(operation, fault)
    phone.allowed(bill)
    again(phone, bill)
    assert (bill.status, split_of(bill), movements(bill)) == ("PAID", COVERED, [])
    assert even(phone, bill) == PAID
    assert phone.ward.insurer.calls().count("6202") <= 2


def test_while_nobody_knows_nothing_else_is_begun(phone: Guardian) -> None:
    bill = phone.ward.priced(CART)
    phone.ward.fault("mobile_order", "drop_after")
    silent = phone.ward.fault("mobile_query", "drop_before", times=50)
    phone.allowed(bill)
    for _look in range(4):
        phone.ward.later(11)
        phone.ward.driven(bill)
    assert (bill.status, phone.claims(bill)[-1]) == ("PRICING", ("MOBILE", "OPEN"))
    with pytest.raises((Conflict, NotOffered)):
        phone.pressed(bill, PHONE)
    phone.ward.sandbox.control("DELETE", f"faults/{silent}")
    again(phone, bill)
    assert (bill.status, even(phone, bill)) == ("PAID", PAID)
    assert phone.ward.insurer.calls().count("6202") == 1


def test_who_allows_it_anew_meanwhile_finds_it_settled(phone: Guardian) -> None:
    bill = phone.ward.priced(CART)
    phone.ward.fault("mobile_order", "drop_after")
    silent = phone.ward.fault("mobile_query", "drop_before", times=50)
    phone.allowed(bill)
    assert bill.status == "PRICING"
    phone.ward.sandbox.control("DELETE", f"faults/{silent}")
    phone.ward.later(31)
    with pytest.raises(Conflict):
        phone.allowed(bill)
    assert Claim.objects.latest("pk").status == "SETTLED"
    again(phone, bill)
    assert (bill.status, even(phone, bill)) == ("PAID", PAID)


def test_an_order_that_does_not_end_waits_and_is_paid_once(phone: Guardian) -> None:
    bill = phone.ward.priced(CART)
    standing = phone.ward.fault("mobile_order", "never_final", times=1)
    phone.allowed(bill)
    phone.ward.later(11)
    phone.ward.driven(bill)
    assert bill.status == "PRICING"
    phone.ward.sandbox.control("DELETE", f"faults/{standing}")
    again(phone, bill)
    assert (bill.status, even(phone, bill)) == ("PAID", PAID)


def again(phone: Guardian, bill: Invoice) -> None:
    """The sweeper comes by until the bill has its end."""
    for _look in range(6):
        bill.refresh_from_db()
        if bill.status == "PAID":
            return
        phone.ward.later(61)
        phone.ward.driven(bill)


def test_a_settlement_without_cash_is_given_back_whole(phone: Guardian) -> None:
    bill = phone.ward.priced(CART)
    phone.allowed(bill)
    returned(phone.ward, bill, part(bill, 0))
    bill.refresh_from_db()
    assert (bill.status, phone.claims(bill)[-1]) == ("REFUNDED", ("MOBILE", "REVERSED"))
    assert even_after(phone) == NOTHING


def even_after(phone: Guardian) -> dict[str, int]:
    book = phone.ward.insurer.book()
    return {name: book[name] for name in NOTHING}
