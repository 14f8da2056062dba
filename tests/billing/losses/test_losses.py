"""Fund losses: borne, claimed, collected or given up, by two people, with an entry for each."""

from __future__ import annotations

import pytest

from billing.ledger.checking import ledger_check
from billing.ledger.models import JournalEntry
from billing.ledger.selectors import subject_balance
from billing.models import FundLoss, LossStep, LossStepKind
from billing.selectors.losses import LossSums, claim_loss_room_fen, loss_sums, losses_waiting
from billing.services.losses import fund_loss_record, loss_step_ask, loss_step_decide
from core.actors import SYSTEM, Actor
from core.errors import BadInput, Conflict, Forbidden, NotFound, Refusal
from core.models import StateChange
from insurance.models import Claim
from tests.billing.losses import house
from tests.billing.losses.house import CHECKER, CLERK, FUND, asked, balances, borne, done, firm

pytestmark = pytest.mark.django_db
K = LossStepKind


@pytest.fixture
def claim() -> Claim:
    return house.settled()


def refused(kind: type[Refusal], code: str, act: object) -> None:
    before = (balances(), LossStep.objects.count())
    with pytest.raises(kind) as told:
        act()  # type: ignore[operator]
    assert told.value.code == code
    assert (balances(), LossStep.objects.count()) == before


def test_a_loss_goes_its_whole_way(claim: Claim) -> None:
    wechat = firm()
    loss = house.recorded(claim)
    # nothing moves before the second person has decided
    assert balances() == (2_952, 0, 0, 0, 0) and losses_waiting() == 1
    house.approve(loss)
    assert balances() == (0, 2_952, 0, 0, 0)
    assert subject_balance(FUND, claim.pk) == 0
    done(loss, K.CLAIMED, 2_000, wechat)
    assert balances() == (0, 952, 2_000, 0, 0)
    done(loss, K.COLLECTED, 1_500, wechat)
    done(loss, K.WRITTEN_OFF, 500, wechat)
    assert balances() == (0, 952, 0, 1_500, 500)
    assert loss_sums(loss.pk) == LossSums(2_952, 0, 2_000, 1_500, 500)
    assert (loss_sums(loss.pk).claimable_fen, loss_sums(loss.pk).outstanding_fen) == (952, 0)
    events = JournalEntry.objects.filter(invoice_id=claim.invoice_ref).order_by("pk")
    assert list(events.values_list("event", flat=True))[2:] == [
        "fund_loss_borne", "recourse_claimed", "recourse_collected", "recourse_written_off",
    ]  # fmt: skip
    assert ledger_check().sound and losses_waiting() == 0


def test_every_step_stands_under_its_own_number_with_both_people(claim: Claim) -> None:
    step = borne(claim).steps.get()
    entry = JournalEntry.objects.get(pk=step.entry_id)
    assert entry.reference == f"fund_loss_borne:{step.number}"
    assert (step.opened_by, step.decided_by) == (CLERK.key, CHECKER.key)
    change = StateChange.objects.get(entity="billing.lossstep", entity_id=step.pk)
    assert (change.to_status, change.actor, change.fields["entry_id"]) == (
        "APPROVED", CHECKER.key, step.entry_id,
    )  # fmt: skip


def test_recourse_is_counted_by_institution(claim: Claim) -> None:
    wechat, alipay = firm(), firm("alipay")
    loss = borne(claim)
    done(loss, K.CLAIMED, 1_000, wechat)
    done(loss, K.CLAIMED, 1_952, alipay)
    refused(Conflict, "more_than_claimed", lambda: house.step(loss, K.COLLECTED, 1_001, wechat))
    done(loss, K.COLLECTED, 1_952, alipay)
    assert loss_sums(loss.pk, wechat.pk).outstanding_fen == 1_000
    assert loss_sums(loss.pk, alipay.pk).outstanding_fen == 0


def test_what_the_agency_pays_after_all_is_taken_back(claim: Claim) -> None:
    loss = borne(claim)
    done(loss, K.TAKEN_BACK, 2_952)
    assert balances() == (2_952, 0, 0, 0, 0)
    refused(Conflict, "more_than_borne", lambda: house.step(loss, K.CLAIMED, 1, firm()))
    # and the settlement may be lost once more
    borne(claim, 100)
    assert balances() == (2_852, 100, 0, 0, 0)


def test_a_rejected_or_withdrawn_step_posts_nothing_and_frees_its_amount(claim: Claim) -> None:
    loss = house.recorded(claim)
    rejected = house.waiting(loss)
    refused(BadInput, "comment_missing",
            lambda: loss_step_decide(step_id=rejected.pk, to="REJECTED", by=CHECKER))  # fmt: skip
    loss_step_decide(step_id=rejected.pk, to="REJECTED", by=CHECKER, comment="金额不符")
    other = house.recorded(claim)
    loss_step_decide(step_id=house.waiting(other).pk, to="WITHDRAWN", by=CLERK)
    assert balances() == (2_952, 0, 0, 0, 0)
    assert claim_loss_room_fen(claim) == 2_952
    assert loss_sums(borne(claim).pk).borne_fen == 2_952


def test_who_asked_never_decides(claim: Claim) -> None:
    step = house.waiting(house.recorded(claim))
    for same in (CLERK, Actor("staff", "FINANCE01", "赵财务")):
        refused(Forbidden, "maker_is_checker", lambda who=same: loss_step_decide(
            step_id=step.pk, to="APPROVED", by=who, comment="已核对"))  # fmt: skip
    refused(Forbidden, "not_staff",
            lambda: loss_step_decide(step_id=step.pk, to="APPROVED", by=SYSTEM,
                                     comment="已核对"))  # fmt: skip
    refused(Forbidden, "not_the_maker",
            lambda: loss_step_decide(step_id=step.pk, to="WITHDRAWN", by=CHECKER))  # fmt: skip


def test_a_step_is_decided_once(claim: Claim) -> None:
    step = borne(claim).steps.get()
    refused(Conflict, "review_closed",
            lambda: loss_step_decide(step_id=step.pk, to="APPROVED", by=CHECKER,
                                     comment="已核对"))  # fmt: skip
    refused(NotFound, "unknown_step",
            lambda: loss_step_decide(step_id=0, to="APPROVED", by=CHECKER,
                                     comment="已核对"))  # fmt: skip


def test_no_more_is_borne_than_the_settlement_put_on_the_fund(claim: Claim) -> None:
    refused(Conflict, "more_than_settled", lambda: house.recorded(claim, 2_953))
    house.recorded(claim, 2_000)
    # what is asked for counts, decided or not
    refused(Conflict, "more_than_settled", lambda: house.recorded(claim, 953))
    house.recorded(claim, 952)


def test_no_more_is_claimed_than_is_borne_nor_twice(claim: Claim) -> None:
    wechat = firm()
    loss = house.recorded(claim)
    refused(Conflict, "step_waits", lambda: house.step(loss, K.CLAIMED, 2_952, wechat))
    house.approve(loss)
    refused(Conflict, "more_than_borne", lambda: house.step(loss, K.CLAIMED, 2_953, wechat))
    house.step(loss, K.CLAIMED, 2_952, wechat)
    refused(Conflict, "step_waits", lambda: house.step(loss, K.CLAIMED, 2_952, wechat))
    house.approve(loss)
    refused(Conflict, "more_than_borne", lambda: house.step(loss, K.CLAIMED, 1, wechat))
    refused(Conflict, "more_than_claimed", lambda: house.step(loss, K.COLLECTED, 2_953, wechat))
    done(loss, K.COLLECTED, 2_952, wechat)
    refused(Conflict, "more_than_claimed", lambda: house.step(loss, K.WRITTEN_OFF, 1, wechat))


def test_only_a_settlement_that_stands_is_lost(claim: Claim) -> None:
    loss = house.recorded(claim)
    Claim.objects.filter(pk=claim.pk).update(status="REVERSING", due_at=claim.settled_at)
    step = house.waiting(loss)
    refused(Conflict, "not_settled",
            lambda: loss_step_decide(step_id=step.pk, to="APPROVED", by=CHECKER,
                                     comment="已核对"))  # fmt: skip
    loss_step_decide(step_id=step.pk, to="REJECTED", by=CHECKER, comment="已撤销")
    refused(Conflict, "not_settled", lambda: house.recorded(claim, 1))


def test_an_agreement_that_had_ended_before_gives_no_recourse(claim: Claim) -> None:
    loss, gone = borne(claim), firm("old", days=-1)
    refused(Conflict, "no_agreement", lambda: house.step(loss, K.CLAIMED, 1, gone))
    odd = firm("中文")
    refused(Conflict, "institution_code", lambda: house.step(loss, K.CLAIMED, 1, odd))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount_fen": 0}, "amount"),
        ({"amount_fen": -5}, "amount"),
        ({"evidence": "  "}, "evidence"),
        ({"evidence": "字" * 65}, "evidence"),
        ({"words": "字" * 501}, "words"),
    ],
)
def test_bad_input_is_told(claim: Claim, values: dict[str, object], code: str) -> None:
    said = asked(**({"amount_fen": 1} | values))  # type: ignore[arg-type]
    loss = borne(claim, 10)
    of = firm().pk
    refused(BadInput, code, lambda: loss_step_ask(
        loss_id=loss.pk, kind=K.CLAIMED, asked=said, by=CLERK, institution_id=of))  # fmt: skip
    refused(BadInput, code, lambda: fund_loss_record(
        claim_id=claim.pk, reason="other", asked=said, by=CLERK))  # fmt: skip


def test_what_is_missing_or_unknown_is_named(claim: Claim) -> None:
    loss = borne(claim, 10)
    refused(BadInput, "institution", lambda: house.step(loss, K.CLAIMED, 1))
    refused(BadInput, "kind", lambda: house.step(loss, "x", 1))
    refused(BadInput, "kind", lambda: house.step(loss, K.BORNE, 1))
    refused(BadInput, "reason", lambda: fund_loss_record(
        claim_id=claim.pk, reason="x", asked=asked(1), by=CLERK))  # fmt: skip
    refused(BadInput, "explanation", lambda: fund_loss_record(
        claim_id=claim.pk, reason="other", asked=asked(1, words=" "), by=CLERK))  # fmt: skip
    refused(NotFound, "unknown_claim", lambda: fund_loss_record(
        claim_id=0, reason="other", asked=asked(1), by=CLERK))  # fmt: skip
    refused(NotFound, "unknown_loss", lambda: loss_step_ask(
        loss_id=0, kind=K.CLAIMED, asked=asked(1), by=CLERK))  # fmt: skip
    refused(Forbidden, "not_staff", lambda: fund_loss_record(
        claim_id=claim.pk, reason="other", asked=asked(1), by=SYSTEM))  # fmt: skip
    assert FundLoss.objects.count() == 1
