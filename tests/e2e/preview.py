"""Serves the pay pages of made-up states, so that a browser can look at them without a database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from unittest import mock
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler

from billing import pay_right
from billing.offers import Wallet
from core.errors import NotFound, Refusal
from tests.billing.pay_states import HOSPITAL, NOW, STATES

WALLETS = (Wallet("wechat_pay"), Wallet("alipay"))


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        return


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def page_of(*, token):
    if token == "over":
        raise Refusal("link_expired", "over")
    if token not in STATES:
        raise NotFound("unknown_link", "unknown")
    return STATES[token]


@contextmanager
def preview(port: int = 0) -> Iterator[str]:
    """Yield the address of the portal; a token is the name of a state."""
    with (
        mock.patch.object(pay_right, "page_of", page_of),
        mock.patch.object(pay_right, "wallets_of", lambda *_asked: WALLETS),
        mock.patch.object(pay_right, "hospital", lambda: HOSPITAL),
        mock.patch("core.clock.now", lambda: NOW),
    ):
        handler = StaticFilesHandler(WSGIHandler())
        with make_server("127.0.0.1", port, handler, Server, Quiet) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
