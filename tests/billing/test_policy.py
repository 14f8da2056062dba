"""A hospital changes a limit by its name; a misspelt one stops the start."""

from __future__ import annotations

from typing import Any

import pytest

from billing.checks import policy_check
from billing.policy import Policy, policy


@pytest.fixture(autouse=True)
def fresh() -> Any:
    policy.cache_clear()
    yield
    policy.cache_clear()


def test_a_hospital_names_what_it_changes(settings: Any) -> None:
    settings.BILLING_POLICY = {"return_review_above_fen": 50_000, "query_at_s": [2, 4]}
    assert policy_check(None) == []
    assert policy() == Policy(return_review_above_fen=50_000, query_at_s=(2, 4))


@pytest.mark.parametrize(
    ("named", "fault"),
    [
        ({"lease": 5}, "lease is not known"),
        ({"lease_s": "5"}, "lease_s must be like 15"),
        ({"lease_s": 0}, "lease_s must be like 15"),
        ({"lease_s": True}, "lease_s must be like 15"),
        ({"lease_s": [5]}, "lease_s must be like 15"),
        ({"query_at_s": 5}, "query_at_s must be like (3, 5, 10, 20, 30)"),
        ({"query_at_s": []}, "query_at_s must be like (3, 5, 10, 20, 30)"),
    ],
)
def test_what_is_no_number_of_the_page_stops_the_start(
    settings: Any, named: dict[str, Any], fault: str
) -> None:
    settings.BILLING_POLICY = named
    assert [str(message.msg) for message in policy_check(None)] == [f"BILLING_POLICY: {fault}"]
