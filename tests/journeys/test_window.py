"""The window: a scanned code, a password asked for, a payer who walks away, and cash."""

from __future__ import annotations

from tests.fixtures.demo_process import OPERATOR, Demo

PAYER, OPENID = "P0013", "oDemoP0013"


def code_of(demo: Demo) -> str:
    return str(demo.act("payer", "show_code", OPENID)["auth_code"])


def test_scanned_code_pays_at_once(demo: Demo) -> None:
    # Given a payer whose phone shows a payment code
    demo.act("payer", "set_balance", OPENID, balance_fen=500_00, free_fen=1000_00)
    bill = demo.bill(PAYER, 19_80, 1)
    # When the cashier scans it
    answer = demo.collect(bill.number, "scan", auth_code=code_of(demo))
    # Then that paid exactly the bill
    assert answer["result"] == "paid"
    assert demo.act("payer", "show_wallet", OPENID)["balance_fen"] == 500_00 - 19_81
    demo.books_agree()


def test_password_asked_for_and_typed(demo: Demo) -> None:
    # Given a sum above what this wallet pays without a password
    demo.act("payer", "set_balance", OPENID, balance_fen=500_00, free_fen=10_00)
    bill = demo.bill(PAYER, 10_01)
    # When the code is scanned
    answer = demo.collect(bill.number, "scan", auth_code=code_of(demo), wait_s=1)
    assert answer["result"] == "processing"
    [waiting] = demo.act("payer", "show_wallet", OPENID)["waiting"]
    assert waiting["amount_fen"] == 10_01
    # And the payer types it
    demo.act("payer", "confirm", OPENID)
    # Then the bill is paid, though a scanned payment has no notice
    assert demo.until(lambda: demo.invoice(bill.number)["status"] == "PAID")
    assert demo.event_types(bill.number) == ["priced", "paid"]
    demo.books_agree()


def test_password_never_typed_is_reversed(demo: Demo) -> None:
    # Given a payer who is asked for the password and walks away
    demo.act("payer", "set_balance", OPENID, balance_fen=500_00, free_fen=10_00)
    bill = demo.bill(PAYER, 33_33)
    answer = demo.collect(bill.number, "scan", auth_code=code_of(demo), wait_s=1)
    assert answer["result"] == "processing"
    # When the time for it is over
    demo.control("POST", "clock", {"advance_s": 60})
    # Then the order is reversed, the bill is to be paid again, and nothing was taken
    assert demo.until(lambda: demo.invoice(bill.number)["status"] == "ISSUED")
    assert demo.act("payer", "show_wallet", OPENID)["waiting"] == []
    assert demo.act("payer", "show_wallet", OPENID)["balance_fen"] == 500_00
    assert demo.until(lambda: "declined" in demo.event_types(bill.number))
    # And cash at the same window ends it
    assert demo.collect(bill.number, "cash")["result"] == "paid"
    demo.books_agree()


def test_wrong_codes(demo: Demo) -> None:
    bill = demo.bill(PAYER, 5_00)
    body = {"request_no": demo.number("R"), "method": "scan", "operator": OPERATOR}
    # Given what is no payment code at all: refused before anything is sent
    answer = demo.his(
        "POST", f"invoices/{bill.number}/collect", {**body, "auth_code": "6901234567892"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "auth_code")
    # Given the form of one that WeChat never gave out: declined, with the channel's reason
    answer = demo.collect(bill.number, "scan", auth_code="134567890123456789")
    assert (answer["result"], answer["reason"]) == ("declined", "code_invalid")
    # Given one that was used before: declined, and its payer pays nothing more
    demo.act("payer", "set_balance", OPENID, balance_fen=500_00, free_fen=1000_00)
    used, other = code_of(demo), demo.bill(PAYER, 7_00)
    assert demo.collect(other.number, "scan", auth_code=used)["result"] == "paid"
    assert demo.collect(bill.number, "scan", auth_code=used)["result"] == "declined"
    assert demo.act("payer", "show_wallet", OPENID)["balance_fen"] == 493_00
    assert demo.invoice(bill.number)["status"] == "ISSUED"
    demo.books_agree()


def test_cash_fills_the_drawer_by_exactly_the_bill(demo: Demo) -> None:
    # Given a drawer
    before = drawers(demo)
    bill = demo.bill("P0014", 1_000_00, 3)
    # When the cashier takes cash
    answer = demo.collect(bill.number, "cash")
    # Then it holds the bill to the fen, and the HIS knows
    assert answer["result"] == "paid"
    assert answer["invoice"]["payments"][0]["channel"] == "cash"
    assert drawers(demo) - before == 1_000_03
    assert demo.until(lambda: demo.event_types(bill.number) == ["priced", "paid"])
    demo.books_agree()


def drawers(demo: Demo) -> int:
    query = """
        SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM ledger_posting p
        JOIN ledger_account a ON a.id = p.account_id WHERE a.code LIKE 'cash_drawer/%%'"""
    return int(demo.query(query)[0][0])
