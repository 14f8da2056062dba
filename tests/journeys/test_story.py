"""The story: a treated patient's bill pays itself, and what is returned comes back."""

from __future__ import annotations

import time
from typing import Any

from tests.fixtures.demo_process import Demo

PAYER, NAME = "P0001", "陈秀兰"
# Code, quantity, fen of the line: real items of the catalogue, ¥441.98 in all.
ITEMS = (
    ("001101000010000", "1", 1_00),
    ("001102000020000", "1", 18_00),
    ("001204000060000", "2", 11_00),
    ("003107010010000", "1", 8_80),
    ("002504040010000", "1", 22_00),
    ("00250101015", "1", 9_00),
    ("00250102023", "1", 3_00),
    ("002103000010000", "1", 330_00),
    ("XN07XXD130E002010102774", "7", 22_68),
    ("XG03CAP097F002010100085", "1", 16_50),
)
TOTAL, BACK = 441_98, 39_18
# What a payer's message must never carry: department, doctor, diagnosis, items, the whole name.
PRIVATE = (NAME, "内科", "医生", "急性", "感冒", "挂号", "心电图", "癌胚抗原", "丁苯酞", "乳膏")


def shown(demo: Demo, title: str, number: str) -> dict[str, Any]:
    """The one message of this title about the bill on the payer's phone."""
    found = demo.until(
        lambda: [
            row for row in demo.messages(PAYER, number[-6:]) if row["params"]["title"] == title
        ]
    )
    assert len(found) == 1
    return found[0]


def sums(demo: Demo, merchant: str = "1900000001") -> tuple[int, int]:
    book = demo.control("GET", "books")["wechat_pay"][merchant]
    return book["captured"]["fen"], book["refunded"]["fen"]


def test_bill_pays_itself_and_two_charges_come_back(demo: Demo) -> None:
    # Given a visit that the HIS registered, with ten real charges on one bill
    orders = [{"code": code, "quantity": quantity} for code, quantity, _fen in ITEMS]
    opened = demo.act("his", "visit", PAYER, charges=orders, collect=False)
    number = opened["invoice_no"]
    assert [one["amount_fen"] for one in opened["charges"]] == [fen for *_item, fen in ITEMS]
    assert (opened["amount_fen"], opened["status"]) == (TOTAL, "ISSUED")
    captured_before, refunded_before = sums(demo)

    # When the HIS collects
    started = time.monotonic()
    answer = demo.collect(number, wait_s=3)
    # Then it is paid at the HIS within 3 s: answered, pushed, and there to be paged
    assert answer["result"] == "paid"
    own = demo.until(lambda: of_his(demo, number, "PAID"), 3 - (time.monotonic() - started))
    assert time.monotonic() - started <= 3
    assert (own["amount_fen"], own["notices"]) == (TOTAL, 2)
    assert demo.event_types(number) == ["priced", "paid"]
    [payment] = answer["invoice"]["payments"]
    assert (payment["channel"], payment["status"]) == ("wechat_pay", "SUCCEEDED")
    assert payment["amount_fen"] == answer["invoice"]["paid_fen"] == TOTAL
    assert sums(demo) == (captured_before + TOTAL, refunded_before)

    # And the payer's phone shows it, with nothing that is nobody's business
    message = shown(demo, "医院账单已从您的账户扣款", number)
    assert message["params"]["hospital"] == "云溪市第一医院"
    assert message["params"]["name"] == "陈*兰"
    assert message["params"]["amount"] == "¥441.98"
    told = "".join(message["params"].values()) + message["url"]
    assert [word for word in PRIVATE if word in told] == []
    assert number not in told

    # When two of the ten are returned
    lines = [{"charge_no": opened["charges"][place]["charge_no"]} for place in (8, 9)]
    returned = demo.act("his", "return_goods", number, lines=lines)
    # Then exactly their amount comes back, once, and everybody hears of it
    assert (returned["amount_fen"], returned["answer"]["status"]) == (BACK, "accepted")
    assert demo.until(lambda: demo.invoice(number)["refunded_fen"]) == BACK
    after = demo.invoice(number)
    assert (after["status"], after["paid_fen"]) == ("PARTLY_REFUNDED", TOTAL)
    assert after["ledger"] == {"receivable_fen": 0, "refund_payable_fen": 0}
    assert demo.until(lambda: "refunded" in demo.event_types(number))
    assert demo.event_types(number) == ["priced", "paid", "refund_accepted", "refunded"]
    assert [one["seq"] for one in demo.events(number)] == [1, 2, 3, 4]
    assert shown(demo, "医院有一笔退款", number)["params"]["amount"] == "¥39.18"
    assert sums(demo) == (captured_before + TOTAL, refunded_before + BACK)

    assert booked(demo, number) == {
        "clearing/wechat_pay/1900000001": TOTAL - BACK,
        "medical_revenue": BACK - TOTAL,
        "patient_receivable": 0,
        "refund_payable": 0,
    }
    demo.books_agree()


def booked(demo: Demo, number: str) -> dict[str, int]:
    """What the ledger holds of one bill, by account."""
    query = """
        SELECT a.code, sum(p.amount_fen)::bigint FROM ledger_posting p
        JOIN ledger_entry e ON e.id = p.entry_id JOIN ledger_account a ON a.id = p.account_id
        JOIN billing_invoice i ON i.id = e.invoice_id WHERE i.invoice_no = %s GROUP BY a.code"""
    return dict(demo.query(query, number))


def of_his(demo: Demo, number: str, status: str) -> dict[str, Any] | None:
    """The sandbox HIS's own row of a bill, once its state is this."""
    rows = [one for one in demo.rows("his") if one["number"] == number]
    return next((one for one in rows if one["status"] == status), None)


def test_childs_bill_is_paid_by_the_parents_agreement(demo: Demo) -> None:
    # Given a child without an agreement, whose mother's agreement pays for both
    had = demo.act("payer", "show_wallet", "oDemoP0003")["balance_fen"]
    bill = demo.bill("P0016", 86_40, 12_05)
    # When the HIS collects
    answer = demo.collect(bill.number)
    # Then the mother's wallet paid it, and her phone tells her so about the child
    assert answer["result"] == "paid"
    assert had - demo.act("payer", "show_wallet", "oDemoP0003")["balance_fen"] == 98_45
    [message] = demo.until(lambda: demo.messages("P0003", bill.number[-6:]))
    assert (message["params"]["name"], message["params"]["amount"]) == ("王*宝", "¥98.45")
    demo.books_agree()
