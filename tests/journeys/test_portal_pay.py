"""A patient pays at home: one bill, the agreement they pick, and what they keep of it."""

from __future__ import annotations

import re

import httpx

from tests.fixtures.demo_process import Demo
from tests.fixtures.visitors import patient_in


def words(answer: httpx.Response) -> str:
    return re.sub(r"<[^>]+>|\s+", "", answer.text)


def test_a_patient_pays_at_home_by_the_agreement_they_pick(demo: Demo) -> None:
    # Given a bill nobody collected yet, and its patient signed in
    bill = demo.bill("P0015", 76_40)
    phone = next(one["phone"] for one in demo.facts["patients"] if one["mrn"] == "P0015")
    visitor = patient_in(demo.facts, str(phone))
    home = visitor.get("/")
    assert "¥76.40" in words(home) and "查看账单并支付" in words(home)
    [(pk,)] = demo.query("SELECT id FROM billing_invoice WHERE invoice_no = %s", bill.number)
    address = f"/bills/{pk}"
    assert f'href="{address}"' in home.text
    assert bill.number in words(visitor.get(address))

    # When they pick the agreement on the page of ways
    page = visitor.get(f"{address}/pay")
    way = next(iter(re.findall(r'value="(agreement-\d+)"', page.text)))
    led = visitor.post(f"{address}/pay", f"{address}/pay", way=way)

    # Then it is paid, they are told so, and the receipt is a PDF
    assert led.headers["location"] == f"{address}/result"
    assert demo.until(lambda: "已支付" in words(visitor.get(f"{address}/result")))
    assert demo.until(lambda: "已通知" in words(visitor.get(f"{address}/result")))
    assert demo.invoice(bill.number)["status"] == "PAID"
    receipt = visitor.get(f"{address}/receipt")
    assert receipt.headers["content-type"] == "application/pdf" and receipt.content[:5] == b"%PDF-"
    assert "¥76.40" in words(visitor.get("/messages"))
    # And nobody else's session opens any of it
    other = next(one["phone"] for one in demo.facts["patients"] if one["mrn"] == "P0003")
    stranger = patient_in(demo.facts, str(other))
    for suffix in ("", "/pay", "/code", "/result", "/window", "/receipt", "/rating"):
        assert stranger.get(f"{address}{suffix}").status_code == httpx.codes.NOT_FOUND, suffix
    demo.books_agree()
