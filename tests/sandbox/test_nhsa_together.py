"""Several calls at the same moment: one number once, one batch once, no account below zero."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.nhsa_client import SERVICE, Clinic
from tests.sandbox.nhsa_mobile_client import MobileHospital

AT_ONCE = 6


@pytest.fixture
def clinic(sandbox: Sandbox) -> Clinic:
    return Clinic(sandbox)


def at_once(clinic: Clinic, asked: list[tuple[dict[str, Any], str]]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda one: clinic.post("2207", *one).json(), asked))


def test_one_batch_is_settled_once_by_whoever_comes_first(clinic: Clinic) -> None:
    psn_no, visit = clinic.ready((SERVICE, "10.00"), balance_fen=5_000)
    asked = clinic.asking(psn_no, visit, "10.00")
    codes = [one["infcode"] for one in at_once(clinic, [(asked, "")] * AT_ONCE)]
    assert sorted(codes) == [-2] * (AT_ONCE - 1) + [0]
    assert clinic.fund()["own_account"] == {"count": 1, "fen": 1_000}


def test_one_message_number_is_taken_once(clinic: Clinic) -> None:
    psn_no, visit = clinic.ready((SERVICE, "10.00"))
    asked = clinic.asking(psn_no, visit, "10.00")
    answers = at_once(clinic, [(asked, "SAME0001")] * AT_ONCE)
    refused = [one["err_msg"] for one in answers if one["infcode"]]
    assert refused == ["报文ID重复：SAME0001"] * (AT_ONCE - 1)


def test_visits_of_one_person_share_account_and_year_exactly(clinic: Clinic) -> None:
    psn_no = clinic.enrol(balance_fen=4_500)
    clinic.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=59_000)
    visits = [clinic.visit(psn_no, (SERVICE, "10.00")) for _ in range(AT_ONCE)]
    asked = [(clinic.asking(psn_no, visit, "10.00"), "") for visit in visits]
    done = [one["output"]["setlinfo"] for one in at_once(clinic, asked)]
    # 10.00 of the deductible is left: one visit takes it, the others get 0.60.
    assert sorted(one["hifp_pay"] for one in done) == [0.0, *[6.0] * (AT_ONCE - 1)]
    assert sum(one["acct_pay"] for one in done) == 30.0
    shown = clinic.sandbox.act("nhsa", "show_person", psn_no)
    assert shown["insuinfo"][0]["balc"] == 15.0
    assert (shown["used"][0]["deductible_fen"], shown["used"][0]["visits"]) == (60_000, AT_ONCE)


def test_a_mobile_order_and_a_settlement_of_its_batch_never_both_stand(clinic: Clinic) -> None:
    hospital = MobileHospital(clinic.sandbox)
    psn_no = clinic.enrol(balance_fen=0)
    auth = clinic.sandbox.act("nhsa", "authorise_pay", psn_no)["pay_auth_no"]
    saved = hospital.ok("uldFeeInfo", hospital.fees(psn_no, "MO1", auth))
    order = {"payAuthNo": auth, "payOrdId": saved["payOrdId"], "payToken": saved["payToken"]}
    hospital.ok("pay_order", order)
    asked = clinic.asking(psn_no, saved["extData"]["mdtrtId"], "100.00")
    call = {"actor": "nhsa", "action": "confirm_order", "subject": saved["payOrdId"], "args": {}}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(clinic.post, "2207", asked)
        second = pool.submit(clinic.sandbox.call, "POST", "/_control/act", call)
    settled = first.result().json()["infcode"] == 0
    assert {first.result().status_code, second.result().status_code} <= {200, 400}
    assert settled != (second.result().status_code == 200)
    assert clinic.fund()["settled"] == {"count": 1, "fen": 10_000}
