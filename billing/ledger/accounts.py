"""From an account's path to its row: made at the first posting, then known to the process.

Account rows never change, so what a process has learnt stays true. A row made in a transaction that
may still be rolled back is remembered only once that transaction has committed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from django.db import connection, transaction

from billing.ledger.chart import Family, Subject, family_of

KNOWN_MAX = 50_000  # patient deposits and credit lines are accounts too: the memory is bounded


class KnownAccount(NamedTuple):
    id: int
    needs_subject: bool


_known: dict[str, KnownAccount] = {}


def accounts_forget() -> None:
    """Forget what this process knows. Needed only where the tables themselves are replaced."""
    _known.clear()


def accounts_resolve(codes: Collection[str]) -> dict[str, KnownAccount]:
    """The rows of these paths; raises `UnknownAccount` for a path outside the chart."""
    missing = sorted({code for code in codes if code not in _known})
    if not missing:
        return _known
    found = _read(missing)
    made = [(code, family_of(code)) for code in missing if code not in found]
    if made:
        _create(made)
        found.update(_read([code for code, _ in made]))
    # A row read here may be this transaction's own of a moment ago.
    transaction.on_commit(lambda: _remember(found))
    return {**{code: _known[code] for code in codes if code in _known}, **found}


def _remember(found: dict[str, KnownAccount]) -> None:
    if len(_known) + len(found) > KNOWN_MAX:
        _known.clear()
    _known.update(found)


def _read(codes: Collection[str]) -> dict[str, KnownAccount]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, id, needs_subject FROM ledger_account WHERE code = ANY(%s)", [list(codes)]
        )
        return {code: KnownAccount(id_, needs) for code, id_, needs in cursor.fetchall()}


def _create(families: list[tuple[str, Family]]) -> None:
    """In the order of the paths, so that two transactions making the same ones cannot deadlock."""
    rows = [
        (code, family.code, family.kind.value, family.subject is not Subject.NONE)
        for code, family in families
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ledger_account (code, family, kind, needs_subject)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (code) DO NOTHING",
            rows,
        )
