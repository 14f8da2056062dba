"""Which merchant takes the money: only one whose institution's agreement is in term (Z1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.channels.base import Mode, Operation
from billing.models import Merchant, PayLink, PaymentInstitution
from billing.offers import Offer
from billing.selectors.merchants import merchants_open
from billing.services.collecting.pay_links import pay_link_choose
from billing.services.merchants import merchant_account
from billing.services.sweeps import transaction_resume
from core import clock
from core.errors import NotOffered
from tests import scripted
from tests.billing.services.bills import capture_of, driven, in_flight
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import campus

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
OUT_OF_TERM = {
    "suspended": {"suspended": True},
    "over": {"agreement_until": TODAY - DAY},
    "not_begun": {"agreement_from": TODAY + DAY},
}
out_of_term = pytest.mark.parametrize("changed", OUT_OF_TERM.values(), ids=OUT_OF_TERM.keys())


def institution(**changed: Any) -> None:
    """The one institution of the world, changed."""
    payments.merchant()
    assert PaymentInstitution.objects.update(**changed) == 1


@pytest.mark.parametrize(
    "term",
    [
        {"agreement_from": TODAY, "agreement_until": TODAY},
        {"agreement_from": TODAY},
        {"agreement_until": TODAY},
    ],
    ids=["one_day", "first_day", "last_day"],
)
def test_first_and_last_day_of_the_term_are_within(term: dict[str, Any]) -> None:
    institution(**term)
    assert [row.merchant_no for row in merchants_open()] == ["1900000001"]


@out_of_term
def test_an_institution_out_of_term_takes_nothing(changed: dict[str, Any]) -> None:
    institution(**changed)
    assert not merchants_open().exists()


def test_the_term_ends_at_midnight_of_the_hospital(still_clock: clock.FrozenClock) -> None:
    institution(agreement_until=TODAY)
    still_clock.advance(datetime(2026, 11, 20, 23, 59, 59, tzinfo=clock.ZONE) - clock.now())
    assert merchants_open().exists()
    still_clock.advance(timedelta(seconds=1))
    assert not merchants_open().exists()


def test_a_merchant_that_is_not_in_use_takes_nothing() -> None:
    payments.merchant(active=False)
    payments.merchant("1900000002")
    assert [row.merchant_no for row in merchants_open()] == ["1900000002"]


@out_of_term
def test_no_agreement_of_such_an_institution_is_tried(changed: dict[str, Any]) -> None:
    # given a signed agreement, and the institution's own one is not in term
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    institution(**changed)
    # when the bill is collected
    payments.collect(bill)
    driven(bill)
    # then nobody was called and the bill waits for another way
    assert (bill.status, bill.decline_code) == ("ISSUED", "no_agreement")
    assert scripted.CALLS == []


@out_of_term
def test_no_scan_and_no_order_is_made_with_it(changed: dict[str, Any]) -> None:
    institution(**changed)
    bill = invoice(1_000)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    driven(bill)
    assert (bill.status, bill.decline_code) == ("ISSUED", "not_offered")
    payments.collect(bill, "pay_link")
    driven(bill)
    with pytest.raises(NotOffered):
        pay_link_choose(
            token=PayLink.objects.get().token,
            offer=Offer("wechat_pay", Mode.NATIVE),
            payer_address="",
            form_key="K1",
        )
    assert scripted.CALLS == []


def test_what_was_taken_before_the_suspension_still_counts() -> None:
    # given a deduction in flight when its institution is suspended
    bill = in_flight(1_000)
    institution(suspended=True)
    # when the channel says that it succeeded
    scripted.script(Operation.QUERY, scripted.PAID)
    transaction_resume(transaction_id=capture_of(bill).pk)
    # then it pays the bill: suspending stops new money, not the truth about old
    bill.refresh_from_db()
    assert bill.status == "PAID"


def test_the_campus_own_merchant_comes_first_and_another_ones_never() -> None:
    main, east = campus(), campus("east", name="东院区")
    shared = payments.merchant("1900000001")
    payments.merchant("1900000002", campus=east)
    own = payments.merchant("1900000003", campus=main)
    assert list(merchants_open(campus_id=main.pk)) == [own, shared]
    assert list(merchants_open(channel="wechat_pay", campus_id=main.pk)) == [own, shared]
    assert merchants_open().count() == 3


def test_a_merchant_takes_for_its_channel_only() -> None:
    payments.merchant()
    assert not merchants_open(channel="alipay").exists()


def test_an_adapter_is_told_names_and_secrets_it_cannot_change(settings: Any) -> None:
    settings.PORTAL_URL = "https://pay.hospital.example"
    row = payments.merchant(secrets='{"api_v3_key": "k"}', base_url="https://api.example")
    account = merchant_account(Merchant.objects.get(pk=row.pk), channel="wechat_pay")
    assert (account.merchant_no, account.app_id) == ("1900000001", "wx0001")
    assert account.base_url == "https://api.example"
    assert account.notify_base_url == "https://pay.hospital.example"
    assert dict(account.secrets) == {"api_v3_key": "k"}
    assert "api_v3_key" not in repr(account)
    with pytest.raises(TypeError):
        account.secrets["api_v3_key"] = "other"  # type: ignore[index]


def test_cash_and_a_merchant_without_secrets_have_none() -> None:
    assert dict(merchant_account(None, channel="cash").secrets) == {}
    assert merchant_account(None, channel="cash").channel == "cash"
    assert dict(merchant_account(payments.merchant(), channel="wechat_pay").secrets) == {}
