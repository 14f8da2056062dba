"""The HIS: its console and actions against a recording portal, and the events it takes in."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.his.illnesses import illness_of
from tests.fixtures.sandbox_process import Sandbox, sandbox_process
from tests.sandbox.portal_stub import PortalStub, portal_stub

SECRET = "sandbox-his-events-secret"
TOKEN = "Token his-token"
CLIENT = httpx.Client(timeout=30, trust_env=False)
OUTPATIENT, CT, DRUG = "001102000010000", "002103000010000", "XN07XXD130E002010102774"
ORDERED = f'[{{"code":"{CT}"}},{{"code":"{DRUG}","quantity":"24"}}]'


@dataclass
class Desk:
    """The sandbox whose HIS reads `demo_file`, and the portal that file names."""

    sandbox: Sandbox
    portal: PortalStub
    demo_file: Path

    def visit(self, **args: Any) -> dict[str, Any]:
        args.setdefault("charges", json.loads(ORDERED))
        return dict(self.sandbox.act("his", "visit", "M0001", **args))

    def press(self, path: str, **fields: str) -> httpx.Response:
        return CLIENT.post(f"{self.sandbox.url}/his/{path}", data=fields)

    def page(self, path: str) -> str:
        return self.sandbox.call("GET", f"/his/{path}").text

    def event(self, event_id: Any, invoice_no: str, seq: int, kind: str, **data: Any) -> Any:
        at = "2026-11-20T10:00:00+08:00"
        body = {"event_id": event_id, "invoice_no": invoice_no, "seq": seq, "type": kind}
        return self.push(body | {"occurred_at": at, "data": data})

    def push(self, body: Any, *, secret: str = SECRET, age_s: int = 0, raw: bytes = b"") -> Any:
        raw = raw or json.dumps(body).encode()
        now = datetime.fromisoformat(CLIENT.get(f"{self.sandbox.url}/healthz").json()["now"])
        stamp = str(int(now.timestamp()) - age_s)
        digest = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256)
        headers = {"Portal-Timestamp": stamp, "Portal-Signature": f"v1={digest.hexdigest()}"}
        return CLIENT.post(f"{self.sandbox.url}/his/events", content=raw, headers=headers)

    def book(self) -> dict[str, Any]:
        return self.sandbox.book("his", "hospital")


@pytest.fixture(scope="module")
def his_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    demo_file = tmp_path_factory.mktemp("his") / "demo.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_DEMO_FILE", str(demo_file))
        with sandbox_process() as running:
            yield running, demo_file


@pytest.fixture
def desk(his_sandbox: tuple[Sandbox, Path]) -> Iterator[Desk]:
    running, demo_file = his_sandbox
    running.control("POST", "reset")
    with portal_stub() as portal:
        patient = {"mrn": "M0001", "card_no": "C1", "name": "林秀兰", "phone": "13800000001"}
        patient |= {"insured": False, "agreements": ["wechat_pay"], "credit": False}
        demo = {"portal_url": portal.url, "his_token": "his-token", "patients": [patient]}
        demo_file.write_text(json.dumps(demo))
        yield Desk(running, portal, demo_file)


def test_visit_goes_to_the_portal_call_by_call(desk: Desk) -> None:
    done = desk.visit()
    no, invoice = done["encounter_no"], done["invoice_no"]
    assert desk.portal.paths() == [
        f"PUT encounters/{no}",
        f"POST encounters/{no}/charges",
        f"PUT encounters/{no}/invoices/{invoice}",
        f"POST invoices/{invoice}/collect",
    ]
    assert {call.token for call in desk.portal.calls} == {TOKEN}
    encounter, charges, issue, collect = (call.body for call in desk.portal.calls)
    assert (encounter["mrn"], encounter["self_pay"]) == ("M0001", True)
    assert encounter["started_at"].endswith("+08:00")
    illness = illness_of("M0001")
    assert encounter["diagnoses"] == [{"code": illness.code, "name": illness.name, "main": True}]
    assert encounter["department"]["code"] == charges[0]["ordering_department"]
    assert encounter["department"]["code"] == illness.department_code
    # 24 capsules at 3.24 yuan, and one CT at 330.
    assert [line["amount_fen"] for line in charges] == [33_000, 7_776]
    assert (charges[1]["unit_price"], charges[1]["quantity"]) == ("3.24", "24")
    assert issue["charge_nos"] == [line["charge_no"] for line in charges]
    assert collect["method"] == "auto"
    assert issue["operator"] == collect["operator"] == {"code": "HIS001", "name": "收费员甲"}
    assert (done["result"], done["status"], done["amount_fen"]) == ("paid", "PAID", 40_776)
    assert desk.book()["charged"] == {"count": 1, "fen": 40_776}


def test_console_registers_collects_and_tells_the_events(desk: Desk) -> None:
    fields = {"mrn": "M0001", f"q_{OUTPATIENT}": "1", f"q_{DRUG}": "0", "collect": "1"}
    answer = desk.press("visits", **fields, self_pay="1")
    assert answer.status_code == 302
    page = answer.headers["location"].removeprefix("/his/")
    invoice = desk.portal.calls[-1].path.split("/")[1]
    assert desk.event(1, invoice, 1, "paid", amount_fen=1_000).status_code == 200
    shown = desk.page(page)
    assert "普通门诊诊查费" in shown
    assert "丁苯酞" not in shown
    assert "已支付 ¥10.00。" in shown
    assert "第 1 号，收到 1 次" in shown
    assert "林秀兰" in desk.page("")


def test_line_is_returned_in_parts_and_the_last_takes_the_remainder(desk: Desk) -> None:
    done = desk.visit(charges=[{"code": DRUG, "quantity": "7"}])
    invoice, charge = done["invoice_no"], done["charges"][0]
    assert charge["amount_fen"] == 2_268
    parts = []
    for quantity in ("3", "3", None):
        line = {"charge_no": charge["charge_no"]} | ({"quantity": quantity} if quantity else {})
        parts.append(desk.sandbox.act("his", "return_goods", invoice, lines=[line])["amount_fen"])
    assert parts == [972, 972, 324]
    assert [call.body["lines"][0]["quantity"] for call in desk.portal.calls[-3:]] == ["3", "3", "1"]
    assert desk.portal.calls[-1].body["approved_by"]["code"] != "HIS001"
    again = {"actor": "his", "action": "return_goods", "subject": invoice, "args": {}}
    refused = desk.sandbox.call("POST", "/_control/act", again)
    assert refused.status_code == 400


def test_refused_return_gives_the_quantity_back(desk: Desk) -> None:
    done = desk.visit()
    problem = {"title": "conflict", "detail": "the day is closed"}
    desk.portal.replies["refunds"] = [(409, problem)]
    first = desk.sandbox.act("his", "return_goods", done["invoice_no"], lines="all")
    assert first["answer"] is None
    assert "门户说与已有的记录冲突：the day is closed" in first["said"][-1]
    second = desk.sandbox.act("his", "return_goods", done["invoice_no"], lines="all")
    assert (second["amount_fen"], second["answer"]["status"]) == (40_776, "accepted")


def test_unanswered_return_is_sent_again_as_it_was(desk: Desk) -> None:
    done = desk.visit()
    desk.portal.replies["refunds"] = [None]
    first = desk.sandbox.act("his", "return_goods", done["invoice_no"], lines="all")
    assert first["answer"] is None
    again = desk.sandbox.act("his", "return_goods", refund_no=first["refund_no"])
    assert again["answer"]["status"] == "accepted"
    sent = [call.body for call in desk.portal.calls if call.path.endswith("refunds")]
    assert sent[0] == sent[1]


def test_lost_answer_of_collect_asks_again_under_its_number(desk: Desk) -> None:
    desk.portal.replies["collect"] = [None]
    done = desk.visit()
    assert done["result"] == ""
    assert "不知道是否已办" in done["said"][-1] or "再试一次" in done["said"][-1]
    page = f"visits/{done['encounter_no']}"
    desk.press(f"{page}/collect", no=done["invoice_no"])
    numbers = [c.body["request_no"] for c in desk.portal.calls if c.path.endswith("collect")]
    assert numbers[0] == numbers[1]
    assert "已支付 ¥407.76。" in desk.page(page)


def test_declined_collect_is_a_new_request_next_time(desk: Desk) -> None:
    desk.portal.replies["collect"] = [(200, {"result": "declined", "reason": "余额不足"})]
    done = desk.visit()
    assert "未支付，没有扣款：余额不足。" in done["said"][-1]
    desk.press(f"visits/{done['encounter_no']}/collect", no=done["invoice_no"])
    numbers = [c.body["request_no"] for c in desk.portal.calls if c.path.endswith("collect")]
    assert numbers[0] != numbers[1]


def test_scanned_code_goes_with_the_request(desk: Desk) -> None:
    done = desk.visit(collect=False)
    page = f"visits/{done['encounter_no']}"
    desk.press(f"{page}/collect", no=done["invoice_no"], auth_code="1312 3456 7890 123456")
    body = desk.portal.calls[-1].body
    assert (body["method"], body["auth_code"]) == ("scan", "131234567890123456")
    desk.visit(collect="scan", auth_code="131234567890123457")
    assert desk.portal.calls[-1].body["auth_code"] == "131234567890123457"


def test_refusal_of_the_portal_is_told_in_words_and_resumed(desk: Desk) -> None:
    errors = [{"field": "category", "reason": "unknown"}]
    desk.portal.replies["charges"] = [(400, {"title": "Bad input", "errors": errors})]
    done = desk.visit()
    assert (done["invoice_no"], done["result"]) == (None, None)
    assert "门户说内容有误：Bad input；category：unknown" in done["said"][-1]
    page = f"visits/{done['encounter_no']}"
    assert "再发一次并开账单" in desk.page(page)
    desk.press(f"{page}/issue")
    assert desk.portal.paths()[-2].endswith("/charges")
    assert desk.portal.paths()[-1].startswith(f"PUT encounters/{done['encounter_no']}/invoices/")
    assert sum(path.startswith("PUT encounters/") for path in desk.portal.paths()) == 2


def test_without_demo_or_portal_the_console_says_so(desk: Desk) -> None:
    demo = json.loads(desk.demo_file.read_text())
    desk.demo_file.write_text(json.dumps(demo | {"portal_url": "http://127.0.0.1:9"}))
    assert "连不上门户" in desk.visit()["said"][-1]
    desk.demo_file.write_text("{")
    assert "读不懂" in desk.page("")
    desk.demo_file.unlink()
    assert "make demo" in desk.page("")
    answer = desk.press("visits", mrn="M0001", **{f"q_{CT}": "1"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mrn": "M9999", f"q_{CT}": "1"}, "请先选一位病人"),
        ({"mrn": "M0001"}, "请至少选一个收费项目"),
        ({"mrn": "M0001", f"q_{CT}": "two"}, "不是数字"),
        ({"mrn": "M0001", f"q_{CT}": "-1"}, "要大于 0"),
        ({"mrn": "M0001", f"q_{CT}": "0.00001"}, "最多 4 位小数"),
        ({"mrn": "M0001", f"q_{CT}": "NaN"}, "要大于 0"),
    ],
)
def test_bad_form_changes_nothing(desk: Desk, fields: dict[str, str], words: str) -> None:
    answer = desk.press("visits", **fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert desk.portal.calls == []


@pytest.mark.parametrize(
    "args",
    [
        {"charges": []},
        {"charges": [{"code": "no-such"}]},
        {"charges": [{"code": CT, "price": 1}]},
        {"count": 0},
        {"collect": "barter"},
        {"self_pay": "yes"},
        {"mrn": "M" * 65},
    ],
)
def test_bad_action_is_400(desk: Desk, args: dict[str, Any]) -> None:
    call = {"actor": "his", "action": "visit", "subject": "M0001", "args": args}
    assert desk.sandbox.call("POST", "/_control/act", call).status_code == 400
    assert desk.portal.calls == []


def test_event_is_kept_once_and_moves_the_books(desk: Desk) -> None:
    assert desk.event(7, "I1", 1, "paid", amount_fen=5_000).json() == {
        "event_id": "7",
        "known": False,
    }
    assert desk.event(7, "I1", 1, "paid", amount_fen=5_000).json()["known"] is True
    assert desk.event(8, "I1", 2, "refund_accepted", refund_no="F1", amount_fen=700).is_success
    assert desk.event(9, "I1", 3, "refunded", refund_no="F1", amount_fen=700).is_success
    assert desk.event(10, "I2", 1, "paid", amount_fen=40, invoice_amount_fen=90).is_success
    assert desk.event(11, "I3", 1, "priced", amount_fen=10).is_success
    assert desk.event(12, "I3", 2, "cancelled").is_success
    assert desk.book() == {
        "charged": {"count": 3, "fen": 5_100},
        "cancelled": {"count": 2, "fen": 710},
    }


def test_gap_in_the_order_is_refused_until_it_is_filled(desk: Desk) -> None:
    assert desk.event(1, "I1", 4, "priced", amount_fen=100).status_code == 200
    assert desk.event(3, "I1", 6, "refunded", refund_no="F", amount_fen=1).status_code == 409
    assert desk.event(2, "I1", 5, "paid", amount_fen=100).status_code == 200
    assert desk.event(3, "I1", 6, "refunded", refund_no="F", amount_fen=1).status_code == 200
    assert desk.event(3, "I1", 7, "paid").status_code == 409
    assert desk.event(9, "I1", 6, "paid").status_code == 409


def test_forged_events_are_refused(desk: Desk) -> None:
    at = "2026-11-20T10:00:00+08:00"
    body = {"event_id": 1, "invoice_no": "I1", "seq": 1, "type": "paid", "occurred_at": at}
    assert desk.push(body, secret="other").status_code == 401
    assert desk.push(body, age_s=301).status_code == 401
    assert desk.push(body, age_s=-310).status_code == 401
    bare = httpx.post(f"{desk.sandbox.url}/his/events", json=body)
    assert bare.status_code == 401
    assert desk.book()["charged"]["count"] == 0
    assert desk.push(body).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 0},
        {"seq": True},
        {"seq": "1"},
        {"event_id": None},
        {"event_id": ""},
        {"invoice_no": ""},
        {"invoice_no": "I" * 65},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-11-20T10:00:00"},
        {"data": []},
        {"type": "a\u0000b"},
    ],
)
def test_signed_nonsense_is_400(desk: Desk, change: dict[str, Any]) -> None:
    at = "2026-11-20T10:00:00+08:00"
    body = {"event_id": 1, "invoice_no": "I1", "seq": 1, "type": "paid", "occurred_at": at}
    assert desk.push(body | change).status_code == 400
    assert desk.push(None, raw=b"{").status_code == 400


def test_push_can_fail_on_request(desk: Desk) -> None:
    desk.sandbox.fault("push", "http_500_after", "his", times=1)
    assert desk.event(1, "I1", 1, "paid", amount_fen=5).status_code == 500
    assert desk.event(1, "I1", 1, "paid", amount_fen=5).json()["known"] is True


def test_readme_names_every_action_and_its_args(desk: Desk) -> None:
    readme = (Path(__file__).parents[2] / "sandbox" / "README.md").read_text(encoding="utf8")
    for actor, actions in desk.sandbox.control("GET", "actions").items():
        for name, action in actions.items():
            rows = [line for line in readme.splitlines() if line.startswith(f"| `{actor}`")]
            row = next((line for line in rows if f"`{name}`" in line), "")
            missing = [arg for arg in action["args"] if f"`{arg}`" not in row]
            assert (row != "", missing) == (True, []), (actor, name)
