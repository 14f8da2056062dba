from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from core import outbound_clients
from core.crypto import KeyMissing, blind_index
from core.models import OutboundCall
from core.outbound import (
    ClientCert,
    Failure,
    InsideTransaction,
    OutboundAnswer,
    OutboundRequest,
    Timeout,
    send,
)

BODY = b'{"auth_code":"134567"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Token: s3cr3t\r\n\r\n{}"


class Peer:
    """A counterparty that says exactly these bytes, one script per connection."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.heard: list[bytes] = []
        self.connections = 0

    def answers(self, *scripts: Callable[[socket.socket], None] | bytes) -> None:
        threading.Thread(target=self._serve, args=(scripts,), daemon=True).start()

    def _serve(self, scripts) -> None:
        for script in scripts:
            accepted, _address = self.listener.accept()
            self.connections += 1
            with accepted:
                accepted.settimeout(5)
                self.heard.append(heard(accepted))
                if callable(script):
                    script(accepted)
                else:
                    accepted.sendall(script)


def heard(connection: socket.socket) -> bytes:
    """One whole request; headers and body may come apart."""
    received = b""
    while BODY not in received and (more := connection.recv(65536)):
        received += more
        if received[:1] == b"\x16":  # a TLS greeting has no end we know
            break
    return received


@pytest.fixture
def peer() -> Iterator[Peer]:
    outbound_clients.forget_clients()
    made = Peer()
    yield made
    made.listener.close()


def request(url: str, **changes) -> OutboundRequest:
    values = {"counterparty": "wechat_pay", "operation": "capture", "reference": "CA1",
              "method": "POST", "url": url, "timeout": Timeout(1, 0.4),
              "headers": {"Authorization": "s3cr3t"}, "body": BODY}  # fmt: skip
    return OutboundRequest(**(values | changes))


def said(answer: OutboundAnswer) -> tuple[int | None, Failure | None]:
    return answer.status, answer.failure


@pytest.mark.django_db
def test_answer_and_its_trace(peer):
    peer.answers(OK)
    answer = send(request(f"{peer.url}/v3/pay?key=s3cr3t"))
    assert (said(answer), answer.body) == ((200, None), b"{}")
    call = OutboundCall.objects.get()
    assert (call.counterparty, call.operation, call.reference) == ("wechat_pay", "capture", "CA1")
    assert (call.method, call.url) == ("POST", f"{peer.url}/v3/pay?key=***")
    assert (call.request_body, call.response_body) == ('{"auth_code": "***"}', "{}")
    plain = hashlib.sha256(BODY).hexdigest()
    assert call.request_sha256 == blind_index(plain, purpose="outbound body") != plain
    assert (call.status, call.failure) == (200, "")
    assert "s3cr3t" not in repr(OutboundCall.objects.values())
    assert BODY in peer.heard[0]


@pytest.mark.django_db
@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 502])
def test_every_status_is_an_answer_and_no_redirect_is_followed(peer, status):
    head = f"HTTP/1.1 {status} X\r\nLocation: {peer.url}/again\r\nContent-Length: 0\r\n\r\n"
    peer.answers(head.encode(), OK)
    assert said(send(request(peer.url))) == (status, None)
    assert peer.connections == 1


@pytest.mark.django_db
def test_without_a_key_the_answer_and_its_trace_are_kept(peer, monkeypatch):
    monkeypatch.setattr("core.outbound.blind_index", no_key)
    peer.answers(OK)
    assert said(send(request(peer.url))) == (200, None)
    assert OutboundCall.objects.get().request_sha256 == ""


def no_key(_value: str, *, purpose: str) -> str:
    raise KeyMissing("no index key is configured")


def slow_drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "_case",
    [
        b"",  # closed without a word
        b"HTTP/1.1 200 OK\r\nContent-Le",  # cut in the headers
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",  # cut in the body
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"SSH-2.0-OpenSSH\r\n",
        lambda connection: time.sleep(1),
        slow_drip,
        reset,
    ],
)
def test_after_the_first_byte_nothing_is_known(_case, peer):
    peer.answers(_case)
    started = time.monotonic()
    answer = send(request(peer.url))
    assert said(answer) == (None, Failure.NO_ANSWER)
    assert time.monotonic() - started < 3
    call = OutboundCall.objects.get()
    assert (call.status, call.failure) == (None, "NO_ANSWER")
    assert call.failure_detail


@pytest.mark.django_db
def test_answer_without_end_is_cut(peer):
    peer.answers(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000)
    answer = send(request(peer.url, answer_length_max=1000))
    assert said(answer) == (None, Failure.NO_ANSWER)


@pytest.mark.django_db
def test_refused_connection_was_surely_not_executed(peer):
    peer.listener.close()
    assert said(send(request(peer.url))) == (None, Failure.NOT_SENT)
    assert OutboundCall.objects.get().failure == "NOT_SENT"


@pytest.mark.django_db
def test_unknown_host_and_failed_tls_were_not_sent(peer):
    answer = send(request("http://no-such-host.invalid/"))
    assert said(answer) == (None, Failure.NOT_SENT)
    peer.answers(b"no TLS here\r\n")
    assert said(send(request(peer.url.replace("http", "https")))) == (None, Failure.NOT_SENT)


@pytest.mark.django_db
def test_connect_timeout_was_not_sent(monkeypatch, peer):
    # given a listener whose queue is full, so that no handshake completes
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(full.getsockname())
    time.sleep(0.1)
    url = f"http://127.0.0.1:{full.getsockname()[1]}/"
    assert said(send(request(url, timeout=Timeout(0.2, 1)))) == (None, Failure.NOT_SENT)
    for one in (*waiting, full):
        one.close()


@pytest.mark.django_db(transaction=True)
def test_never_inside_a_transaction(peer):
    with transaction.atomic(), pytest.raises(InsideTransaction):
        send(request(peer.url))
    assert (peer.connections, OutboundCall.objects.count()) == (0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["ftp://x/", "nonsense", "http://[broken/"])
def test_wrong_address_is_our_mistake(url, peer):
    with pytest.raises(ValueError):
        send(request(url))


def test_limits_are_required():
    for bad in ((0, 1), (1, 0), (-1, 1)):
        with pytest.raises(ValueError):
            Timeout(*bad)
    with pytest.raises(TypeError):
        OutboundRequest("c", "o", "r", "GET", "http://x/")


@pytest.mark.django_db
def test_connection_is_kept(peer):
    def twice(accepted: socket.socket) -> None:
        accepted.sendall(OK)
        heard(accepted)
        accepted.sendall(OK)

    peer.answers(twice)
    assert [said(send(request(peer.url))) for _ in range(2)] == [(200, None)] * 2
    assert peer.connections == 1


def test_clients_are_per_counterparty_and_certificate():
    one = outbound_clients.client_for("wechat_pay", None, "")
    assert outbound_clients.client_for("wechat_pay", None, "") is one
    assert outbound_clients.client_for("alipay", None, "") is not one
    outbound_clients.forget_clients()
    assert outbound_clients.client_for("wechat_pay", None, "") is not one


def test_unusable_certificate_is_our_mistake_and_stays_secret():
    with pytest.raises(ValueError) as error:
        outbound_clients.client_for("bank", ClientCert("no cert", "no key"), "")
    assert "no key" not in str(error.value)
    with pytest.raises(ValueError):
        outbound_clients.client_for("bank", None, "/no/such/ca.pem")
    assert "s3cr3t" not in repr(ClientCert("c", "s3cr3t", "s3cr3t"))


@pytest.mark.django_db(transaction=True)
def test_lost_trace_does_not_lose_the_answer(peer, caplog):
    peer.answers(OK)
    answer = send(request(peer.url, operation="x" * 60))  # longer than its column
    assert said(answer) == (200, None)
    assert "not recorded" in caplog.text
    assert "134567" not in caplog.text
    assert connection.is_usable()
