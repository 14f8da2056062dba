"""Row locks and advisory locks. Apps call these only from their `locks.py`.

Locking a row marks the instance; `core.states.transition` asks for the mark. A mark lives exactly
as long as the database lock behind it: it is a commit hook of the transaction that took the lock,
so Django drops it at commit, at rollback, and at the rollback of the savepoint it was taken in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Generic, TypeVar

from django.db import connection, models, transaction

from core.prepared import PreparedQuery, read_in_turn

# The one order of the house, by the tables' labels; rows of one table go by primary key, and a name
# (`advisory_lock`) before the rows it guards. What belongs to one bill or one claim is only ever
# taken under that row's lock, so its place among the others matters less. Tables not named here
# come after these, by their labels, and the ledger's day and accounts last of all.
LOCK_ORDER = (
    "patients.binding",
    "patients.patientmerge",
    "patients.patient",
    "patients.identifier",
    "patients.patientaccess",
    "patients.encounter",
    "billing.invoice",
    "insurance.claim",
    "insurance.insuredvisit",
    "insurance.filing",
    "billing.billingreview",
    "billing.chargeitem",
    "billing.payment",
    "billing.paymenttransaction",
    "billing.collectrequest",
    "billing.invoicereturn",
    "billing.agreement",
    "billing.paymentnotice",
    "billing.shift",
    "patients.notification",
)
_MARK = "_lock_mark"


class NotLocked(RuntimeError):
    """A programming error: the row was not locked in the current transaction."""


class _Mark:
    """Pending in the transaction's commit hooks while the locks taken with it are held."""

    __slots__ = ()

    def __call__(self) -> None:
        """Nothing is to be done at commit; being forgotten there is the point."""


Row = TypeVar("Row", bound=models.Model)


def lock_rows(queryset: models.QuerySet[Row]) -> list[Row]:
    """Read the rows fresh and lock them until the transaction ends, ordered by primary key.

    The order is what keeps two callers with overlapping rows from waiting for each other for ever.
    """
    if not connection.in_atomic_block:
        raise NotLocked("a lock outside a transaction would be gone at once")
    return _marked(list(_locking(queryset)))


def lock_row(queryset: models.QuerySet[Row]) -> Row:
    """Lock the single row of the queryset; DoesNotExist and MultipleObjectsReturned as `get()`."""
    return single(lock_rows(queryset), queryset.model)


def lock_rows_free(queryset: models.QuerySet[Row], *, limit: int) -> list[Row]:
    """The first rows of an ordered queryset that nobody else is holding, locked: a queue's next."""
    if not connection.in_atomic_block:
        raise NotLocked("a lock outside a transaction would be gone at once")
    free = queryset.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return _marked(list(free[:limit]))


class PreparedLock(Generic[Row]):
    """`lock_rows` of a declared queryset, prepared (`core.prepared.PreparedQuery`)."""

    def __init__(
        self, model: type[Row], build: Callable[..., models.QuerySet[Row]], *kinds: type
    ) -> None:
        self._model = model
        self.query = PreparedQuery(lambda *values: _locking(build(*values)), *kinds)

    def rows(self, *values: int | str | date) -> list[Row]:
        """The rows, locked until the transaction ends."""
        if not connection.in_atomic_block:
            raise NotLocked("a lock outside a transaction would be gone at once")
        return _marked(self.query(*values))

    def row(self, *values: int | str | date) -> Row:
        """The single row; DoesNotExist and MultipleObjectsReturned as `get()`."""
        return single(self.rows(*values), self._model)


def lock_in_turn(
    *asked: tuple[PreparedLock[Any] | PreparedQuery[Any], Sequence[int | str | date]],
) -> list[list[Any]]:
    """The rows of each lock, taken one after the other in one round trip.

    Each reads what was committed once the one before it was held, as if asked alone; so does a
    plain query among them, whose rows are only read.
    """
    if not connection.in_atomic_block:
        raise NotLocked("a lock outside a transaction would be gone at once")
    locks = [isinstance(one, PreparedLock) for one, _ in asked]
    found = read_in_turn(
        *((one.query if isinstance(one, PreparedLock) else one, values) for one, values in asked)
    )
    return [_marked(rows) if lock else rows for rows, lock in zip(found, locks, strict=True)]


def _locking(queryset: models.QuerySet[Row]) -> models.QuerySet[Row]:
    # No key is ever changed here; a lock that guards keys too would make every foreign key checked
    # at another's commit wait for it, and two such commits for each other.
    return queryset.select_for_update(of=("self",), no_key=True).order_by("pk")


def _marked(rows: list[Row]) -> list[Row]:
    mark = _current_mark()
    for row in rows:
        setattr(row, _MARK, mark)
    return rows


def single(rows: list[Row], model: Any) -> Row:
    """The only row; DoesNotExist and MultipleObjectsReturned of the model as `get()`."""
    if len(rows) != 1:
        refusal = model.MultipleObjectsReturned if rows else model.DoesNotExist
        raise refusal(f"{len(rows)} rows of {model._meta.label} match, one was expected")
    return rows[0]


def is_locked(row: models.Model) -> bool:
    """Whether this instance was locked in the transaction that is open now."""
    mark = getattr(row, _MARK, None)
    return mark is not None and any(hook[1] is mark for hook in connection.run_on_commit)


def mark_created(row: Row) -> Row:
    """Mark a row this transaction has just inserted: nobody else can see it, so it is ours."""
    if not connection.in_atomic_block:
        raise NotLocked("a row inserted outside a transaction is already everybody's")
    setattr(row, _MARK, _current_mark())
    return row


def mark_held(row: Row, *, under: models.Model) -> Row:
    """Mark a row that the house touches only while the row it belongs to is locked.

    It must have been read after that lock was taken.
    """
    if not is_locked(under):
        raise NotLocked(f"{under._meta.label} {under.pk} is not locked in this transaction")
    setattr(row, _MARK, getattr(under, _MARK))
    return row


def advisory_lock(key: str, *, shared: bool = False, wait: bool = True) -> bool:
    """Lock a name until the transaction ends; False only when not waiting and it is taken."""
    if not connection.in_atomic_block:
        raise NotLocked("an advisory lock outside a transaction would be gone at once")
    function = ("pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock") + (
        "_shared" if shared else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [advisory_number(key)])
        row = cursor.fetchone()
    return wait or bool(row and row[0])


def advisory_number(key: str) -> int:
    """A name as the signed 64-bit number PostgreSQL locks by, the same in every process."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _current_mark() -> _Mark:
    """The mark of the present savepoint depth; one hook serves all locks taken at that depth."""
    hooks = connection.run_on_commit
    if hooks and isinstance(hooks[-1][1], _Mark) and hooks[-1][0] == set(connection.savepoint_ids):
        return hooks[-1][1]
    mark = _Mark()
    transaction.on_commit(mark)
    return mark
