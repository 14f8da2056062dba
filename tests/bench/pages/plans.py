"""How PostgreSQL would answer the statements of a page: no large table is read from end to end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

LARGE = 100_000  # rows
READS = re.compile(r"[\s(]*(SELECT|WITH)\b", re.IGNORECASE)


@dataclass
class Statements:
    """What a request asked of the database: each statement with its values."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.asked)

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.asked.append((sql, params))
        return execute(sql, params, many, context)


@contextmanager
def statements_recorded() -> Iterator[Statements]:
    """Every statement of this process's connection, also of prepared ones; not BEGIN and COMMIT."""
    found = Statements()
    with connection.execute_wrapper(found):
        yield found


def offenders(found: Statements, *, large: set[str]) -> list[str]:
    """The reads from end to end of a large table, each as a line; no line is what one wants."""
    lines = []
    for sql, params in {str(sql): (str(sql), params) for sql, params in found.asked}.values():
        if READS.match(sql):
            words = " ".join(sql.split())
            lines += [f"{fault}: {words}" for fault in _faults(sql, params, large)]
    return lines


def large_tables(rows: int = LARGE) -> set[str]:
    """By the statistics that the planner itself goes by."""
    counted = "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s"
    with connection.cursor() as cursor:
        cursor.execute(counted, [rows])
        return {name for (name,) in cursor.fetchall()}


def _faults(sql: str, params: Any, large: set[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (answer,) = cursor.fetchone()
    plan = answer if isinstance(answer, list) else json.loads(answer)
    return [
        f"{node['Node Type']} on {node['Relation Name']}"
        for node in _nodes(plan[0]["Plan"])
        if node.get("Relation Name") in large and _reads_all(node)
    ]


def _reads_all(node: dict[str, Any]) -> bool:
    """A whole table, or a whole index whose rows are looked through for the right ones. A list's
    first page walks along the key without looking for anything, and stops."""
    if node["Node Type"] == "Seq Scan":
        return True
    along = node["Node Type"] in {"Index Scan", "Index Only Scan"} and "Index Cond" not in node
    return along and "Filter" in node


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
