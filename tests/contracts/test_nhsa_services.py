"""Codes, faces, mobile pay, oversight, filings and the day's reconciliation against the sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.outcomes import Outcome
from insurance.gateway import credential
from insurance.gateway.mobile import orders
from insurance.gateway.mobile.states import OrderClass
from insurance.gateway.mobile.values import (
    MobileBill,
    MobileOrder,
    MobileReference,
    MobileRefund,
    SettleKind,
)
from insurance.gateway.nhsa import advice, filings, people, settlements, statements
from insurance.gateway.visit_values import Scheme
from tests.contracts.nhsa_house import ADULT, DRUG, NAME, SERVICE, TERMINAL, Desk, desk_open, line
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(sandbox: Sandbox) -> Desk:
    return desk_open(sandbox)


def test_an_expired_and_a_foreign_code_are_refused_with_a_sentence(desk: Desk) -> None:
    psn_no = desk.enrol()
    desk.sandbox.act("nhsa", "set_rules", "", code_life_s=0)
    code = desk.sandbox.act("nhsa", "show_insurance_code", psn_no)["code"]
    desk.sandbox.control("POST", "clock", {"advance_s": 5})
    for shown in (code, "0" * 28):
        answer = desk.say(credential.code_decode(shown, TERMINAL))
        assert answer.outcome is Outcome.DECLINED and answer.message
        assert str(answer.sentence)
    desk.sandbox.act("nhsa", "set_rules", "", code_life_s=60)


def test_a_face_gives_the_same_person(desk: Desk) -> None:
    psn_no = desk.enrol()
    desk.sandbox.act("nhsa", "present_face", psn_no, term_id="T1")
    terminal = credential.Terminal("A03", "内科", "SelfService", "T1", "10.0.0.9")
    auth_no = desk.say(credential.face_authorise("F1", terminal)).known
    found = desk.say(credential.face_identity("F1", auth_no, terminal)).known
    assert (found.id_number, found.name, len(found.token)) == (ADULT, NAME, 40)


def test_the_regions_own_reading_brings_person_and_token(desk: Desk) -> None:
    psn_no = desk.enrol()
    code = desk.sandbox.act("nhsa", "show_insurance_code", psn_no)["code"]
    found = desk.say(people.card_read(code)).known
    assert (found.person_no, bool(found.token)) == (psn_no, True)


class Phone:
    """One bill at the mobile-pay centre."""

    def __init__(self, desk: Desk, number: str = "MB1") -> None:
        self.desk = desk
        psn_no = desk.enrol(500)
        desk.identify(psn_no)
        self.number = number
        desk.begin(f"OP{number}")
        assert desk.visit is not None
        self.auth = desk.sandbox.act("nhsa", "authorise_pay", psn_no)["pay_auth_no"]
        bill = MobileBill(
            order_no=number,
            visit=desk.visit,
            patient_name=NAME,
            id_number=ADULT,
            lines=[line(f"{number}-1", DRUG, 100_000)],
            batch_no=f"B{number}",
            total_fen=100_000,
            use_account=True,
            institution_code=desk.sandbox.nhsa["fixmedins_code"],
            ended_at=clock.now(),
            pay_auth_no=self.auth,
        )
        self.fees = desk.say(orders.fees_upload(bill)).known
        self.reference = MobileReference(
            self.fees.pay_order_no, self.fees.pay_token, bill.institution_code, NAME, ADULT
        )

    def order(self) -> Any:
        return self.desk.say(
            orders.order(
                MobileOrder(
                    self.reference, self.auth, self.number, f"B{self.number}",
                    self.fees.mdtrt_id, True, 100_000,
                )
            )
        )  # fmt: skip

    def query(self) -> Any:
        return self.desk.say(orders.query(self.reference))


def test_a_mobile_order_is_tried_paid_and_given_back(desk: Desk) -> None:
    phone = Phone(desk)
    trial = phone.order()
    assert trial.outcome is Outcome.SUCCEEDED
    parts = trial.known.parts
    # 950.00 in scope, 600.00 deductible, 0.60 of the rest; 5.00 on the account.
    assert (parts.fund_fen, parts.account_fen, parts.cash_fen) == (21_000, 500, 78_500)
    assert trial.known.settlement.split.cash_fen == 78_500
    assert phone.query().outcome is Outcome.PENDING
    desk.sandbox.act("nhsa", "confirm_order", phone.fees.pay_order_no, cash=True)
    paid = phone.query()
    assert (paid.outcome, paid.known.state) == (Outcome.SUCCEEDED, OrderClass.PAID)
    assert paid.known.parts == replace(parts, mutual_aid_fen=paid.known.parts.mutual_aid_fen)
    auth = desk.sandbox.act("nhsa", "authorise_pay", desk.person.person_no)["pay_auth_no"]
    back = desk.say(
        orders.refund(
            MobileRefund(
                phone.fees.pay_order_no, "RF1", clock.now(), SettleKind.ALL, parts,
                parts.cash_fen, pay_auth_no=auth,
            )
        )
    )  # fmt: skip
    assert back.outcome is Outcome.SUCCEEDED
    assert phone.query().known.state is OrderClass.REFUNDED


def test_an_uploaded_bill_is_taken_away(desk: Desk) -> None:
    phone = Phone(desk)
    assert desk.say(orders.revoke(phone.reference)).known is True
    gone = phone.query()
    assert (gone.outcome, gone.value.state) == (Outcome.DECLINED, OrderClass.CLOSED)


def test_a_bad_signature_is_believed_in_nothing_and_a_refusal_in_full(desk: Desk) -> None:
    phone = Phone(desk)
    desk.sandbox.fault("mobile_query", "bad_signature", "nhsa", times=1)
    answer = phone.query()
    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, "UNVERIFIED")
    desk.sandbox.fault("mobile_order", "decline", "nhsa", times=1)
    assert phone.order().outcome is Outcome.DECLINED


def test_a_lost_order_is_found_by_the_query(desk: Desk) -> None:
    phone = Phone(desk)
    desk.sandbox.fault("mobile_order", "drop_after", "nhsa", times=1)
    assert phone.order().outcome is Outcome.UNKNOWN
    found = phone.query()
    assert (found.outcome, found.value.state) == (Outcome.PENDING, OrderClass.OPEN)


def settled(desk: Desk) -> Any:
    desk.identify(desk.enrol(500))
    desk.begin()
    desk.charge((SERVICE, 100_000))
    return desk.say(settlements.settle(desk.order(100_000))).known


def test_the_days_totals_are_even_and_a_planted_row_is_found(desk: Desk) -> None:
    done = settled(desk)
    day = clock.today()
    group = statements.Group(Scheme.EMPLOYEE, done.clearing_kind, done.clearing_office, day, day)
    own = statements.Totals(100_000, done.split.fund_fen, done.split.own_account_fen, 1)
    even = desk.say(statements.totals_compare(group, own)).known
    assert even.verdict is statements.Verdict.EVEN
    desk.sandbox.fault("statement", "bill_difference", "nhsa", seed=0)
    more = desk.say(statements.totals_compare(group, own)).known
    assert more.verdict is statements.Verdict.INSURER_MORE and "中心" in more.text
    code = desk.sandbox.nhsa["fixmedins_code"]
    row = statements.StatementRow(
        done.settlement_no, done.mdtrt_id, done.person_no, done.total_fen,
        done.split.fund_fen, done.split.own_account_fen, False,
    )  # fmt: skip
    packed = statements.rows_pack([row], name="rows")
    file = desk.say(statements.file_upload(packed, name="rows.zip", institution_code=code)).known
    result = desk.say(
        statements.details_compare(group, own, cash_fen=done.split.cash_fen, file=file)
    ).known
    content = desk.say(statements.file_download(result, institution_code=code)).known
    verdicts = {one.settlement_no: one.verdict for one in statements.verdicts_unpack(content)}
    assert verdicts == {
        done.settlement_no: statements.Verdict.EVEN,
        "GHOST0001": statements.Verdict.INSURER_MORE,
    }
    gone = replace(result, number="none")
    assert desk.say(
        statements.file_download(gone, institution_code=code)
    ).outcome is Outcome.DECLINED  # fmt: skip


def test_the_oversight_warns_or_is_silent(desk: Desk) -> None:
    desk.identify(desk.enrol())
    visit = desk.begin()
    assert desk.person is not None
    question = advice.AdviceQuestion(
        visit, NAME, "2", desk.person.birth_date, desk.sandbox.nhsa["fixmedins_code"],
        "温州沙盒医院", "330300", [line("1", SERVICE, 1_000)],
    )  # fmt: skip
    for trigger in (advice.Trigger.OUTPATIENT_CHARGE, advice.Trigger.PRESETTLE):
        assert desk.say(advice.advice(question, trigger)).known == ()
    twice = replace(question, lines=[line("1", SERVICE, 1_000), line("2", SERVICE, 1_000)])
    answer = desk.say(advice.advice(twice, advice.Trigger.PRESETTLE))
    assert answer.outcome is Outcome.SUCCEEDED


def test_a_filing_stands_and_a_disease_is_listed(desk: Desk) -> None:
    person = desk.identify(desk.enrol())
    today = clock.today()
    call = filings.chronic_file(
        filings.ChronicFiling(
            person.person_no, Scheme.EMPLOYEE, "M03900", "高血压", "13800000000", "温州",
            "330300", desk.sandbox.nhsa["fixmedins_code"], "温州沙盒医院", today,
            "D330300000001", "李医生", today, today + timedelta(days=364),
        )
    )  # fmt: skip
    assert desk.say(call).known
    (found,) = desk.say(filings.chronic_query(person.person_no, insured_area="330300")).known
    assert found.code == "M03900" and found.stands_on(today)
    local = filings.transfer_file(
        filings.TransferFiling(
            person.person_no, Scheme.EMPLOYEE, "13800000000", "温州", "330300", "330300",
            desk.sandbox.nhsa["fixmedins_code"], "温州沙盒医院", "I10.x00", "高血压", "1",
            "异地就医", today, today + timedelta(days=30), today,
        )
    )  # fmt: skip
    refused = desk.say(local)
    assert refused.outcome is Outcome.DECLINED and "无需异地备案" in refused.message


def test_a_benefit_check_names_what_is_paid(desk: Desk) -> None:
    person = desk.identify(desk.enrol())
    rows = desk.say(
        people.benefit_check(
            person.person_no, scheme=Scheme.EMPLOYEE,
            institution_code=desk.sandbox.nhsa["fixmedins_code"], med_type="11",
            at=clock.now(), insured_area="330300",
        )
    ).known  # fmt: skip
    assert rows and any(row.enjoyed for row in rows)
