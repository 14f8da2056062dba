"""A portal of a hundred lines for the HIS console: it records calls and answers as DESIGN says.

It is the other side of a real socket, so what the console sends is what a portal would receive.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, Any]


@dataclass
class Call:
    method: str
    path: str
    body: Any
    token: str


@dataclass
class PortalStub:
    """`replies` overrides the answer to a path's last part: a status and body, or None to hang up
    after the call was recorded."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    charges: dict[str, dict[str, int]] = field(default_factory=dict)
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    replies: dict[str, list[Reply | None]] = field(default_factory=dict)

    def paths(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.calls]

    def answer(self, call: Call) -> Reply | None:
        self.calls.append(call)
        parts = call.path.split("/")
        queued = self.replies.get(parts[-1]) or self.replies.get(parts[0])
        if queued:
            return queued.pop(0)
        if parts[0] == "encounters" and len(parts) == 2:
            return 201, {"encounter_no": parts[1]}
        if parts[-1] == "charges":
            own = self.charges.setdefault(parts[1], {})
            own.update({line["charge_no"]: line["amount_fen"] for line in call.body})
            return 200, {"charges": len(call.body)}
        if parts[0] == "encounters" and parts[2] == "invoices":
            return self._issue(parts[1], parts[3], call.body)
        return self._invoice(parts[1], parts[2] if len(parts) > 2 else "", call.body)

    def _issue(self, encounter: str, number: str, body: Any) -> Reply:
        known = number in self.invoices
        total = sum(self.charges[encounter][one] for one in body["charge_nos"])
        invoice = {"invoice_no": number, "status": "ISSUED", "amount_fen": total, "paid_fen": 0}
        invoice |= {"refunded_fen": 0, "due_fen": total, "split": None, "payments": []}
        self.invoices.setdefault(number, invoice)
        return 200 if known else 201, self.invoices[number]

    def _invoice(self, number: str, verb: str, body: Any) -> Reply:
        invoice = self.invoices.get(number)
        if invoice is None:
            return 404, {"title": "not found", "detail": "no such invoice"}
        if verb == "collect":
            total = invoice["amount_fen"]
            invoice.update(status="PAID", paid_fen=total, due_fen=0)
            paid = {"payment_no": "P1", "channel": "wechat_pay", "status": "SUCCEEDED"}
            invoice["payments"] = [paid | {"amount_fen": total}]
            return 200, {"result": "paid", "invoice": invoice}
        if verb == "refunds":
            back = sum(line["amount_fen"] for line in body["lines"])
            invoice.update(status="PARTLY_REFUNDED", refunded_fen=invoice["refunded_fen"] + back)
            return 200, {
                "refund_no": body["refund_no"],
                "status": "accepted",
                "amount_fen": back,
            }
        if verb == "cancel":
            invoice.update(status="CANCELLED", due_fen=0)
        return 200, invoice


def _handler(stub: PortalStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            token = self.headers.get("Authorization", "")
            path = self.path.removeprefix("/api/v1/")
            body = json.loads(raw) if raw else None
            reply = stub.answer(Call(self.command, path, body, token))
            if reply is None:
                self.close_connection = True
                return
            payload = json.dumps(reply[1]).encode()
            self.send_response(reply[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:
            """Silence."""

    serve: Callable[[Handler], None] = Handler._serve
    for method in ("GET", "PUT", "POST"):
        setattr(Handler, f"do_{method}", serve)
    return Handler


@contextmanager
def portal_stub(port: int = 0) -> Iterator[PortalStub]:
    stub = PortalStub()
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(stub))
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
