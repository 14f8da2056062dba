"""T2: a request that arrives fifty times in the same moment has one effect and one answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import httpx
import pytest

from billing.channels.base import Action, ChannelAnswer, Operation
from billing.models import CollectRequest, Invoice, InvoiceReturn, Payment, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from core.outcomes import Outcome
from tests import scripted
from tests.conftest import ProofReport, ProofScale
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import TOKEN
from tests.proof.books import faults
from tests.proof.crowd import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.proof("T2"),
    pytest.mark.usefixtures("scripted_channel"),
]

CLIENT = httpx.Client(timeout=60, trust_env=False)
OPERATOR, APPROVER = {"code": "C1", "name": "收费员"}, {"code": "C2", "name": "组长"}
REUSED = "urn:portal:problem:number_reused"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile Safari"


def his(server: Any, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = CLIENT.post(
        f"{server.url}/api/v1/{path}",
        content=json.dumps(body).encode(),
        headers={
            "Authorization": f"Token {TOKEN}",
            "Content-Type": "application/json",
            # The server's thread, and its connection to the database, end with the answer.
            "Connection": "close",
        },
    )
    return answer.status_code, answer.json()


def crowd_of(proof_scale: ProofScale) -> int:
    return proof_scale(50, least=12)


def paid_bill() -> Invoice:
    bill = invoice(10_000, quantity=Decimal(100))
    payments.agreement(bill.patient)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    return bill


def same(answers: list[tuple[int, dict[str, Any]]]) -> bool:
    return len({json.dumps(answer, sort_keys=True) for answer in answers}) == 1


def test_one_collect_asked_many_times(
    live_server: Any, proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    bill = invoice(12_345)
    payments.agreement(bill.patient)
    body = {"request_no": "R1", "method": "auto", "wait_s": 0, "operator": OPERATOR}
    path = f"invoices/{bill.invoice_no}/collect"
    count = crowd_of(proof_scale)

    answers = at_once([lambda: his(live_server, path, body)] * count)

    assert same(answers), Counter(status for status, _ in answers)
    assert (answers[0][0], answers[0][1]["result"]) == (202, "processing")
    assert CollectRequest.objects.count() == 1
    # and the same number once more while it is being paid, and after
    mixed = at_once(
        [lambda: his(live_server, path, body)] * count
        + [lambda: invoice_drive(invoice_id=bill.pk)] * 4
    )
    assert {status for status, _ in mixed[:count]} <= {200, 202}
    after = at_once([lambda: his(live_server, path, body)] * count)
    equal = sum(answer == after[0] for answer in after)
    proof_report("T2.collect_equal_answers", equal, count, equal == count)
    assert same(after)
    assert (after[0][0], after[0][1]["result"]) == (200, "paid")
    assert len(scripted.calls(Operation.CAPTURE)) == 1
    assert faults() == []


def test_one_collect_number_with_other_content(live_server: Any, proof_scale: ProofScale) -> None:
    bill = invoice(12_345)
    path = f"invoices/{bill.invoice_no}/collect"
    count = crowd_of(proof_scale)

    def ask(place: int) -> tuple[int, dict[str, Any]]:
        operator = {"code": f"C{place}", "name": "收费员"}
        body = {"request_no": "R1", "method": "auto", "wait_s": 0, "operator": operator}
        return his(live_server, path, body)

    answers = at_once([lambda n=n: ask(n) for n in range(count)])

    assert Counter(status for status, _ in answers) == {202: 1, 409: count - 1}
    assert {body["type"] for status, body in answers if status == 409} == {REUSED}
    assert CollectRequest.objects.count() == 1


def return_body(pieces: int | None) -> dict[str, Any]:
    return {"reason": "退药", "operator": OPERATOR, "approved_by": APPROVER, "refund_no": "F1"} | {
        "lines": "all" if pieces is None else []
    }


@pytest.mark.parametrize("pieces", [None, 30])
def test_one_return_asked_many_times(
    live_server: Any, proof_scale: ProofScale, pieces: int | None
) -> None:
    bill = paid_bill()
    line = {"charge_no": bill.lines.get().charge.charge_no, "quantity": "30", "amount_fen": 3_000}
    body = return_body(pieces) | ({} if pieces is None else {"lines": [line]})
    path = f"invoices/{bill.invoice_no}/refunds"

    answers = at_once([lambda: his(live_server, path, body)] * crowd_of(proof_scale))

    assert same(answers), Counter(status for status, _ in answers)
    assert answers[0] == (
        200,
        {"refund_no": "F1", "status": "accepted", "amount_fen": 3_000 if pieces else 10_000},
    )
    assert InvoiceReturn.objects.count() == 1
    assert PaymentTransaction.objects.filter(kind="REFUND").count() == 1
    assert faults() == []


def test_one_return_number_with_other_amounts(
    live_server: Any, proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    bill = paid_bill()
    charge_no = bill.lines.get().charge.charge_no
    path = f"invoices/{bill.invoice_no}/refunds"
    count = crowd_of(proof_scale)

    def ask(pieces: int) -> tuple[int, dict[str, Any]]:
        line = {"charge_no": charge_no, "quantity": str(pieces), "amount_fen": pieces * 100}
        return his(live_server, path, return_body(pieces) | {"lines": [line]})

    answers = at_once([lambda n=n: ask(n) for n in range(1, count + 1)])

    refused = [body for status, body in answers if status == 409]
    assert Counter(status for status, _ in answers) == {200: 1, 409: count - 1}
    assert {body["type"] for body in refused} == {REUSED}
    assert InvoiceReturn.objects.count() == 1
    assert faults() == []
    proof_report("T2.other_amount_refused", len(refused), count - 1, len(refused) == count - 1)


def pay_form(server: Any, url: str) -> tuple[dict[str, str], dict[str, str]]:
    """The rendered form's hidden fields and the cookies they belong to."""
    page = httpx.get(url, headers={"User-Agent": PHONE}, trust_env=False)
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken|form_key)" value="([^"]+)"', page.text))
    assert fields.keys() == {"csrfmiddlewaretoken", "form_key"}, page.text
    return fields, dict(page.cookies)


def offered(bill: Invoice) -> str:
    """The token of the bill's pay link, after a collect that found no agreement."""
    payments.merchant()
    payments.collect(bill, "pay_link")
    invoice_drive(invoice_id=bill.pk)
    return str(bill.pay_link.token)


def code_shown(order: Any) -> ChannelAnswer:
    action = Action("qr", f"weixin://wxpay/{order.number}", order.expires_at)
    return ChannelAnswer(Outcome.PENDING, code="NOTPAY", executed=True, action=action)


def test_one_pay_form_pressed_many_times(live_server: Any, proof_scale: ProofScale) -> None:
    bill = invoice(8_640)
    token = offered(bill)
    scripted.script(Operation.CAPTURE, *[code_shown] * 50)
    url = f"{live_server.url}/p/{token}/pay"
    fields, cookies = pay_form(live_server, url)
    body = fields | {"way": "wechat_pay.native"}

    def press() -> tuple[int, str]:
        client = httpx.Client(cookies=cookies, trust_env=False, timeout=60)
        with client:
            answer = client.post(url, data=body, headers={"User-Agent": PHONE, "Referer": url})
        return answer.status_code, answer.headers.get("Location", "")

    answers = at_once([press] * crowd_of(proof_scale))

    assert {status for status, _ in answers} == {303}, Counter(answers)
    assert Payment.objects.count() == 1
    assert len(scripted.calls(Operation.CAPTURE)) == 1
    # once the order stands, every further press of the same form leads to the same code
    assert len(set(at_once([press] * 3))) == 1
    assert len(scripted.calls(Operation.CAPTURE)) == 1
    assert faults() == []


def link_shown(order: Any) -> ChannelAnswer:
    action = Action("url", f"https://wx.example/{order.number}", order.expires_at)
    return ChannelAnswer(Outcome.PENDING, code="NOTPAY", executed=True, action=action)


def test_a_form_key_never_opens_the_order_of_another_bill(live_server: Any) -> None:
    mine, other = invoice(8_640), invoice(100)
    scripted.script(Operation.CAPTURE, link_shown, link_shown)
    led_to = []
    for bill in (mine, other):
        url = f"{live_server.url}/p/{offered(bill)}/pay"
        fields, cookies = pay_form(live_server, url)
        body = fields | {"way": "wechat_pay.h5", "form_key": "the-same-key"}
        with httpx.Client(cookies=cookies, trust_env=False) as client:
            answer = client.post(url, data=body, headers={"User-Agent": PHONE, "Referer": url})
        led_to.append(answer.headers.get("Location", ""))
    payment = Payment.objects.get(form_key="the-same-key")
    assert payment.invoice_id == mine.pk
    number = payment.transactions.get().number
    assert number in led_to[0]
    assert number not in led_to[1]
    assert faults() == []
