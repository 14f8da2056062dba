"""The national interface against the sandbox platform, over sockets and in both styles."""

from __future__ import annotations

import pytest

from core.outcomes import Outcome
from insurance.gateway.base import Operation, Operator
from insurance.gateway.claim_values import LineLevel, Reversal
from insurance.gateway.identities import lines_check, mirror_check
from insurance.gateway.nhsa import lines, people, sessions, settlements, visits
from insurance.gateway.visit_values import Credential, CredentialKind, Scheme
from insurance.models import InsuranceReply
from insurance.selectors import message_last
from tests.contracts.nhsa_house import ADULT, DRUG, EXCLUDED, SERVICE, Desk, desk_open
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db
CART = ((SERVICE, 1_000), (DRUG, 3_250), (EXCLUDED, 100))


@pytest.fixture(params=["signed_base", "path_key"])
def desk(sandbox: Sandbox, request: pytest.FixtureRequest) -> Desk:
    return desk_open(sandbox, request.param)


def begun(desk: Desk, balance_fen: int = 500) -> None:
    psn_no = desk.enrol(balance_fen)
    desk.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=60_000)
    desk.identify(psn_no)
    desk.begin()


def test_a_visit_from_the_code_to_the_settlement_and_back(desk: Desk) -> None:
    sign = desk.say(sessions.sign_in(Operator("1", "D001", "测试")))
    assert sign.known
    begun(desk)
    results = desk.charge(*CART)
    assert [one.level for one in results] == [LineLevel.A, LineLevel.B, LineLevel.C]
    # 甲 10.00 and 乙 32.50 at 0.05, 丙 1.00: in scope 40.87, of which 0.60 is 24.52.
    trial = desk.say(settlements.presettle(desk.order(4_350))).known
    assert (trial.split.fund_fen, trial.split.own_account_fen, trial.split.cash_fen) == (
        2_452, 500, 1_398,
    )  # fmt: skip
    lines_check(results, trial)
    answer = desk.say(settlements.settle(desk.order(4_350), trial.scope))
    done = answer.known
    assert done.split == trial.split and done.sent_as == answer.message_no
    (found,) = desk.say(settlements.settle_query(desk.reference(done.settlement_no))).known
    assert (found.split, found.refunded) == (done.split, False)
    back = desk.say(settlements.settle_reverse(done, insured_area="330300")).known
    mirror_check(done, back)
    rows = desk.say(settlements.settle_query(desk.reference(done.settlement_no))).known
    assert all(row.refunded for row in rows if row.settlement_no == done.settlement_no)
    assert desk.say(lines.lines_cancel(desk.batch)).known
    assert desk.say(visits.register_cancel(desk.visit)).known


def test_a_refusal_is_the_platforms_own_sentence(desk: Desk) -> None:
    begun(desk)
    desk.charge((SERVICE, 1_000))
    desk.say(settlements.settle(desk.order(1_000)))
    again = desk.say(settlements.settle(desk.order(1_000)))
    assert again.outcome is Outcome.DECLINED
    assert "已结算" in again.message and "已结算" in str(again.sentence)


def test_a_person_is_found_by_card_number_with_every_row(desk: Desk) -> None:
    psn_no = desk.enrol(12_345)
    desk.sandbox.act("nhsa", "set_coverage", psn_no, insutype="390", psn_insu_stas="2")
    proof = Credential(CredentialKind.ID_CARD, ADULT)
    person = desk.say(people.person(proof, name="王芳", id_number=ADULT)).known
    rows = {one.scheme: (one.active, one.balance_fen) for one in person.coverages}
    assert rows == {Scheme.EMPLOYEE: (True, 12_345), Scheme.RESIDENT: (False, 0)}
    assert desk.say(people.person(proof, name="王方", id_number=ADULT)).outcome is Outcome.DECLINED


@pytest.mark.parametrize("fault", ["system_error_after", "drop_after", "http_500_after"])
def test_a_lost_settlement_is_found_by_the_query(sandbox: Sandbox, fault: str) -> None:
    desk = desk_open(sandbox)
    begun(desk)
    desk.charge((SERVICE, 1_000))
    sandbox.fault("settle", fault, "nhsa", times=1)
    lost = desk.say(settlements.settle(desk.order(1_000)))
    assert (lost.outcome, lost.value) == (Outcome.UNKNOWN, None)
    (found,) = desk.say(settlements.settle_query(desk.reference())).known
    row = message_last("claim:1", Operation.SETTLE)
    assert row is not None and found.sent_as == row.message_no
    assert found.total_fen == 1_000


def test_a_lost_settlement_is_undone_by_its_stored_number_and_sent_anew(sandbox: Sandbox) -> None:
    desk = desk_open(sandbox)
    begun(desk)
    desk.charge((SERVICE, 1_000))
    sandbox.fault("settle", "drop_after", "nhsa", times=1)
    desk.say(settlements.settle(desk.order(1_000)))
    row = message_last("claim:1", Operation.SETTLE)
    assert row is not None
    assert InsuranceReply.objects.get(message=row).outcome == "UNKNOWN"
    undo = settlements.reverse(
        desk.visit.person_no, message_no=row.message_no, code="2207", insured_area="330300"
    )
    assert desk.say(undo).known is Reversal.REVERSED
    assert desk.say(settlements.settle_query(desk.reference())).known == ()
    done = desk.say(settlements.settle(desk.order(1_000))).known
    assert done.total_fen == 1_000


def test_a_settlement_that_never_arrived_has_nothing_to_reverse(sandbox: Sandbox) -> None:
    desk = desk_open(sandbox)
    begun(desk)
    desk.charge((SERVICE, 1_000))
    sandbox.fault("settle", "drop_before", "nhsa", times=1)
    lost = desk.say(settlements.settle(desk.order(1_000)))
    assert lost.outcome is Outcome.UNKNOWN
    assert desk.say(settlements.settle_query(desk.reference())).known == ()
    undo = settlements.reverse(
        desk.visit.person_no, message_no=lost.message_no, code="2207", insured_area="330300"
    )
    assert desk.say(undo).known is Reversal.NOTHING


def test_a_lost_reversal_is_ended_too(sandbox: Sandbox) -> None:
    desk = desk_open(sandbox)
    begun(desk)
    desk.charge((SERVICE, 1_000))
    done = desk.say(settlements.settle(desk.order(1_000))).known
    sandbox.fault("settle_reverse", "drop_after", "nhsa", times=1)
    lost = desk.say(settlements.settle_reverse(done, insured_area="330300"))
    assert lost.outcome is Outcome.UNKNOWN
    rows = desk.say(settlements.settle_query(desk.reference())).known
    assert any(row.refunded for row in rows if row.settlement_no == done.settlement_no)


def test_a_lost_batch_of_lines_is_taken_away_and_sent_anew(sandbox: Sandbox) -> None:
    desk = desk_open(sandbox)
    begun(desk)
    sandbox.fault("upload", "drop_after", "nhsa", times=1)
    with pytest.raises(ValueError, match="no value"):
        desk.charge((SERVICE, 1_000))
    assert desk.sent[-1].outcome is Outcome.UNKNOWN
    assert desk.say(lines.lines_cancel(desk.batch)).outcome is Outcome.SUCCEEDED
    assert desk.charge((SERVICE, 1_000))[0].amount_fen == 1_000


def test_a_region_that_counts_the_account_inside_the_fund(sandbox: Sandbox) -> None:
    desk = desk_open(sandbox)
    told = sandbox.nhsa["fixmedins_code"]
    sandbox.act("nhsa", "set_rules", told, fund_includes_account=True)
    begun(desk)
    desk.charge(*CART)
    refused = desk.say(settlements.presettle(desk.order(4_350)))
    assert (refused.outcome, refused.code) == (Outcome.UNKNOWN, "IdentityBroken")
    assert "48.50" in refused.message
    desk.institution.region.fund_includes_account = True
    trial = desk.say(settlements.presettle(desk.order(4_350))).known
    assert (trial.split.fund_fen, trial.split.own_account_fen) == (2_452, 500)


def test_a_wrong_secret_settles_nothing(sandbox: Sandbox) -> None:
    desk = desk_open(sandbox)
    begun(desk)
    desk.charge((SERVICE, 1_000))
    desk.institution.region.secrets = desk.institution.region.secrets.replace(
        sandbox.nhsa["gd"]["secret_key"], "0" * 32
    )
    assert desk.say(settlements.settle(desk.order(1_000))).value is None
