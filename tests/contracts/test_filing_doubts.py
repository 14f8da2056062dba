"""A filing that was sent and never answered, while the queries say nothing: people end it, with a
reason, two of them where a bill hangs on it; and the patient hears how."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from config.roles import roles_sync
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, Forbidden, NotFound, Refusal
from core.models import AuditEvent, StateChange
from insurance.filings import rights_of
from insurance.gateway.claim_values import Split
from insurance.models import Claim, Entitlement, Filing, FilingDecision
from insurance.models.claim import split_fields
from insurance.services.filings import (
    filing_doubt_decide,
    filing_doubt_end,
    filing_doubt_ready,
    filing_end,
)
from insurance.services.filings.answers import filing_sentence
from insurance.tasks import sweep_filings
from patients.models import Notification
from tests.billing.desk.people import browser
from tests.contracts.test_nhsa_filings import BY, TODAY, House, house
from tests.factories import patients

__all__ = ["house"]
pytestmark = pytest.mark.django_db(transaction=True)
CLERK, OTHER = Actor("staff", "cashier", "李窗口"), Actor("staff", "reviewer", "王复核")
WHY = "电话询问深圳市医保局，经办人张工"
LATE_S = 901


@pytest.fixture
def silent(house: House, still_clock: clock.FrozenClock) -> House:
    """A filing that arrived there, an answer that did not come, and queries that say nothing."""
    house.fault("filing", "drop_after")
    house.file()
    _silence(house, still_clock)
    return house


def _silence(house: House, at: clock.FrozenClock) -> None:
    house.fault("query", "http_500_before", times=99)
    for seconds in (35, LATE_S):
        later(house, at, seconds)
        sweep_filings()


def later(house: House, at: clock.FrozenClock, seconds: int) -> None:
    """Both clocks; the insurer takes no message of another hour."""
    moved = house.sandbox.control("POST", "clock", {"advance_s": seconds})["now"]
    at.at = datetime.fromisoformat(moved).astimezone(clock.ZONE)


def row() -> Filing:
    return Filing.objects.get()


def end(**values: Any) -> FilingDecision | None:
    said = {"filing_id": row().pk, "verdict": "stands", "filing_no": "B440300001", "why": WHY}
    return filing_doubt_end(**{"by": CLERK} | said | values)  # type: ignore[arg-type]


def claim(house: House, **values: Any) -> Claim:
    """A bill of the patient at the insurer."""
    visit = patients.encounter(of=house.person)
    filled = {"status": "OPEN", "opened_by": "system:system", "created_at": clock.now()}
    return Claim.objects.create(**{
        "invoice_ref": 1, "encounter": visit, "patient": house.person, "institution": house.place,
        "amount_fen": 1_000, "med_type": "11", "batch_no": "CB1", "occurred_at": clock.now(),
    } | filled | values)  # fmt: skip


def told() -> list[tuple[str, Any]]:
    rows = Notification.objects.order_by("pk").values_list("kind", "facts")
    return [(kind, facts) for kind, facts in rows]


def refused(kind: type[Refusal], code: str, **values: Any) -> None:
    with pytest.raises(kind) as given:
        end(**values)
    assert given.value.code == code and str(given.value.message)
    assert row().status in Filing.IN_DOUBT and not FilingDecision.objects.exists() and not told()


def test_accepted_elsewhere_it_stands_with_its_number(silent: House) -> None:
    assert filing_doubt_ready(row()) and end() is None
    ended = row()
    assert (ended.status, ended.filing_no, ended.due_at) == ("FILED", "B440300001", None)
    assert filing_sentence(ended) == ""
    standing = rights_of(silent.person.pk, silent.place).filed
    assert standing is not None and standing.filing_no == "B440300001"
    change = StateChange.objects.get(entity="insurance.filing", to_status="FILED")
    assert (change.actor, change.reason) == (CLERK.key, WHY)
    event = AuditEvent.objects.get(action="insurance_filing_doubt")
    assert (event.actor, event.detail["verdict"]) == (CLERK.key, "stands")
    assert [kind for kind, _facts in told()] == ["filing_stands"]
    assert silent.said("2501") == 1


def test_what_never_happened_is_refused_and_may_be_filed_anew(silent: House) -> None:
    assert end(verdict="nothing", filing_no="") is None
    ended = row()
    assert (ended.status, ended.answer_code, ended.filing_no) == ("REFUSED", "BY_HAND", "")
    assert "没有备案" in str(filing_sentence(ended)) and not Entitlement.objects.exists()
    ((kind, facts),) = told()
    assert kind == "filing_not_made" and set(facts) == {"hospital", "name"}
    assert facts["name"] == "赵*"


@pytest.mark.parametrize(
    ("verdict", "status", "kind"),
    [("stands", "FILED", "filing_stands"), ("nothing", "ENDED", "filing_taken_back")],
)
def test_one_that_was_taken_back_ends_either_way(
    house: House, still_clock: clock.FrozenClock, verdict: str, status: str, kind: str
) -> None:
    number = house.file().filing_no
    house.fault("filing", "drop_after")
    assert filing_end(filing_id=row().pk, by=BY).status == "ENDING"
    _silence(house, still_clock)
    assert end(verdict=verdict, filing_no="") is None
    assert (row().status, row().filing_no) == (status, number)
    assert Entitlement.objects.filter(filing_no=number).exists() is (status == "FILED")
    assert [one for one, _facts in told()] == [kind]


def test_a_younger_doubt_ends_by_itself_and_is_left_alone(house: House) -> None:
    house.fault("filing", "drop_after")
    house.file()
    refused(Conflict, "still_asked")
    house.fault("query", "http_500_before", times=9)
    house.swept(600)
    refused(Conflict, "still_asked")


@pytest.mark.parametrize(
    ("kind", "code", "values"),
    [
        (BadInput, "why", {"why": "  "}), (BadInput, "why", {"why": "字" * 501}),
        (BadInput, "verdict", {"verdict": "maybe"}), (BadInput, "filing_no", {"filing_no": ""}),
        (BadInput, "filing_no", {"filing_no": "B 1"}), (BadInput, "filing_no", {"filing_no": "备"}),
        (BadInput, "filing_no", {"filing_no": "B" * 41}), (Forbidden, "not_staff", {"by": BY}),
        (NotFound, "unknown_filing", {"filing_id": 0}),
    ],
)  # fmt: skip
def test_bad_words_end_nothing(
    silent: House, kind: type[Refusal], code: str, values: dict[str, Any]
) -> None:
    refused(kind, code, **values)


@pytest.mark.parametrize("made", ["before", "after"])
def test_where_a_bill_hangs_on_it_another_person_decides(silent: House, made: str) -> None:
    at = clock.now() - timedelta(days=made == "before")
    claim(silent, created_at=at)
    waits = end()
    assert waits is not None and (row().status, told()) == ("ASKED", [])
    with pytest.raises(Conflict) as twice:
        end()
    assert twice.value.code == "decision_waits"
    for same in (CLERK, Actor("staff", "CASHIER", "李窗口")):
        with pytest.raises(Forbidden):
            filing_doubt_decide(decision_id=waits.pk, to="APPROVED", by=same, comment="已核实")
    assert row().status == "ASKED"
    filing_doubt_decide(decision_id=waits.pk, to="APPROVED", by=OTHER, comment="已核实")
    assert (row().status, row().filing_no) == ("FILED", "B440300001")
    assert [kind for kind, _facts in told()] == ["filing_stands"]
    change = StateChange.objects.get(entity="insurance.filing", to_status="FILED")
    assert (change.actor, change.reason) == (OTHER.key, WHY)
    with pytest.raises(Conflict):
        filing_doubt_decide(decision_id=waits.pk, to="APPROVED", by=OTHER, comment="已核实")


def test_an_old_settlement_needs_no_second_person(silent: House) -> None:
    before = clock.now() - timedelta(days=3)
    paid = split_fields("settled", Split(1_000, 0, 0, 0, 0)) | {"settled_at": before}
    claim(silent, status="SETTLED", created_at=before, settlement_no="S1", **paid)
    assert end() is None and row().status == "FILED"


def test_rejected_or_withdrawn_the_filing_stays_in_doubt(silent: House) -> None:
    claim(silent)
    first = end()
    assert first is not None
    with pytest.raises(BadInput):
        filing_doubt_decide(decision_id=first.pk, to="REJECTED", by=OTHER)
    filing_doubt_decide(decision_id=first.pk, to="REJECTED", by=OTHER, comment="查无此号")
    second = end(verdict="nothing", filing_no="")
    assert second is not None
    filing_doubt_decide(decision_id=second.pk, to="WITHDRAWN", by=CLERK)
    assert (row().status, told()) == ("ASKED", [])


def test_an_answer_that_comes_meanwhile_is_the_end(
    silent: House, still_clock: clock.FrozenClock
) -> None:
    claim(silent)
    waits = end(verdict="nothing", filing_no="")
    assert waits is not None
    for fault in silent.sandbox.control("GET", "faults"):
        silent.sandbox.control("DELETE", f"faults/{fault['id']}")
    later(silent, still_clock, 601)
    sweep_filings()
    waits.refresh_from_db()
    assert (row().status, waits.status, waits.decided_by) == ("FILED", "WITHDRAWN", None)
    with pytest.raises(Conflict):
        filing_doubt_decide(decision_id=waits.pk, to="APPROVED", by=OTHER, comment="已核实")
    assert row().until_day > TODAY and told() == []


def test_the_database_keeps_the_rules(silent: House) -> None:
    claim(silent)
    waits = end()
    assert waits is not None
    for changed in (
        {"status": "APPROVED", "decided_by": CLERK.key, "decided_at": clock.now()},
        {"filing_no": ""},
        {"verdict": "nothing"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            FilingDecision.objects.update(**changed)
    waits.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        waits.save(force_insert=True)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def page() -> str:
    return f"/admin/insurance/filing/{row().pk}/"


def press(client: Client, form: str, **values: Any) -> str:
    return text(client.post(f"{page()}{form}/", values, follow=True))


def test_the_window_says_it_and_a_reviewer_agrees(silent: House) -> None:
    roles_sync()
    claim(silent)
    clerk, reviewer = browser("cashier"), browser("reviewer")
    shown = text(clerk.get(f"{page()}change/"))
    assert "医保没有说明结果" in shown and "须由另一人复核" in shown
    assert "请选择" in press(clerk, "doubt", verdict="", why=WHY)
    assert "编号" in press(clerk, "doubt", verdict="stands", filing_no="", why=WHY)
    said = press(clerk, "doubt", verdict="stands", filing_no="B440300001", why=WHY)
    assert "已登记，由另一人复核。" in said and WHY in said
    pk = FilingDecision.objects.get().pk
    assert clerk.post(f"{page()}decide/", {"decision": pk, "verdict": "approve"}).status_code == 403
    assert reviewer.post(f"{page()}doubt/", {"verdict": "stands"}).status_code == 403
    assert f"{page()}change/" in text(reviewer.get("/admin/insurance/filing/?watch=waits"))
    assert row().status == "ASKED"
    assert "已处理" in press(
        reviewer, "decide", decision=str(pk), verdict="approve", comment="已核实"
    )
    assert (row().status, row().filing_no) == ("FILED", "B440300001")


def test_the_window_ends_at_once_what_no_bill_hangs_on(silent: House) -> None:
    roles_sync()
    clerk = browser("cashier")
    assert "没有账单受影响" in text(clerk.get(f"{page()}change/"))
    assert "已告知患者" in press(clerk, "doubt", verdict="nothing", filing_no="", why=WHY)
    assert row().status == "REFUSED"
    assert "已经知道" in press(clerk, "doubt", verdict="nothing", filing_no="", why=WHY)
