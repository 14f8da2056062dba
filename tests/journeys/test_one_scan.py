"""One scan of the insurance code at the HIS's console: insured, settled, and the own part paid."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.fixtures.demo_life import CLIENT
from tests.fixtures.demo_process import Demo

PERSON, OPENID = "P0008", "oDemoP0008"
OTHER = "P0007"
OUTPATIENT, CT = "001102000010000", "002103000010000"
DIGITS = re.compile(r'<p class="digits">([\d ]{28,})</p>')


def wallet_code(demo: Demo, mrn: str) -> str:
    """The digits on the page of the insurance wallet, in groups as they are shown there."""
    [who] = [one for one in demo.facts["patients"] if one["mrn"] == mrn]
    number = demo.act("nhsa", "show_person", who["id_no"])["psn_no"]
    found = DIGITS.search(CLIENT.get(f"{demo.sandbox}/nhsa/phone/{number}").text)
    assert found is not None
    return found[1]


def press(demo: Demo, path: str, **fields: str) -> httpx.Response:
    return CLIENT.post(f"{demo.sandbox}/his/{path}", data=fields, follow_redirects=True)


def registered(demo: Demo, code: str, button: str = "one_code") -> httpx.Response:
    """The form as it opens, the wish to pay alone still ticked, and the code scanned into it."""
    goods = {f"q_{OUTPATIENT}": "1", f"q_{CT}": "1", "self_pay": "1"}
    return press(demo, "visits", mrn=PERSON, insurance_code=code, **{button: "1"}, **goods)


def bill_of(demo: Demo, page: httpx.Response) -> dict[str, Any]:
    found = re.search(r"账单 (I\w+)", page.text)
    assert found is not None, page.text
    assert demo.until(lambda: demo.invoice(found[1])["status"] in ("PAID", "ISSUED"))
    return demo.invoice(found[1])


def test_one_scan_at_the_console_insures_settles_and_pays(demo: Demo) -> None:
    # given somebody insured with money in the wallet, and a scanner that ends with Enter
    demo.act("payer", "set_balance", OPENID, balance_fen=1_000_00, free_fen=1_000_00)
    # when the code on her phone is scanned once
    page = registered(demo, wallet_code(demo, PERSON), "collect")
    # then the visit is insured, settled, and the same code paid what is left to pay
    bill = bill_of(demo, page)
    assert (bill["status"], bill["amount_fen"]) == ("PAID", 340_00)
    split = bill["split"]
    assert sum(split.values()) == 340_00
    assert 0 < split["cash_fen"] < 340_00
    assert bill["claim"]["settlement_no"]
    [payment] = [one for one in bill["payments"] if one["status"] == "SUCCEEDED"]
    assert (payment["channel"], payment["amount_fen"]) == ("wechat_pay", split["cash_fen"])
    left = demo.act("payer", "show_wallet", OPENID)["balance_fen"]
    assert left == 1_000_00 - split["cash_fen"]
    # and the console asked for one thing after the other, each once, and says how it went
    encounter = str(page.url).rsplit("/", 1)[1]
    said = re.findall(r"<b>([^<]+)</b> <span class=\"small nb\">", page.text)
    assert said == ["登记就诊", "发送 2 条收费", "开具账单", "收费"]
    asked = press(demo, f"visits/{encounter}/refresh", no=bill["invoice_no"])
    assert "医保统筹" in asked.text
    demo.books_agree()


def test_what_is_no_insurance_code_registers_nothing(demo: Demo) -> None:
    before = demo.query("SELECT count(*) FROM his_visit", sandbox=True)
    for code, said in (("", "请先扫病人的医保码"), ("134567890123456789", "这不是医保码")):
        page = registered(demo, code)
        assert (page.status_code, said in page.text) == (400, True)
    assert demo.query("SELECT count(*) FROM his_visit", sandbox=True) == before


def test_somebody_elses_code_takes_nothing_and_the_own_one_ends_it(demo: Demo) -> None:
    # given the code of the wrong phone: the visit stands, the bill is to pay
    demo.act("payer", "set_balance", OPENID, balance_fen=1_000_00, free_fen=1_000_00)
    page = registered(demo, wallet_code(demo, OTHER))
    assert "医保码不是本次就诊病人的" in page.text
    bill = bill_of(demo, page)
    assert (bill["status"], bill["payments"]) == ("ISSUED", [])
    # when the right one is scanned at the bill
    encounter = str(page.url).rsplit("/", 1)[1]
    code = wallet_code(demo, PERSON)
    press(demo, f"visits/{encounter}/refresh", no=bill["invoice_no"])
    press(demo, f"visits/{encounter}/collect", no=bill["invoice_no"], insurance_code=code)
    # then it is settled and paid
    assert demo.until(lambda: demo.invoice(bill["invoice_no"])["status"] == "PAID")
    assert demo.invoice(bill["invoice_no"])["split"]["cash_fen"] < 340_00
    demo.books_agree()
