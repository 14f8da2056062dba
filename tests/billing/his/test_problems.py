"""What a refusal says: the first reason with its field, plain figures, one way to name codes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import Throttled

from billing.his.problems import UNKNOWN_ADDRESS, problem_answer
from billing.models import Invoice
from billing.policy import policy
from billing.services.invoice_drive import invoice_drive
from core import clock
from core.models import AuditEvent
from tests.billing.his.conftest import APPROVER, OPERATOR, His, charge_body, patient_body
from tests.billing.his.test_bad_input import COLLECT, collect_body, is_problem
from tests.conftest import ROOT

REFUSED = "his_refused"
CODE_IN_SOURCE = re.compile(
    r'(?:Refusal|BadInput|NotFound|Conflict|NotOffered|Forbidden)\(\s*"(\w+)"'
)


def sent(his: His, method: str, path: str, body: Any, status: int) -> dict[str, Any]:
    return is_problem(his.raw(method, path, json.dumps(body).encode()), status)


def test_detail_names_the_field_and_why(his: His) -> None:
    problem = sent(his, "PUT", "patients/M1", patient_body(phone=...), 400)
    assert problem["detail"] == f"phone：{problem['errors'][0]['reason']}"


def test_mistyped_certificate_number_is_refused_by_its_check_digit(his: His) -> None:
    right = "11010519491231002X"
    problem = sent(his, "PUT", "patients/M1", patient_body(id_number=right[:-1] + "1"), 400)
    assert problem["type"] == "urn:portal:problem:bad_id_number"
    assert problem["detail"] == "id_number：身份证号有误，请对照证件核对。"
    known = patient_body(id_number=right, birth_date="1949-12-31")
    assert his("PUT", "patients/M1", known)[0] == 201


def test_detail_counts_the_other_reasons(his: His) -> None:
    problem = sent(his, "PUT", "patients/M1", patient_body(phone=..., sex="m", name=7), 400)
    assert len(problem["errors"]) == 3
    assert problem["detail"].startswith("name：")
    assert "另有 2 处" in problem["detail"]


def test_detail_of_a_refusal_by_state_names_its_field_too(his: His) -> None:
    problem = sent(his, "POST", "invoices/I404/cancel", {"operator": OPERATOR}, 404)
    assert problem["type"] == "urn:portal:problem:unknown_invoice"
    assert problem["detail"] == "invoice_no：没有这张账单。"


def test_reason_that_concerns_the_whole_names_no_field(his: His) -> None:
    assert sent(his, "GET", "nothing", None, 404)["detail"] == "此地址没有内容。"


def paid_bill(his: His, quantity: str) -> None:
    charge = charge_body("C1", quantity=quantity)
    assert his("POST", "encounters/E1/charges", [charge])[0] == 200
    assert his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[0] == 201
    assert his("POST", COLLECT, collect_body(method="cash"))[0] == 202
    invoice_drive(invoice_id=Invoice.objects.get().pk)


@pytest.mark.parametrize(("quantity", "plain"), [("2", "2"), ("100", "100"), ("1.50", "1.5")])
def test_quantities_are_said_plainly(his: His, visit: str, quantity: str, plain: str) -> None:
    # given a paid bill of one line
    paid_bill(his, quantity)
    # when more is given back than there is
    line = {"charge_no": "C1", "quantity": "101", "amount_fen": 1}
    body = {"refund_no": "F1", "lines": [line], "reason": "退药"}
    body |= {"operator": OPERATOR, "approved_by": APPROVER}
    problem = sent(his, "POST", "invoices/I1/refunds", body, 409)
    # then what is left is said as a person writes it
    assert f" {plain} " in problem["detail"], problem


def test_unknown_things_have_one_form_of_code() -> None:
    codes = {
        code
        for top in ("core", "patients", "billing", "config")
        for path in (ROOT / top).rglob("*.py")
        for code in CODE_IN_SOURCE.findall(path.read_text(encoding="utf8"))
    }
    codes.add(UNKNOWN_ADDRESS)
    assert {"unknown_invoice", "unknown_charge", "unknown_review", "unknown_address"} <= codes
    assert not {code for code in codes if re.search(r"_unknown$|^no_such_|not_found", code)}


NOWHERE = [
    ("GET", "/api", 404),
    ("GET", "/api/", 404),
    ("GET", "/api/v2/invoices/I1", 404),
    ("DELETE", "/api/nothing", 404),
    ("GET", "/api/v1", 404),
    ("POST", "/api/v1", 404),
]
SCHEMA = [("POST", "/api/schema/", 405), ("DELETE", "/api/schema/", 405)]
READERS = ["*/*", "text/html", "application/yaml", "image/png"]
ADDRESSES = [(*case, accept) for case in NOWHERE for accept in READERS]
ADDRESSES += [(*case, accept) for case in SCHEMA for accept in ("*/*", "application/json")]
ADDRESSES += [("GET", "/api/schema/", 406, "image/png")]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "status", "accept"), ADDRESSES)
def test_addresses_around_the_api_answer_as_it_does(
    his: His, method: str, path: str, status: int, accept: str
) -> None:
    answer = his.client.generic(method, path, headers={"Accept": accept})
    problem = is_problem(answer, status)
    assert problem["errors"][0]["field"] == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "headers", "said"),
    [
        ("DELETE", "/api/v1/patients/M1", {}, "此地址不接受 DELETE 请求。"),
        ("PUT", "/api/v1/patients/M1", {"Content-Type": "text/plain"}, "application/json"),
        ("GET", "/api/schema/", {"Accept": "image/png"}, "只能以 JSON 作答"),
        (
            "GET",
            "/api/v1/events",
            {"Authorization": ""},
            "请求头应带 Authorization: Token 加令牌。",
        ),
    ],
)
def test_the_framework_refuses_in_this_doors_words(
    his: His, method: str, path: str, headers: dict[str, str], said: str
) -> None:
    kind = headers.get("Content-Type", "application/json")
    given = {**his.headers, **headers}
    answer = his.client.generic(method, path, b"{}", content_type=kind, headers=given)
    problem = json.loads(answer.content)
    assert said in problem["detail"]
    assert problem["detail"].endswith("。") and "被允许" not in problem["detail"]
    assert answer.has_header("Allow")


def test_a_flood_is_told_when_to_go_on() -> None:
    answer = problem_answer(Throttled(wait=3), {})
    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    assert json.loads(answer.content)["detail"].endswith("请 3 秒后再试。")


def test_an_unreadable_request_to_the_api_is_a_problem_too(his: His) -> None:
    answer = his.client.get("/api/v1/events", headers={"Host": "elsewhere.example"})
    is_problem(answer, 400)


def test_pages_beside_the_api_stay_pages(his: His) -> None:
    assert his.client.get("/apiary")["Content-Type"].startswith("text/html")


def test_a_flood_of_refused_calls_does_not_fill_the_table(his: His, visit: str) -> None:
    # given a HIS that sends the same wrong call without end
    most = policy().refusals_kept_per_address
    for _ in range(most + 5):
        his("POST", "invoices/I404/cancel", {"operator": OPERATOR})
    # then so many are kept, one line says that the rest is not, and the next costs no row
    kept = list(AuditEvent.objects.filter(action=REFUSED).order_by("pk"))
    assert len(kept) == most + 1
    assert kept[-1].detail["suppressed"] == "address"
    with CaptureQueriesContext(connection) as captured:
        his("POST", "invoices/I404/cancel", {"operator": OPERATOR})
    assert not any("INSERT" in one["sql"] for one in captured)


def test_the_next_minute_is_kept_again(his: His, visit: str, still_clock: Any) -> None:
    for _ in range(policy().refusals_kept_per_address + 2):
        his("POST", "invoices/I404/cancel", {"operator": OPERATOR})
    before = AuditEvent.objects.filter(action=REFUSED).count()
    with clock.freeze(still_clock.at.replace(minute=still_clock.at.minute + 1)):
        his("POST", "invoices/I404/cancel", {"operator": OPERATOR})
    assert AuditEvent.objects.filter(action=REFUSED).count() == before + 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"name": ', "内容不是 JSON：第 1 行第 10 列中断或不合规则。"),
        (b'{\n"a": 1,}', "内容不是 JSON：第 2 行第 8 列中断或不合规则。"),
        (b'{"a": 1, "a": 2}', '内容不是 JSON：键 "a" 出现了两次。'),
        (b'{"a": NaN}', "内容不是 JSON：NaN 不是数。"),
        (b"[" * 500 + b"]" * 500, "内容不是 JSON：嵌套太深。"),
        (b'{"a": ' + b"9" * 5000 + b"}", "内容不是 JSON：有一个数太长。"),
        (b'{"a": "\\u0000"}', "内容不是 JSON：有一段文字含有 NUL 字符。"),
    ],
)
def test_a_body_that_is_no_json_is_told_in_one_language(
    his: His, body: bytes, sentence: str
) -> None:
    assert is_problem(his.raw("PUT", "patients/M1", body), 400)["detail"] == sentence
