"""Each transaction of the national interface: its input's shape, and its output read."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.outcomes import Unanswered
from insurance.gateway.base import Call, GatewayFault, Operation, Operator
from insurance.gateway.claim_values import FundKind, LineLevel, SettlementReference
from insurance.gateway.nhsa import (
    UNANSWERED,
    advice,
    filings,
    lines,
    people,
    sessions,
    settlements,
    statements,
    visits,
)
from insurance.gateway.nhsa.setlinfo import settlement_read
from insurance.gateway.reading import Different, Node, UnknownCode, Unreadable
from insurance.gateway.visit_values import Credential, CredentialKind, Diagnosis, Scheme
from tests.insurance import samples

PERSON_OUT = {
    "baseinfo": {
        "psn_no": samples.PERSON, "psn_cert_type": "01", "certno": "110101199001010015",
        "psn_name": "测试人", "gend": "1", "brdy": "1990-01-01", "age": 36.8,
    },
    "insuinfo": [
        {"insutype": "310", "balc": 100, "psn_type": "1101", "psn_insu_stas": "1",
         "cvlserv_flag": "0", "insuplc_admdvs": "440100", "psn_insu_date": "2015-07-01"},
        {"insutype": 390, "balc": "0.00", "psn_type": "1560", "psn_insu_stas": 2,
         "cvlserv_flag": 0, "insuplc_admdvs": "440300", "paus_insu_date": "2020-01-31"},
    ],
    "idetinfo": [{"psn_idet_type": "2101"}],
}  # fmt: skip


def read(call: Call[Any], output: dict[str, Any]) -> Any:
    return call.read(output, samples.profile())


def test_what_silence_allows_is_declared_as_the_design_says() -> None:
    assert UNANSWERED[Operation.SETTLE] is Unanswered.QUERY_FIRST
    assert UNANSWERED[Operation.SETTLE_REVERSE] is Unanswered.QUERY_FIRST
    assert UNANSWERED[Operation.LINES] is Unanswered.REVERSE
    assert UNANSWERED[Operation.PRESETTLE] is Unanswered.RESEND


def test_a_day_begins_with_a_sign_in() -> None:
    call = sessions.sign_in(Operator("1", "C1", "张收费"), address="10.0.0.1")
    assert call.input == {"signIn": {"opter_no": "C1", "mac": "", "ip": "10.0.0.1"}}
    assert read(call, {"signinoutb": {"sign_time": "2026-11-20", "sign_no": "SN1"}}) == "SN1"
    with pytest.raises(Unreadable):
        read(call, {"signinoutb": {}})


def test_a_person_has_every_coverage_with_its_state() -> None:
    call = people.person(samples.credential())
    assert call.input["data"]["mdtrt_cert_type"] == "01"
    found = read(call, PERSON_OUT)
    first, second = found.coverages
    assert (first.scheme, first.active, first.balance_fen) == (Scheme.EMPLOYEE, True, 10_000)
    assert (second.scheme, second.active, second.insured_area) == (
        Scheme.RESIDENT, False, "440300",
    )  # fmt: skip
    assert second.paused_since == date(2020, 1, 31)
    assert (found.birth_date, found.identities) == (date(1990, 1, 1), ("2101",))


def test_another_person_than_asked_for_is_refused() -> None:
    call = people.person(samples.credential(), id_number="110101199001010023", name="测试人")
    with pytest.raises(Different):
        read(call, PERSON_OUT)


def test_an_unknown_scheme_and_a_card_without_serial_are_refused() -> None:
    with pytest.raises(UnknownCode, match=r"insutype.*888"):
        row = PERSON_OUT["insuinfo"][0] | {"insutype": "888"}
        read(people.person(samples.credential()), PERSON_OUT | {"insuinfo": [row]})
    with pytest.raises(ValueError, match="card_sn"):
        people.person(Credential(CredentialKind.SOCIAL_CARD, "A123"))


def test_a_card_read_by_the_region_brings_a_token() -> None:
    found = read(people.card_read("281234567890123456"), PERSON_OUT | {"ecToken": "T1"})
    assert found.token == "T1"
    assert "T1" not in repr(found)


def test_a_benefit_is_enjoyed_or_not() -> None:
    call = people.benefit_check(
        samples.PERSON, scheme=Scheme.EMPLOYEE, institution_code=samples.INSTITUTION,
        med_type="14", at=samples.AT, insured_area="440100", disease_code="M03900",
    )  # fmt: skip
    rows = [{"psn_no": samples.PERSON, "fund_pay_type": "310100", "trt_enjymnt_flag": "0",
             "trt_chk_rslt": "未备案"}]  # fmt: skip
    (found,) = read(call, {"trtinfo": rows})
    assert (found.enjoyed, found.result) == (False, "未备案")


def test_a_visit_is_registered_told_and_found_again() -> None:
    visit = samples.visit(
        diagnoses=(
            Diagnosis("J00.x00", "急性鼻咽炎", False, "内科", "D1", "甲", samples.AT),
            Diagnosis("I10.x00", "高血压", True, "内科", "D1", "甲", samples.AT),
        )
    )
    call = visits.register(visit)
    assert call.input["data"]["ipt_otp_no"] == "E1"
    assert read(call, {"data": {"mdtrt_id": "MD9", "psn_no": samples.PERSON}}) == "MD9"
    with pytest.raises(Different):
        read(call, {"data": {"mdtrt_id": "MD9", "ipt_otp_no": "E2"}})
    told = visits.visit_tell(visit).input
    assert [one["diag_code"] for one in told["diseinfo"]] == ["I10.x00", "J00.x00"]
    assert told["mdtrtinfo"]["med_type"] == "11"
    query = visits.visit_query(visit, until=samples.AT + timedelta(hours=1))
    (row,) = read(query, {"mdtrtinfo": {"mdtrt_id": "MD9", "ipt_otp_no": "E1"}})
    assert (row.mdtrt_id, row.visit_no) == ("MD9", "E1")
    assert visits.register_cancel(visit).code == "2202"
    with pytest.raises(ValueError, match="31 characters"):
        visits.register(samples.visit(visit_no="E" * 31))


BATCH = lines.LineBatch(samples.PERSON, "MD1", "B1", "440100")
RESULT = {
    "feedetl_sn": "1", "det_item_fee_sumamt": 4.52, "cnt": 1, "pric": 4.52,
    "pric_uplmt_amt": 999999, "selfpay_prop": 0.05, "fulamt_ownpay_amt": 0, "overlmt_amt": 0,
    "preselfpay_amt": 0.23, "inscp_scp_amt": 4.29, "chrgitm_lv": "02", "med_chrgitm_type": "09",
    "lmt_used_flag": "0",
}  # fmt: skip


def test_lines_travel_in_batches_by_count_and_length() -> None:
    many = [samples.line(str(n)) for n in range(120)]
    calls = lines.lines_send(BATCH, many, lines_per_call=50)
    assert [len(call.input["feedetail"]) for call in calls] == [50, 50, 20]
    long = [samples.line(str(n), dose="一" * 500) for n in range(60)]
    parts = [
        len(call.input["feedetail"]) for call in lines.lines_send(BATCH, long, lines_per_call=60)
    ]
    assert sum(parts) == 60 and len(parts) > 1
    sent = calls[0].input["feedetail"][0]
    assert (sent["det_item_fee_sumamt"], sent["cnt"], sent["pric"]) == ("4.52", "1", "4.52")
    assert (sent["chrg_bchno"], sent["hosp_appr_flag"]) == ("B1", "0")


def test_a_line_answered_is_read_and_compared() -> None:
    (call,) = lines.lines_send(BATCH, [samples.line()], lines_per_call=50)
    (found,) = read(call, {"result": [RESULT]})
    assert (found.level, found.own_share, found.price_limit) == (
        LineLevel.B, Decimal("0.05"), None,
    )  # fmt: skip
    assert (found.first_own_fen, found.in_scope_fen) == (23, 429)


@pytest.mark.parametrize(("change", "fault"), [
    ({"inscp_scp_amt": 4.28}, "I6"),
    ({"det_item_fee_sumamt": "4.51", "inscp_scp_amt": "4.28"}, "4.52 was sent"),
    ({"feedetl_sn": "2"}, "answered"),
    ({"chrgitm_lv": "09"}, "LineLevel"),
    ({"selfpay_prop": "1.5"}, "selfpay_prop"),
    ({"preselfpay_amt": "0.226"}, "preselfpay_amt"),
])  # fmt: skip
def test_a_line_that_is_not_what_was_sent_is_refused(change: dict[str, Any], fault: str) -> None:
    (call,) = lines.lines_send(BATCH, [samples.line()], lines_per_call=50)
    with pytest.raises(GatewayFault, match=fault):
        read(call, {"result": [RESULT | change]})


def test_lines_of_two_diseases_or_one_number_twice_are_no_batch() -> None:
    with pytest.raises(ValueError, match="one number"):
        lines.lines_send(BATCH, [samples.line(), samples.line()], lines_per_call=50)
    with pytest.raises(ValueError, match="disease"):
        lines.lines_send(BATCH, [samples.line(disease_code="M1")], lines_per_call=50)
    with pytest.raises(ValueError, match="more than 4"):
        line = samples.line(quantity=Decimal("0.33333"))
        lines.lines_send(BATCH, [line], lines_per_call=50)


def test_a_batch_is_taken_away_whole() -> None:
    assert lines.lines_cancel(BATCH).input["data"]["chrg_bchno"] == "B1"
    assert lines.lines_cancel(BATCH, every=True).input["data"]["chrg_bchno"] == "0000"


def test_a_trial_has_no_number_and_a_settlement_names_who_sent_it() -> None:
    trial = read(settlements.presettle(samples.order()), {"setlinfo": samples.OUTPATIENT})
    assert trial.settlement_no == ""
    call = settlements.settle(samples.order(), trial.scope)
    assert call.input["data"]["preselfpay_amt"] == "0.23"
    detail = [
        {"fund_pay_type": "310201", "fund_payamt": 4.52, "fund_pay_type_name": "个人账户"},
        {"fund_pay_type": "310101", "fund_payamt": 0, "crt_payb_lmt_amt": "9999.99"},
        {"fund_pay_type": "999996", "fund_payamt": 0},
    ]
    info = samples.OUTPATIENT | {"medins_setl_id": "M1"}
    found = read(call, {"setlinfo": info, "setldetail": detail})
    assert (found.settlement_no, found.sent_as) == ("S1", "M1")
    assert [row.kind for row in found.rows] == [
        FundKind.ACCOUNT, FundKind.FUND, FundKind.HOSPITAL,
    ]  # fmt: skip
    assert found.rows[1].limit_fen == 999_999


def test_a_reversal_mirrors_and_has_its_own_number() -> None:
    original = settlement_read(Node(samples.INPATIENT), [], samples.profile())
    call = settlements.settle_reverse(original, insured_area="440100")
    assert call.input["data"] == {"setl_id": "S1", "mdtrt_id": "MD1", "psn_no": samples.PERSON}
    row = samples.mirrored(samples.INPATIENT)
    found = read(call, {"setlinfo": row})
    assert (found.settlement_no, found.split.cash_fen) == ("S2", -398_202)
    with pytest.raises(Different):
        read(call, {"setlinfo": row | {"setl_id": "S1"}})
    with pytest.raises(GatewayFault):
        read(call, {"setlinfo": row | {"psn_cash_pay": "-1.00"}})


def test_a_query_reads_one_many_or_none() -> None:
    call = settlements.settle_query(SettlementReference(samples.PERSON, "MD1", "440100"))
    info = samples.OUTPATIENT | {"refd_setl_flag": "1"}
    info["cash_payamt"] = info.pop("psn_cash_pay")
    (one,) = read(call, {"setlinfo": info})
    assert one.refunded
    both = read(call, {"setlinfo": [samples.INPATIENT, samples.mirrored(samples.INPATIENT)]})
    assert [found.total_fen for found in both] == [2_344_246, -2_344_246]
    assert read(call, {}) == () == call.nothing


def test_the_oversight_is_asked_before_and_during() -> None:
    question = advice.AdviceQuestion(
        samples.visit(), "测试人", "1", date(1990, 1, 1), samples.INSTITUTION, "测试医院",
        "440100", [samples.line()],
    )  # fmt: skip
    before = advice.advice(question, advice.Trigger.OUTPATIENT_CHARGE)
    during = advice.advice(question, advice.Trigger.PRESETTLE)
    assert (before.code, during.code) == ("3101", "3102")
    order = before.input["data"]["patient_dtos"][0]["fsi_encounter_dtos"][0]["fsi_order_dtos"][0]
    assert (order["hilist_code"], order["sumamt"]) == ("XA01ABD075A002010100483", "4.52")
    assert read(before, {"result": []}) == ()
    row = {"rule_id": "R1", "rule_name": "限儿童", "vola_cont": "限儿童使用", "sev_deg": "2",
           "vola_amt": "4.52", "judge_result_detail_dtos": [{"rx_id": "1"}]}  # fmt: skip
    (found,) = read(during, {"result": [row]})
    assert (found.text, found.amount_fen, found.lines) == ("限儿童使用", 452, ("1",))


def test_filings_and_what_stands() -> None:
    call = filings.transfer_file(filings.TransferFiling(
        samples.PERSON, Scheme.EMPLOYEE, "13800000000", "广州", "430100", "440100",
        samples.INSTITUTION, "测试医院", "I10.x00", "高血压", "1", "异地就医",
        date(2026, 11, 20), date(2027, 11, 19), date(2026, 11, 20),
    ))  # fmt: skip
    assert call.input["refmedin"]["mdtrtarea_admdvs"] == "440100"
    assert read(call, {"result": {"trt_dcla_detl_sn": "F1"}}) == "F1"
    query = filings.chronic_query(samples.PERSON, insured_area="440100")
    rows = [{"opsp_dise_code": "M03900", "opsp_dise_name": "高血压", "begndate": "2026-01-01",
             "enddate": "2026-11-20"}]  # fmt: skip
    (found,) = read(query, {"feedetail": rows})
    assert found.stands_on(date(2026, 11, 20)) and not found.stands_on(date(2026, 11, 21))


def test_totals_are_even_or_not_and_rows_go_by_zip() -> None:
    group = statements.Group(
        Scheme.EMPLOYEE, "11", "440100", date(2026, 11, 20), date(2026, 11, 20)
    )
    totals = statements.Totals(452, 0, 452, 1)
    call = statements.totals_compare(group, totals)
    assert call.input["data"]["fixmedins_setl_cnt"] == "1"
    out = {"stmtinfo": {"setl_optins": "440100", "stmt_rslt": "3", "stmt_rslt_dscr": "不一致"}}
    assert read(call, out).verdict is statements.Verdict.DIFFERENT
    with pytest.raises(UnknownCode):
        read(call, {"stmtinfo": out["stmtinfo"] | {"stmt_rslt": "9"}})
    row = statements.StatementRow("S1", "MD1", samples.PERSON, -452, 0, -452, True)
    packed = statements.rows_pack([row], name="x")
    assert packed == statements.rows_pack([row], name="x")
    upload = statements.file_upload(packed, name="x.zip", institution_code=samples.INSTITUTION)
    assert bytes(upload.input["fsUploadIn"]["in"]) == packed
    file = read(upload, {"file_qury_no": "F1", "dld_endtime": ""})
    details = statements.details_compare(group, totals, cash_fen=0, file=file)
    result = read(details, {"fileinfo": {"file_qury_no": "F2", "filename": "r.zip"}})
    assert (result.number, result.name) == ("F2", "r.zip")


def test_a_result_file_is_read_row_by_row_or_refused() -> None:
    text = f"{samples.PERSON}\tMD1\tS1\tM1\t2\t0\t机构多"
    packed = samples.zipped(text)
    (found,) = statements.verdicts_unpack(packed)
    assert (found.settlement_no, found.verdict) == ("S1", statements.Verdict.HOSPITAL_MORE)
    for bad in (b"no zip", samples.zipped("a\tb"), samples.zipped(text.replace("\t2\t", "\t8\t"))):
        with pytest.raises(GatewayFault):
            statements.verdicts_unpack(bad)
