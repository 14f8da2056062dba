"""Many callers in the same moment, with as many connections as a server's pool would give them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

CONNECTIONS = 24
PATIENCE_S = 120


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls in threads that start together; their answers or exceptions, in order."""
    gate = threading.Barrier(len(calls))
    places = threading.BoundedSemaphore(CONNECTIONS)
    answers: list[Any] = [None] * len(calls)

    def run(position: int, call: Callable[[], Any]) -> None:
        gate.wait(timeout=PATIENCE_S)
        with places:
            try:
                answers[position] = call()
            except Exception as error:
                answers[position] = error
            finally:
                connection.close()

    threads = [threading.Thread(target=run, args=one, daemon=True) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
        assert not thread.is_alive(), "a caller hangs"
    return answers
