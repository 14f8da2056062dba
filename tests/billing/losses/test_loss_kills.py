"""Whoever records or decides a fund loss dies by `kill -9` between any two writes: nothing is half
done, and whoever comes after does it as if nobody had been there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from billing.ledger.checking import ledger_check
from billing.ledger.models import JournalEntry
from billing.ledger.selectors import subject_balance
from billing.models import FundLoss, LossStep, LossStepKind
from core.errors import Conflict
from core.models import StateChange
from insurance.models import Claim
from tests.billing.losses import house
from tests.billing.losses.house import FUND, balances, borne, done, firm, step
from tests.proof.deaths import KILLED, ended, fork

pytestmark = pytest.mark.django_db(transaction=True)
K = LossStepKind


@pytest.fixture
def claim() -> Claim:
    return house.settled()


def bearing(claim: Claim) -> FundLoss:
    return house.recorded(claim)


def claiming(claim: Claim) -> FundLoss:
    loss = borne(claim)
    step(loss, K.CLAIMED, 2_000, firm())
    return loss


def collecting(claim: Claim) -> FundLoss:
    loss, wechat = borne(claim), firm()
    done(loss, K.CLAIMED, 2_000, wechat)
    step(loss, K.COLLECTED, 1_500, wechat)
    return loss


def giving_up(claim: Claim) -> FundLoss:
    loss, wechat = borne(claim), firm()
    done(loss, K.CLAIMED, 2_000, wechat)
    step(loss, K.WRITTEN_OFF, 500, wechat)
    return loss


def taking_back(claim: Claim) -> FundLoss:
    loss = borne(claim)
    step(loss, K.TAKEN_BACK, 952)
    return loss


# Fund, loss, recourse, bank, bad debt: before the decision, and after it.
STEPS: dict[str, tuple[Callable[[Claim], FundLoss], tuple[int, ...], tuple[int, ...]]] = {
    "borne": (bearing, (2_952, 0, 0, 0, 0), (0, 2_952, 0, 0, 0)),
    "claimed": (claiming, (0, 2_952, 0, 0, 0), (0, 952, 2_000, 0, 0)),
    "collected": (collecting, (0, 952, 2_000, 0, 0), (0, 952, 500, 1_500, 0)),
    "written off": (giving_up, (0, 952, 2_000, 0, 0), (0, 952, 1_500, 0, 500)),
    "taken back": (taking_back, (0, 2_952, 0, 0, 0), (952, 2_000, 0, 0, 0)),
}


def killed_at(point: str, work: Callable[[], None], folder: Path) -> None:
    """A process that does this dies at that point."""
    log = folder / "process.log"
    code = ended(fork(work, log, armed=point))
    assert code == KILLED, log.read_text() if log.exists() else f"it ended with {code}"


def written() -> tuple[int, ...]:
    """Every row that a decision writes."""
    models = (JournalEntry, FundLoss, LossStep, StateChange)
    return tuple(model.objects.count() for model in models)


@pytest.mark.parametrize("point", ["loss.posted", "loss.decided"])
@pytest.mark.parametrize("kind", STEPS)
def test_a_decision_that_died_has_posted_nothing_and_is_made_again(
    claim: Claim, tmp_path: Path, kind: str, point: str
) -> None:
    begin, before, after = STEPS[kind]
    loss = begin(claim)
    waits = house.waiting(loss)
    rows = written()
    killed_at(point, lambda: house.approve(loss), tmp_path)
    # then there is no entry without its decision, and no decision without its entry
    assert (balances(), written()) == (before, rows)
    waits.refresh_from_db()
    assert (waits.status, waits.entry_id, waits.decided_by) == ("OPEN", None, None)
    # and the next reviewer decides it once
    decided = house.approve(loss)
    assert (balances(), decided.status) == (after, "APPROVED")
    entry = JournalEntry.objects.get(pk=decided.entry_id)
    assert entry.reference == f"{decided.kind}:{decided.number}"
    assert subject_balance(FUND, claim.pk) == after[0]
    assert ledger_check().sound


def test_a_decision_whose_answer_was_lost_stands_and_is_not_made_twice(
    claim: Claim, tmp_path: Path
) -> None:
    loss = house.recorded(claim)
    killed_at("loss.committed", lambda: house.approve(loss), tmp_path)
    decided = LossStep.objects.get()
    assert (balances(), decided.status) == ((0, 2_952, 0, 0, 0), "APPROVED")
    with pytest.raises(Conflict):
        house.loss_step_decide(
            step_id=decided.pk, to="APPROVED", by=house.CHECKER, comment="已核对"
        )
    assert balances() == (0, 2_952, 0, 0, 0) and ledger_check().sound


@pytest.mark.parametrize("point", ["loss.recorded", "loss.asked"])
def test_a_loss_that_died_while_it_was_recorded_is_not_there(
    claim: Claim, tmp_path: Path, point: str
) -> None:
    rows = written()
    killed_at(point, lambda: house.recorded(claim), tmp_path)
    assert (balances(), written()) == ((2_952, 0, 0, 0, 0), rows)
    # and may be recorded whole
    borne(claim)
    assert balances() == (0, 2_952, 0, 0, 0) and ledger_check().sound
