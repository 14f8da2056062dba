"""Family pays for family, with nobody touching a phone; and what happens when that has ended."""

from __future__ import annotations

import pytest

from tests.e2e.demo.conftest import Signed, Taps
from tests.e2e.demo.relatives import Relatives
from tests.e2e.demo.walker import Walker
from tests.fixtures.demo_process import Demo

pytestmark = pytest.mark.browser


def test_mothers_bill_is_paid_by_the_daughters_agreement(
    signed: Signed, mother: Walker, house: Demo
) -> None:
    # Given two phones in two bags, and a bill of the mother's
    daughter = signed.who
    daughter.taps = mother.taps = 0
    bill = house.bill(mother.one.mrn, 120_00, 36_80)
    # When the hospital's system collects it
    answer = house.collect(bill.number)
    # Then it is paid, by WeChat, and nobody did anything
    assert answer["result"] == "paid", answer
    assert house.invoice(bill.number)["status"] == "PAID"
    assert (daughter.taps, mother.taps) == (0, 0)
    # And both are told on their phones, without a word of what it was for
    tail = bill.number[-6:]
    for who in (daughter, mother):
        [told] = house.until(lambda one=who: one.notices(tail))
        assert told["amount"] == "¥156.80"
        said = " ".join(told.values())
        assert not [word for word in ("肿瘤", "内科", "鼻咽炎", "诊查") if word in said]
        who.open("/messages")
        assert "¥156.80" in who.words
        who.open(f"{house.sandbox}/phone/of/{who.one.openid}/messages")
        assert "156.80" in who.words
        who.picture("told-daughter" if who is daughter else "told-mother")
    mother.open("/messages")
    mother.picture("messages-elder")
    daughter.open("/messages")
    daughter.picture("messages")


def test_alipay_pays_for_the_child(signed: Signed, house: Demo, relatives: Relatives) -> None:
    bill = house.bill(relatives.child.mrn, 45_50)
    assert house.collect(bill.number)["result"] == "paid"
    tail = bill.number[-6:]
    [told] = house.until(lambda: signed.who.notices(tail))
    assert told["amount"] == "¥45.50"
    signed.who.open(f"/agreements/{signed.alipay}/deductions")
    assert "¥45.50" in signed.who.words
    signed.who.open("/family")
    assert "今天已支付¥45.50" in signed.who.words
    signed.who.picture("family-paid")


def test_ended_in_the_wallet_the_next_bill_waits_on_the_phone(
    signed: Signed, mother: Walker, house: Demo, taps: Taps
) -> None:
    # Given the daughter, who closes WeChat's agreement in the wallet
    daughter = signed.who
    daughter.open(f"{house.sandbox}/phone/of/{daughter.one.openid}/agreements")
    daughter.press("关闭免密支付")
    daughter.page.get_by_text("已关闭").first.wait_for()
    assert house.until(lambda: _ended(daughter, signed.wechat)), daughter.words
    daughter.picture("unsigned")
    # When the mother's next bill is collected
    bill = house.bill(mother.one.mrn, 66_00)
    answer = house.collect(bill.number)
    # Then it waits, and the mother has the link
    assert answer["result"] == "action_required", answer
    tail = bill.number[-6:]
    [told] = house.until(lambda: mother.notices(tail))
    # And from the message to the paid bill she presses twice here, and once in her wallet
    mother.begin(told["link"])
    assert "¥66.00" in mother.words
    mother.picture("link-elder")
    mother.tap("支付")
    mother.tap(mother.page.locator(".bar button"))
    here = mother.taps
    if mother.path.endswith("/code"):
        _scanned(mother, house, bill.number)
    else:
        mother.page.wait_for_url(f"{house.sandbox}/phone/**")
        mother.page.locator("select").select_option(mother.one.openid)
        mother.tap(mother.page.locator("button[value=yes]"))
        mother.page.get_by_role("link", name="返回商家").click()
    mother.page.get_by_role("heading", name="已支付").wait_for()
    mother.picture("link-paid-elder")
    assert house.invoice(bill.number)["status"] == "PAID"
    taps("from the message to the wallet", here, 2)
    assert mother.faults == [] and daughter.faults == []


def _ended(who: Walker, agreement: str) -> bool:
    who.open(f"/agreements/{agreement}")
    return "在支付账户里解约" in who.words


def _scanned(who: Walker, house: Demo, number: str) -> None:
    """A desk shows a code; the phone beside it scans and confirms."""
    assert who.page.locator(".qr").is_visible()
    [(code,)] = house.query(
        "SELECT t.action->>'value' FROM billing_paymenttransaction t JOIN billing_payment p "
        "ON p.id = t.payment_id JOIN billing_invoice i ON i.id = p.invoice_id "
        "WHERE i.invoice_no = %s",
        number,
    )
    house.act("payer", "open_pay_link", who.one.openid, link=code)
    house.act("payer", "confirm", who.one.openid)
