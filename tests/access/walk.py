"""One walk over a part of the house: everybody asks everything, and each answer is judged three
times: who may (T16), what stands there in the clear (T17), what surrounds it (T21)."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse

from core.log_lines import LineFormatter
from tests.access.headers import answer_faults
from tests.access.masks import Seen, body_of, differences, logged, none_seen, shown
from tests.access.matrix import Row, rows
from tests.access.payloads import payload
from tests.access.roles import ROLES, Asker, Books, answer_text, askers, rolled_back
from tests.access.routes import address
from tests.access.world import World, world

# The same for everybody, whoever asks.
PUBLIC = ("healthz", "help", "_dev/clock", "api/schema/", "admin/jsi18n/")
OK = 200


@dataclass(slots=True)
class Walk:
    """What the walk found; empty lists are a house in order."""

    part: str
    cells: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: Seen = field(default_factory=none_seen)
    written: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)

    @property
    def leaks(self) -> list[str]:
        return differences(self.seen, {row.route for row in rows(self.part)})


def walk(part: str) -> Walk:
    found, made = Walk(part), world()
    people, books = askers(made, ROLES[part]), Books()
    with own_log() as log:
        for row in rows(part):
            for asker in people.values():
                _ask(found, made, row, asker, books)
    found.written |= {f"a log line: {one}" for one in logged(log.getvalue(), made.secrets)}
    return found


def _ask(found: Walk, made: World, row: Row, asker: Asker, books: Books) -> None:
    """One cell; what it did is undone before the next."""
    thing = made.things[row.thing] if row.thing else {}
    path, sent = address(row.route, thing), payload(row.method, row.route, thing, asker)
    with rolled_back():
        answer = asker.ask(row.method, path, sent)
        changed = books.changed()
        trails = books.trails()
    if asker.is_his:
        # What makes a system's row another caller is no doing of that caller.
        changed = [one for one in changed if one != "patients_hisclient"]
    found.cells += 1
    _answered(found, row, asker.role, answer, changed)
    secrets = shown(body_of(answer), made.secrets)
    for one in secrets:
        found.seen[one, row.route].add(asker.role)
    found.written |= {f"{row}: {one} in a trail" for one in logged(trails, made.secrets)}
    personal = bool(secrets) or (asker.role != "nobody" and answer.status_code == 200)
    personal = personal and row.route not in PUBLIC
    found.bare |= {f"{row}: {one}" for one in answer_faults(path, answer, personal=personal)}


def _answered(found: Walk, row: Row, role: str, answer: HttpResponse, changed: list[str]) -> None:
    said = answer_text(answer)
    if said != row.answers[role]:
        found.wrong.append(f"{row} {role}: {said}, not {row.answers[role]}")
    if bool(changed) != (role in row.writes):
        found.wrong.append(f"{row} {role}: changed {changed}")


@contextmanager
def own_log() -> Iterator[io.StringIO]:
    """Every line of the portal's log, as its own settings write it, from INFO up."""
    text, root = io.StringIO(), logging.getLogger()
    handler: Any = logging.StreamHandler(text)
    handler.setFormatter(_formatter(root))
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield text
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


def _formatter(root: logging.Logger) -> logging.Formatter:
    """The one that the settings give to the lines."""
    found = [one.formatter for one in root.handlers if isinstance(one.formatter, LineFormatter)]
    assert found, "the settings write lines as they come"
    return found[0]
