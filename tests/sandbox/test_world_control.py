"""The control calls: clock, faults, actions, books, reset."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.fixtures.sandbox_process import Sandbox, sandbox_process


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"counterparty": "nobody", "operation": "*", "fault": "decline"}),
        ("faults", {"counterparty": "wechat_pay", "operation": "dance", "fault": "decline"}),
        ("faults", {"counterparty": "wechat_pay", "operation": "*", "fault": "dance"}),
        ("faults", {"counterparty": "wechat_pay", "operation": "query", "fault": "decline"}),
        ("faults", {"counterparty": "wechat_pay", "operation": "*", "fault": "already_cleared"}),
        ("faults", {"counterparty": "wechat_pay", "operation": "*", "fault": "decline", "x": 1}),
        (
            "faults",
            {"counterparty": "wechat_pay", "operation": "*", "fault": "decline", "times": 0},
        ),
        (
            "faults",
            {"counterparty": "wechat_pay", "operation": "*", "fault": "decline", "probability": 2},
        ),
        ("act", {"actor": "nobody", "action": "sign"}),
        ("act", {"actor": "payer", "action": "dance"}),
        ("act", {"actor": "payer", "action": "show_code", "subject": "nobody"}),
        ("act", {"actor": "payer", "action": "show_code", "args": {"x": 1}}),
        ("act", {"actor": "payer", "action": "create_wallet", "args": {"balance_fen": -1}}),
        ("clock", {}),
        ("clock", {"now": "2026-11-20T10:00:00"}),
        ("clock", {"now": "2020-01-01T00:00:00+08:00"}),
        ("clock", {"advance_s": -1}),
        ("clock", {"advance_s": 1, "now": "2026-11-21T10:00:00+08:00"}),
        ("clock", []),
    ],
)
def test_unknown_names_and_values_are_refused(sandbox: Sandbox, path: str, body: Any) -> None:
    answer = sandbox.call("POST", f"/_control/{path}", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_reading_refuses_what_it_does_not_know(sandbox: Sandbox) -> None:
    for path in ("transactions", "transactions?counterparty=x", "books?from=yesterday"):
        assert sandbox.call("GET", f"/_control/{path}").status_code == 400, path
    page = "transactions?counterparty=wechat_pay&page=0"
    assert sandbox.call("GET", f"/_control/{page}").status_code == 400
    assert sandbox.call("PUT", "/_control/clock", {}).status_code == 405
    assert sandbox.call("DELETE", "/_control/faults/none").status_code == 400


def test_actions_are_listed_with_their_args(sandbox: Sandbox) -> None:
    actions = sandbox.control("GET", "actions")
    assert "link" in actions["payer"]["sign"]["args"]
    assert {"create_wallet", "show_code", "confirm", "unsign"} <= set(actions["payer"])


def test_clock_runs_on_and_moves_forward(sandbox: Sandbox) -> None:
    assert sandbox.control("GET", "clock")["now"].startswith("2026-11-20T10:00:0")
    moved = sandbox.control("POST", "clock", {"advance_s": 3600})["now"]
    assert moved.startswith("2026-11-20T11:00:0")
    moved = sandbox.control("POST", "clock", {"now": "2026-11-21T08:30:00+08:00"})["now"]
    assert moved.startswith("2026-11-21T08:30:00")


def test_portal_follows_the_clock_before_the_call_answers() -> None:
    told: list[tuple[str, bytes]] = []

    class Portal(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            told.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            status = 200 if len(told) == 1 else 500
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    portal = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=portal.serve_forever, args=(0.01,), daemon=True).start()
    with sandbox_process(portal_url=f"http://127.0.0.1:{portal.server_address[1]}") as sandbox:
        now = sandbox.control("POST", "clock", {"advance_s": 60})["now"]
        assert told[0][0] == "/_dev/clock"
        assert now.encode() in told[0][1]
        failed = sandbox.call("POST", "/_control/clock", {"advance_s": 60})
        assert failed.status_code == 502
    portal.shutdown()
    portal.server_close()


def test_reset_empties_the_world(sandbox: Sandbox) -> None:
    sandbox.act("payer", "create_wallet", "o1", balance_fen=5)
    sandbox.fault("*", "decline")
    sandbox.control("POST", "clock", {"advance_s": 7200})
    sandbox.control("POST", "reset")
    assert sandbox.control("GET", "faults") == []
    call = {"actor": "payer", "action": "show_wallet", "subject": "o1"}
    assert sandbox.call("POST", "/_control/act", call).status_code == 400
    assert sandbox.control("GET", "clock")["now"].startswith("2026-11-20T10:00:0")
    assert set(sandbox.book()) == {
        "captured", "refunded", "reversed", "transferred", "returned", "fees", "remitted", "open",
    }  # fmt: skip
