"""One contender at work: its connections spread over processes, all working in the same window."""

from __future__ import annotations

import importlib
import multiprocessing as mp
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

WARM_UP = 60  # operations before the first window: connections, plans and caches are warm
START_SECONDS = 120

Operation = Callable[[], object]


@dataclass
class Crew:
    """`job` is the dotted path of a function `(worker, **options) -> Operation`.

    A connection has a process of its own, or, where `processes` says so, a thread in one of them;
    `worker` counts connections. The processes are forked from this one, which must hold no open
    connection; a contender with settings of its own (`django_settings`) gets fresh ones instead.
    """

    job: str
    connections: int
    options: dict[str, Any] = field(default_factory=dict)
    processes: int = 0  # as many as connections
    django_settings: str = ""
    _pipes: list[Connection] = field(default_factory=list)
    _processes: list[Any] = field(default_factory=list)
    rss_mb: float = 0.0

    def __enter__(self) -> Crew:
        context = mp.get_context("spawn" if self.django_settings else "fork")
        processes = min(self.processes or self.connections, self.connections)
        for first in range(processes):
            ours, theirs = context.Pipe()
            workers = range(first, self.connections, processes)
            arguments = (theirs, self.job, workers, self.options, self.django_settings)
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            _answer(pipe)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Told in words: a forked sibling holds a copy of each pipe, so closing ends nothing.
        for pipe in self._pipes:
            pipe.send(None)
            pipe.close()
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()

    def rate(self, seconds: float) -> float:
        """Operations per second, all connections together, over one window."""
        for pipe in self._pipes:
            pipe.send(seconds)
        answers = [_answer(pipe) for pipe in self._pipes]
        self.rss_mb = max(self.rss_mb, *(rss for _, rss in answers), 0.0)
        return sum(rate for rate, _ in answers)


def _answer(pipe: Connection) -> tuple[float, float]:
    if not pipe.poll(START_SECONDS):
        raise TimeoutError("a worker of the bench does not answer")
    answer = pipe.recv()
    if isinstance(answer, str):
        raise RuntimeError(answer)
    return answer  # type: ignore[no-any-return]


def _work(
    pipe: Connection, job: str, workers: range, options: dict[str, Any], django_settings: str
) -> None:
    try:
        if django_settings:
            os.environ["DJANGO_SETTINGS_MODULE"] = django_settings
            importlib.import_module("django").setup()
        module, _, name = job.rpartition(".")
        begin = getattr(importlib.import_module(module), name)
        # A thread per connection for the whole life: Django keeps its connections by thread.
        threads = [ThreadPoolExecutor(1) for _ in workers]
        started = [
            thread.submit(_ready, begin, worker, options)
            for thread, worker in zip(threads, workers, strict=True)
        ]
        operations = [one.result() for one in started]
        pipe.send((0.0, _rss_mb()))
        while (seconds := pipe.recv()) is not None:
            windows = [
                thread.submit(_window, operation, seconds)
                for thread, operation in zip(threads, operations, strict=True)
            ]
            pipe.send((sum(one.result() for one in windows), _rss_mb()))
    except Exception as error:  # whatever it is, the parent must hear of it
        pipe.send(f"{job}: {type(error).__name__}: {error}")


def _ready(begin: Callable[..., Operation], worker: int, options: dict[str, Any]) -> Operation:
    """The operation of one connection, warm."""
    operation = begin(worker, **options)
    for _ in range(WARM_UP):
        operation()
    return operation


def _window(operation: Operation, seconds: float) -> float:
    """Operations per second of one connection."""
    count, start = 0, time.perf_counter()
    end = start + seconds
    while (now := time.perf_counter()) < end:
        operation()
        count += 1
    return count / max(now - start, 1e-9)


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
