"""The number of statements of a call does not depend on how many lines it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.accounts import accounts_resolve
from tests.billing.his.conftest import OPERATOR, His, charge_body, encounter_body

SIZES = (1, 10, 100)


def statements(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        status, _ = call()
    assert status in (200, 201)
    skipped = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return sum(not str(one["sql"]).startswith(skipped) for one in captured)


def listed(prefix: str, size: int, **changes: Any) -> list[dict[str, Any]]:
    return [charge_body(f"{prefix}{size}N{n}", **changes) for n in range(size)]


@pytest.fixture(autouse=True)
def known_accounts(db: None) -> None:
    """A process learns the two accounts once, with its first bill."""
    accounts_resolve(["patient_receivable", "medical_revenue"])


def test_charges_are_put_in_constant_statements(his: His, visit: str) -> None:
    path = "encounters/E1/charges"
    fresh = {n: statements(lambda n=n: his("POST", path, listed("C", n))) for n in SIZES}
    same = {n: statements(lambda n=n: his("POST", path, listed("C", n))) for n in SIZES}
    other = {
        n: statements(lambda n=n: his("POST", path, listed("C", n, amount_fen=7))) for n in SIZES
    }
    assert len(set(fresh.values())) == len(set(same.values())) == len(set(other.values())) == 1
    assert max(fresh[1], same[1], other[1]) <= 6, (fresh, same, other)


def test_bills_are_issued_read_and_cancelled_in_constant_statements(his: His, visit: str) -> None:
    issued, read, replayed, cancelled = {}, {}, {}, {}
    for n in SIZES:
        his("PUT", f"encounters/V{n}", encounter_body())
        his("POST", f"encounters/V{n}/charges", listed("B", n))
        path, body = f"encounters/V{n}/invoices/I{n}", {"operator": OPERATOR}
        issued[n] = statements(lambda path=path, body=body: his("PUT", path, body))
        replayed[n] = statements(lambda path=path, body=body: his("PUT", path, body))
        read[n] = statements(lambda n=n: his("GET", f"invoices/I{n}"))
        cancelled[n] = statements(
            lambda n=n: his("POST", f"invoices/I{n}/cancel", {"operator": OPERATOR})
        )
    for counted in (issued, replayed, read, cancelled):
        assert len(set(counted.values())) == 1, (issued, replayed, read, cancelled)
    assert issued[1] <= 13, issued
    assert read[1] <= 4, read
    assert cancelled[1] <= 18, cancelled
