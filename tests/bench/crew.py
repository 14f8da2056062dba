"""One contender at work: a process per connection, all working during the same window."""

from __future__ import annotations

import importlib
import multiprocessing as mp
import os
import resource
import time
from collections.abc import Callable
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

    The processes are forked from this one, which must hold no open connection; a contender with
    settings of its own (`django_settings`) gets fresh processes instead.
    """

    job: str
    connections: int
    options: dict[str, Any] = field(default_factory=dict)
    django_settings: str = ""
    _pipes: list[Connection] = field(default_factory=list)
    _processes: list[Any] = field(default_factory=list)
    rss_mb: float = 0.0

    def __enter__(self) -> Crew:
        context = mp.get_context("spawn" if self.django_settings else "fork")
        for worker in range(self.connections):
            ours, theirs = context.Pipe()
            arguments = (theirs, self.job, worker, self.options, self.django_settings)
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
        self.rss_mb = max(self.rss_mb, *(rss for _, _, rss in answers), 0.0)
        return sum(count / elapsed for count, elapsed, _ in answers)


def _answer(pipe: Connection) -> tuple[int, float, float]:
    if not pipe.poll(START_SECONDS):
        raise TimeoutError("a worker of the bench does not answer")
    answer = pipe.recv()
    if isinstance(answer, str):
        raise RuntimeError(answer)
    return answer  # type: ignore[no-any-return]


def _work(
    pipe: Connection, job: str, worker: int, options: dict[str, Any], django_settings: str
) -> None:
    try:
        if django_settings:
            os.environ["DJANGO_SETTINGS_MODULE"] = django_settings
            importlib.import_module("django").setup()
        module, _, name = job.rpartition(".")
        operation = getattr(importlib.import_module(module), name)(worker, **options)
        for _ in range(WARM_UP):
            operation()
        pipe.send((0, 0.0, _rss_mb()))
        while (seconds := pipe.recv()) is not None:
            pipe.send(_window(operation, seconds))
    except Exception as error:  # whatever it is, the parent must hear of it
        pipe.send(f"{job}: {type(error).__name__}: {error}")


def _window(operation: Operation, seconds: float) -> tuple[int, float, float]:
    count, start = 0, time.perf_counter()
    end = start + seconds
    while (now := time.perf_counter()) < end:
        operation()
        count += 1
    return count, max(now - start, 1e-9), _rss_mb()


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
