"""Bad input at the HIS's door: a clear 4xx, and nothing else happens anywhere."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.fixtures.demo_process import APPROVER, OPERATOR, Demo

# Every row that says something about people, visits, money or what was sent to anybody.
TABLES = (
    "patients_patient", "patients_identifier", "patients_encounter", "patients_notification",
    "billing_chargeitem", "billing_invoice", "billing_invoiceline", "billing_collectrequest",
    "billing_payment", "billing_paymenttransaction", "billing_paymentnotice", "billing_paylink",
    "billing_invoicereturn", "billing_billingreview", "billing_hisevent", "billing_shift",
    "billing_agreement", "ledger_entry", "ledger_posting", "core_outboundcall", "core_statechange",
)  # fmt: skip


def state(demo: Demo) -> list[tuple[str, int, str]]:
    """Every table with its count and a checksum of all it says."""
    told = "coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '')"
    one = f"SELECT '{{0}}', count(*), {told} FROM {{0}} t"
    return demo.query(" UNION ALL ".join(one.format(table) for table in TABLES))


def quiet(demo: Demo) -> list[tuple[str, int, str]]:
    """The state once nothing is under way any more."""
    seen: list[Any] = []

    def settled() -> bool:
        seen.append(state(demo))
        return len(seen) > 5 and seen[-1] == seen[-6]

    assert demo.until(settled)
    return seen[-1]


def refusals(demo: Demo) -> int:
    query = "SELECT count(*) FROM core_auditevent WHERE action = 'his_refused'"
    return int(demo.query(query)[0][0])


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and the first field named; the body must be a problem a person can read."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"] and told["detail"] and told["errors"][0]["reason"]
    return answer.status_code, str(told["errors"][0]["field"])


def test_nothing_happens_on_bad_input(demo: Demo) -> None:
    # Given a bill that is issued, one that is paid, and open charges
    issued, paid = demo.bill("P0002", 12_00, 34_00), demo.bill("P0002", 56_00)
    demo.collect(paid.number, request_no="BADPAID")
    visit = demo.visit_open("P0002")
    demo.told("PUT", f"encounters/{visit}/charges/{visit}C0", demo.charge(f"{visit}C0", 5_00))
    before, audited = quiet(demo), refusals(demo)

    # When the HIS sends what is wrong, then each is answered with its reason
    cases = [*charges(demo, visit, issued.charges[0]), *bills(issued, visit)]
    cases += [*returns(paid), *strangers(issued.number)]
    for what, method, path, body, expected in cases:
        how = {"content": body} if isinstance(body, bytes) else {"body": body}
        assert (what, problem(demo.his(method, path, **how))) == (what, expected)
    # And nothing happened, but each attempt on money was noted
    assert state(demo) == before
    of_money = [method for _w, method, path, *_x in cases if re.search("charges|invoices", path)]
    assert refusals(demo) - audited == len(of_money) - of_money.count("GET")
    demo.books_agree()


Case = tuple[str, str, str, Any, tuple[int, str]]


def charges(demo: Demo, visit: str, billed: tuple[str, int]) -> list[Case]:
    path, one = f"encounters/{visit}/charges/{visit}C1", f"{visit}C1"
    number, fen = billed
    home = number.partition("C")[0]
    wrong: list[tuple[str, Any]] = [
        ("zero", 0), ("negative", -1), ("fraction", 1.5), ("text", "100"), ("whole float", 1.0),
        ("true", True), ("null", None), ("too large", 10**16),
    ]  # fmt: skip
    cases: list[Case] = [
        (what, "PUT", path, demo.charge(one, value), (400, "amount_fen")) for what, value in wrong
    ]
    good, bad = demo.charge(f"{visit}C8", 1), demo.charge(f"{visit}C9", -5)
    return [
        *cases,
        ("no JSON", "PUT", path, b'{"charge_no": ', (400, "")),
        ("not UTF-8", "PUT", path, b'{"item_name": "\xff"}', (400, "")),
        ("a key twice", "PUT", path, b'{"quantity": "1", "quantity": "2"}', (400, "")),
        ("NaN", "PUT", path, b'{"amount_fen": NaN}', (400, "")),
        ("unknown field", "PUT", path, demo.charge(one, 1, colour="red"), (400, "colour")),
        ("seven places", "PUT", path, demo.charge(one, 1, unit_price="0.0000001"),
         (400, "unit_price")),
        ("one bad of two", "POST", f"encounters/{visit}/charges", [good, bad],
         (400, "[1].amount_fen")),
        ("billed, other amount", "PUT", f"encounters/{home}/charges/{number}",
         demo.charge(number, fen + 1), (409, "charge_no")),
        ("bad number", "PUT", f"encounters/{visit}/charges/a%20b", demo.charge(one, 1),
         (400, "charge_no")),
    ]  # fmt: skip


def bills(issued: Any, visit: str) -> list[Case]:
    collect = f"invoices/{issued.number}/collect"
    body = {"request_no": "BAD1", "method": "auto", "operator": OPERATOR}
    scan = {**body, "method": "scan"}
    return [
        ("issued with other content", "PUT",
         f"encounters/{issued.encounter_no}/invoices/{issued.number}",
         {"operator": OPERATOR, "charge_nos": [issued.charges[0][0]]}, (409, "invoice_no")),
        ("nothing to bill", "PUT", f"encounters/{issued.encounter_no}/invoices/BADI",
         {"operator": OPERATOR}, (409, "charge_nos")),
        ("unknown charge", "PUT", f"encounters/{visit}/invoices/BADI",
         {"operator": OPERATOR, "charge_nos": ["NOBODYS"]}, (404, "charge_nos[0]")),
        ("no operator", "PUT", f"encounters/{visit}/invoices/BADI", {}, (400, "operator")),
        ("number used for another bill", "POST", collect, {**body, "request_no": "BADPAID"},
         (409, "request_no")),
        ("no payment code", "POST", collect, {**scan, "auth_code": "6901234567892"},
         (400, "auth_code")),
        ("no code", "POST", collect, scan, (400, "auth_code")),
        ("full-width digits", "POST", collect, {**scan, "auth_code": "１３4567890123456789"},
         (400, "auth_code")),
        ("unknown way", "POST", collect, {**body, "method": "shells"}, (400, "method")),
        ("way of later", "POST", collect, {**body, "method": "credit"}, (409, "method")),
        ("waits too long", "POST", collect, {**body, "wait_s": 11}, (400, "wait_s")),
        ("unknown bill", "POST", "invoices/NOBODYS/collect", body, (404, "invoice_no")),
        ("unknown bill read", "GET", "invoices/NOBODYS", None, (404, "invoice_no")),
    ]  # fmt: skip


def returns(paid: Any) -> list[Case]:
    path, (charge_no, fen) = f"invoices/{paid.number}/refunds", paid.charges[0]

    def asked(**changed: Any) -> dict[str, Any]:
        line = {"charge_no": charge_no, "quantity": "1", "amount_fen": fen}
        body = {
            "refund_no": "BADF",
            "lines": [line | changed.pop("line", {})],
            "reason": "x",
            "operator": OPERATOR,
            "approved_by": APPROVER,
        }
        return body | changed

    return [
        ("more than paid", "POST", path, asked(line={"amount_fen": fen + 1}),
         (409, "lines[0].amount_fen")),
        ("more than had", "POST", path, asked(line={"quantity": "2"}), (409, "lines[0].quantity")),
        ("nothing", "POST", path, asked(line={"quantity": "0"}), (400, "lines[0].quantity")),
        ("a fraction of a fen", "POST", path, asked(line={"amount_fen": 0.5}),
         (400, "lines[0].amount_fen")),
        ("approved by oneself", "POST", path, asked(approved_by=OPERATOR), (400, "approved_by")),
        ("foreign charge", "POST", path, asked(line={"charge_no": "NOBODYS"}),
         (400, "lines[0].charge_no")),
    ]  # fmt: skip


def strangers(number: str) -> list[Case]:
    person = {"name": "甲", "id_type": "id_card", "birth_date": "1990-01-01", "sex": "male"}
    return [
        ("day that never was", "PUT", "patients/BADP",
         {**person, "birth_date": "1990-02-30", "phone": "13900000000"}, (400, "birth_date")),
        ("no phone", "PUT", "patients/BADP", {**person, "id_number": ""}, (400, "phone")),
        ("unknown patient", "PUT", "encounters/BADV", {
            "mrn": "NOBODY", "kind": "outpatient", "campus": "main",
            "department": {"code": "A03", "name": "内科"}, "doctor": {"code": "D1"},
            "started_at": "2026-11-20T10:00:00+08:00", "diagnoses": [], "med_type": "11",
        }, (404, "mrn")),
        ("bad page", "GET", "events?after=-1", None, (400, "after")),
        ("paid bill cancelled", "POST", f"invoices/{number}/cancel", {"reason": "x"},
         (400, "operator")),
    ]  # fmt: skip


@pytest.mark.parametrize("token", ["", "Token", "Token 0000", "Bearer x"])
def test_who_is_not_the_his_gets_nothing(demo: Demo, token: str) -> None:
    answer = demo.his("GET", "events", headers={"Authorization": token})
    assert (answer.status_code, "events" in answer.text) == (401, False)


def test_same_moment_issues_one_bill_and_collects_once(demo: Demo) -> None:
    # Given a visit with open charges
    visit = demo.visit_open("P0004")
    demo.told("PUT", f"encounters/{visit}/charges/{visit}C0", demo.charge(f"{visit}C0", 43_21))
    path, body = f"encounters/{visit}/invoices/{visit}I", {"operator": OPERATOR}
    had = demo.act("payer", "show_wallet", "oDemoP0004")["balance_fen"]
    # When the HIS issues and collects eight times at once
    with ThreadPoolExecutor(8) as crowd:
        issued = list(crowd.map(lambda _n: demo.his("PUT", path, body).status_code, range(8)))
        answers = list(crowd.map(lambda _n: demo.collect(f"{visit}I"), range(8)))
    # Then there is one bill, one deduction, and every caller reads the same end
    assert sorted(issued) == [200] * 7 + [201]
    assert {answer["result"] for answer in answers} == {"paid"}
    assert {len(answer["invoice"]["payments"]) for answer in answers} == {1}
    assert had - demo.act("payer", "show_wallet", "oDemoP0004")["balance_fen"] == 43_21
    demo.books_agree()
