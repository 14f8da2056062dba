from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from core import clock
from core.actors import SYSTEM, Actor
from core.errors import BadInput, Conflict, Forbidden, Refusal
from core.locking import NotLocked, lock_row
from core.models import StateChange
from core.review import ReviewStatus, review_decide
from tests.core.shapes import Question

pytestmark = pytest.mark.usefixtures("shapes")

OTHER = Actor("staff", "li", "李强")


def opened(by: str = "staff:wang", **fields) -> Question:
    row = Question.objects.create(
        reason_code="amount", summary="?", opened_by=by, opened_at=clock.now(), **fields
    )
    return lock_row(Question.objects.filter(pk=row.pk))


def test_another_person_decides():
    review = opened()
    review_decide(review=review, to=ReviewStatus.APPROVED, by=OTHER, comment=" looked at ")
    stored = Question.objects.get()
    assert (stored.status, stored.decided_by, stored.comment) == (
        "APPROVED",
        "staff:li",
        "looked at",
    )
    assert stored.decided_at == clock.now()
    assert StateChange.objects.get().reason == "looked at"


def test_case_of_the_system_is_decided_by_anyone_of_the_staff(clerk):
    review_decide(review=opened(SYSTEM.key), to="APPROVED", by=clerk, comment="已核对")
    assert Question.objects.get().status == "APPROVED"


@pytest.mark.parametrize(
    "_case",
    [
        ("APPROVED", Actor("staff", "wang"), "ok", Forbidden),  # the maker
        ("REJECTED", Actor("staff", "wang"), "no", Forbidden),
        ("APPROVED", SYSTEM, "ok", Forbidden),  # no person
        ("APPROVED", Actor("his", "li"), "ok", Forbidden),
        ("REJECTED", OTHER, "   ", BadInput),  # no reason
        ("APPROVED", OTHER, " ", BadInput),
        ("REJECTED", OTHER, "因" * 501, BadInput),
        ("WITHDRAWN", OTHER, "", Forbidden),  # not the maker
        ("OPEN", OTHER, "", Conflict),
    ],
)
def test_refused_decisions_change_nothing(_case):
    to, by, comment, refusal = _case
    review = opened()
    with pytest.raises(refusal) as refused:
        review_decide(review=review, to=to, by=by, comment=comment)
    assert isinstance(refused.value, Refusal)
    assert Question.objects.get().status == "OPEN"
    assert not StateChange.objects.exists()


def test_decided_once(clerk):
    review = opened(SYSTEM.key)
    review_decide(review=review, to="REJECTED", by=OTHER, comment="no")
    with pytest.raises(Conflict):
        review_decide(review=review, to="APPROVED", by=clerk, comment="yes")
    assert Question.objects.get().decided_by == "staff:li"


def test_unlocked_case_is_refused():
    review = Question.objects.get(pk=opened().pk)
    with pytest.raises(NotLocked):
        review_decide(review=review, to="APPROVED", by=OTHER, comment="已核对")


def test_maker_withdraws(clerk):
    review_decide(review=opened(clerk.key), to="WITHDRAWN", by=clerk)
    assert Question.objects.get().status == "WITHDRAWN"


@pytest.mark.parametrize(
    "changes",
    [
        "status = 'APPROVED', decided_at = now(), decided_by = opened_by",
        "status = 'APPROVED', decided_at = now(), decided_by = NULL",
        "status = 'REJECTED', decided_at = now(), decided_by = ''",
        "status = 'APPROVED', decided_at = NULL, decided_by = 'staff:li'",
        "status = 'APPROVED', decided_at = now(), decided_by = 'staff:li', opened_by = ''",
        "status = 'WITHDRAWN'",
    ],
)
def test_database_repeats_the_rule(changes):
    opened()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE core_shapes_question SET {changes}")
    assert Question.objects.get().status == "OPEN"
