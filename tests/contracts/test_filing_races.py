"""Two filings of one person asked at once, each in a thread with a connection of its own: one is
sent, and whoever comes second is told why theirs is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection

from core.actors import Actor
from core.errors import Conflict
from core.models import AuditEvent
from insurance.models import Entitlement, Filing
from insurance.services.filings import rights_ask, sending
from tests.contracts.test_nhsa_filings import BY, House, house

__all__ = ["house"]
pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 30
CLERK = Actor("staff", "clerk", "李窗口")
UNDER_WAY = "有一条备案正在处理，请等它的结果。"
STANDS = "已经备案，有效期到 2027-11-19。"

Ask = Callable[[House], Filing]
PAIRS: dict[str, tuple[Ask, Ask, str]] = {
    "the same way": (lambda one: one.file(), lambda one: one.file(by=CLERK), "2501"),
    "two ways": (lambda one: one.file(), lambda one: one.file(way="transfer", by=CLERK), "2501"),
    "a disease": (lambda one: one.chronic(), lambda one: one.chronic(by=CLERK), "2503"),
}


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked at everything there is to look at before either writes that it asks."""
    barrier, insert = threading.Barrier(2), sending.row_insert_new

    def inserted(row: Filing) -> bool:
        barrier.wait(PATIENCE_S)
        return insert(row)

    monkeypatch.setattr(sending, "row_insert_new", inserted)


def at_once(*works: Callable[[], Filing]) -> list[Filing | Conflict]:
    """What each of them got; a refusal is what it got."""

    def run(work: Callable[[], Filing]) -> Filing | Conflict:
        close_old_connections()
        try:
            return work()
        except Conflict as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [one.result(PATIENCE_S) for one in [pool.submit(run, work) for work in works]]


def one_refused(ends: list[Filing | Conflict]) -> Conflict:
    (refused,) = [one for one in ends if isinstance(one, Conflict)]
    return refused


def one_sent(house: House, code: str, status: str) -> None:
    """One row, one message, one line in the audit, and one filing where the insurer keeps them."""
    assert (Filing.objects.get().status, house.said(code)) == (status, 1)
    assert AuditEvent.objects.filter(action="insurance_filing_asked").count() == 1
    rights_ask(patient=house.person, place=house.place)
    assert Entitlement.objects.count() == 1


@pytest.mark.parametrize("lost", ["", "drop_after"])
@pytest.mark.parametrize("pair", PAIRS)
def test_of_two_filings_asked_at_once_one_is_sent(
    house: House, meet: None, pair: str, lost: str
) -> None:
    first, second, code = PAIRS[pair]
    if lost:
        house.fault("filing", lost)
    refused = one_refused(at_once(lambda: first(house), lambda: second(house)))
    assert (refused.code, str(refused.message)) == ("filing_under_way", UNDER_WAY)
    one_sent(house, code, "ASKED" if lost else "FILED")


def test_who_looked_before_the_first_was_filed_is_told_that_it_stands(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a second who is held up between its last look and its own row
    held, filed, insert = threading.Event(), threading.Event(), sending.row_insert_new

    def slow(row: Filing) -> bool:
        if row.asked_by == CLERK.key:
            held.set()
            assert filed.wait(PATIENCE_S)
        return insert(row)

    def first() -> Filing:
        assert held.wait(PATIENCE_S)
        try:
            return house.file()
        finally:
            filed.set()

    monkeypatch.setattr(sending, "row_insert_new", slow)
    refused = one_refused(at_once(first, lambda: house.file(by=CLERK)))
    assert (refused.code, str(refused.message)) == ("filed_already", STANDS)
    assert Filing.objects.get().asked_by == BY.key
    one_sent(house, "2501", "FILED")
