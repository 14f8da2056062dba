"""What happens when the agreement does not pay: the link does, and nothing is taken twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.demo_process import OPENID, Bill, Demo
from tests.journeys.payer import Payer


def paid_orders(demo: Demo, bill: Bill) -> list[tuple[str, int]]:
    """What the channel believes about one bill's orders: its state and fen, oldest first."""
    query = "SELECT t.number FROM billing_paymenttransaction t JOIN billing_payment p "
    query += "ON p.id = t.payment_id JOIN billing_invoice i ON i.id = p.invoice_id "
    query += "WHERE i.invoice_no = %s ORDER BY t.id"
    numbers = [row[0] for row in demo.query(query, bill.number)]
    theirs = {row["number"]: row for row in demo.rows("wechat_pay")}
    return [(theirs[no]["status"], theirs[no]["amount_fen"]) for no in numbers if no in theirs]


def no_money(demo: Demo) -> tuple[str, str]:
    demo.act("payer", "set_balance", "oDemoP0005", balance_fen=86_39)
    return "P0005", "not_enough_money"


def over_limit(demo: Demo) -> tuple[str, str]:
    return "P0011", "agreement_limit"


def unsigned(demo: Demo) -> tuple[str, str]:
    """The user ends the agreement at WeChat, and nobody has told us yet."""
    demo.fault("unsign", "lose_notice", times=1)
    [contract] = demo.act("payer", "show_wallet", "oDemoP0006")["contracts"]
    demo.act("payer", "unsign", "oDemoP0006", contract_id=contract["contract_id"])
    return "P0006", "agreement_ended"


@pytest.mark.parametrize("why", [no_money, over_limit, unsigned])
def test_declined_agreement_falls_to_the_link_and_is_paid_there(demo: Demo, why: Any) -> None:
    # Given an agreement that will not pay ¥501.00
    mrn, code = why(demo)
    bill = demo.bill(mrn, 500_99, 1)

    # When the HIS collects
    answer = demo.collect(bill.number)
    # Then the bill waits on the phone, and nothing was taken
    assert answer["result"] == "action_required"
    assert answer["invoice"]["ledger"]["receivable_fen"] == 501_00
    assert answer["reason"] == code
    assert answer["action"]["type"] == "url"
    assert not any(status == "SUCCESS" for status, _fen in paid_orders(demo, bill))
    waiting = demo.until(lambda: message(demo, mrn, bill, "您有一张医院账单待支付"))
    assert waiting["url"] == answer["action"]["value"]
    assert waiting["params"]["amount"] == "¥501.00"

    # When the payer opens it, chooses WeChat and types the password
    demo.act("payer", "set_balance", OPENID.format(mrn=mrn), balance_fen=501_00)
    payer = Payer(answer["action"]["value"])
    assert "501.00" in payer.read()
    order = demo.act("payer", "confirm", OPENID.format(mrn=mrn), link=payer.choose("wechat_pay.h5"))
    # Then that paid it, once
    assert (order["amount_fen"], order["status"]) == (501_00, "SUCCESS")
    assert demo.until(lambda: demo.invoice(bill.number)["status"] == "PAID")
    assert payer.result() == "已支付"
    taken = [fen for status, fen in paid_orders(demo, bill) if status == "SUCCESS"]
    assert taken == [501_00]
    assert demo.until(lambda: "paid" in demo.event_types(bill.number))
    assert demo.event_types(bill.number) == ["priced", "action_required", "paid"]
    demo.books_agree()


def message(demo: Demo, mrn: str, bill: Bill, title: str) -> dict[str, Any] | None:
    found = demo.messages(mrn, bill.number[-6:])
    return next((row for row in found if row["params"]["title"] == title), None)


# Whose bill, which faults strike its deduction, the wallet, how it ends, the orders then known.
LOST = ("drop_after", "lose_notice")
UNKNOWNS = (
    ("P0007", LOST, 1000_00, "PAID", "SUCCESS"),
    ("P0008", ("drop_before",), 1000_00, "PAID", "SUCCESS"),
    ("P0009", LOST, 1, "ISSUED", "CLOSED"),
    ("P0010", ("never_final",), 1000_00, "PAID", "SUCCESS"),
)


def collect_struck(demo: Demo, mrn: str, faults: tuple[str, ...], had_fen: int) -> Bill:
    """A bill whose deduction has met its faults and whose end nobody knows yet."""
    demo.act("payer", "set_balance", OPENID.format(mrn=mrn), balance_fen=had_fen)
    bill = demo.bill(mrn, 77_07)
    first, *_others = [demo.fault("capture", name, times=1) for name in faults]
    demo.collect(bill.number, wait_s=0)
    assert demo.until(lambda: first in struck(demo))
    return bill


def struck(demo: Demo) -> list[str]:
    return [one["id"] for one in demo.control("GET", "faults") if one["struck"]]


def test_unknown_is_waited_for_and_nothing_is_taken_twice(demo: Demo) -> None:
    # Given deductions whose end is unknown: answer lost, call lost, declined unheard, never final
    bills = [collect_struck(demo, mrn, faults, fen) for mrn, faults, fen, *_end in UNKNOWNS]
    # When the HIS presses again: it joins what is running
    for bill in bills:
        assert demo.collect(bill.number, wait_s=0)["result"] in ("processing", "paid")
    assert demo.invoice(bills[-1].number)["status"] == "COLLECTING"
    # And what was held back at the channel goes on
    demo.control("DELETE", "faults")

    # Then each comes to its end, with one order at the channel, of exactly the amount
    for bill, (mrn, _faults, had_fen, end, order) in zip(bills, UNKNOWNS, strict=True):
        assert demo.until(lambda no=bill.number, to=end: demo.invoice(no)["status"] == to)
        assert paid_orders(demo, bill) == [(order, 77_07)]
        types = demo.event_types(bill.number)
        assert types.count("paid") == (end == "PAID")
        assert types.count("action_required") == (end == "ISSUED")
        left = demo.act("payer", "show_wallet", OPENID.format(mrn=mrn))["balance_fen"]
        assert had_fen - left == (77_07 if end == "PAID" else 0)
    demo.books_agree()
