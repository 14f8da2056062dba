from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.nhsa_client import ADULT, CHILD, DRUG, SERVICE, Clinic, base64_of

DISEASE = "M03900"


@pytest.fixture
def clinic(sandbox: Sandbox) -> Clinic:
    return Clinic(sandbox)


def family(clinic: Clinic, balance_fen: int, **link: Any) -> tuple[str, str, list[str]]:
    """王芳 with an account, and her child under the residents' scheme without one."""
    mother = clinic.enrol(balance_fen=balance_fen)
    child = clinic.enrol(
        CHILD, name="王小宝", sex="male", birth_date="2019-06-01", insutype="390",
        enrolled_by=mother,
    )  # fmt: skip
    wanted = {"member": child, "relation": "child"} | link
    told = clinic.sandbox.act("nhsa", "link_family", mother, **wanted)
    return mother, child, told["refused"]


def child_asking(clinic: Clinic, child: str, total: str) -> dict[str, Any]:
    visit = clinic.visit(child, (DRUG, total), certno=CHILD, insutype="390")
    return clinic.asking(child, visit, total, mdtrt_cert_no=CHILD, insutype="390")


def test_the_guardians_account_pays_for_the_child_and_gets_it_back(clinic: Clinic) -> None:
    mother, child, refused = family(clinic, 510_000)
    assert refused == []
    # 285.00 in scope, 200.00 deductible at a third-level hospital, 0.35 of 85.00 is 29.75.
    asked = child_asking(clinic, child, "300.00")
    done = clinic.ok("2207", asked)["setlinfo"]
    assert (done["hifp_pay"], done["acct_pay"], done["acct_mulaid_pay"]) == (29.75, 270.25, 270.25)
    assert (done["psn_cash_pay"], done["balc"]) == (0.0, 0.0)
    book = clinic.fund()
    assert (book["mutual_aid"]["fen"], book["own_account"]["fen"]) == (27_025, 0)
    account = clinic.sandbox.act("nhsa", "show_person", mother)["insuinfo"][0]["balc"]
    assert account == 5_100.00 - 270.25
    # The account fell below the threshold: the next visit is not paid from it.
    after = clinic.ok("2206", child_asking(clinic, child, "300.00"))["setlinfo"]
    assert after["acct_mulaid_pay"] == 0.0
    assert "须高于5008.80元" in after["exp_content"]
    data = asked["data"]
    cancel = {"setl_id": done["setl_id"], "mdtrt_id": data["mdtrt_id"], "psn_no": child}
    back = clinic.ok("2208", {"data": cancel})["setlinfo"]
    assert back["acct_mulaid_pay"] == -270.25
    account = clinic.sandbox.act("nhsa", "show_person", mother)["insuinfo"][0]["balc"]
    assert account == 5_100.00


@pytest.mark.parametrize(
    ("balance_fen", "change", "words"),
    [
        (500_880, {}, "余额须高于5008.80元"),
        (500_881, {"card_linked": False}, "没有绑定到监护人的电子社保卡"),
        (500_881, {"family_account": False}, "还没有建立家庭账户"),
    ],
)
def test_each_missing_condition_is_named(
    clinic: Clinic, balance_fen: int, change: dict[str, bool], words: str
) -> None:
    _, child, refused = family(clinic, balance_fen, **change)
    assert len(refused) == 1 and words in refused[0]
    out = clinic.ok("2206", child_asking(clinic, child, "300.00"))["setlinfo"]
    assert (out["acct_pay"], words in out["exp_content"]) == (0.0, True)


def test_a_guardian_of_another_enrolment_or_an_invalid_card_is_refused(clinic: Clinic) -> None:
    mother, child, _ = family(clinic, 600_000)
    father = clinic.enrol(
        "330300197901250011", name="张伟", sex="male", birth_date="1979-01-25", balance_fen=900_000
    )
    told = clinic.sandbox.act("nhsa", "link_family", father, member=child, relation="child")
    assert told["refused"] == ["监护人与参保登记的监护人不一致"]
    told = clinic.sandbox.act("nhsa", "link_family", father, member=mother, relation="spouse")
    assert told["refused"] == []
    clinic.enrol(CHILD, name="王小宝", sex="male", birth_date="2019-06-01", insutype="390",
                 card_valid=False)  # fmt: skip
    told = clinic.sandbox.act("nhsa", "link_family", mother, member=child, relation="child")
    assert told["refused"] == ["孩子的金融社保卡无效"]


def test_care_elsewhere_uses_the_catalogue_here_and_the_benefit_there(clinic: Clinic) -> None:
    away = Clinic(clinic.sandbox, insuplc="440300")
    # In 440000 the item is 乙 with 0.3; here it is 甲. 深圳: no deductible, 0.55 at level three.
    psn_no, visit = away.ready((SERVICE, "10.00"))
    unfiled = away.ok("2206", away.asking(psn_no, visit, "10.00"))["setlinfo"]
    assert (unfiled["preselfpay_amt"], unfiled["pool_prop_selfpay"]) == (0.0, 0.385)
    assert (unfiled["hifp_pay"], unfiled["clr_optins"]) == (3.85, "440300")
    filing = {
        "psn_no": psn_no,
        "insutype": "310",
        "tel": "13900000001",
        "mdtrtarea_admdvs": "330300",
        "refl_type": "2",
        "begndate": "2026-11-20",
        "enddate": "2027-11-19",
    }
    number = away.ok("2501", {"refmedin": filing})["result"]["trt_dcla_detl_sn"]
    assert "重复备案" in away.refused("2501", {"refmedin": filing})
    assert away.ok("2206", away.asking(psn_no, visit, "10.00"))["setlinfo"]["hifp_pay"] == 5.5
    away.ok("2502", {"data": {"psn_no": psn_no, "trt_dcla_detl_sn": number}})
    assert away.ok("2206", away.asking(psn_no, visit, "10.00"))["setlinfo"]["hifp_pay"] == 3.85
    home = {"data": {"psn_no": psn_no, "mdtrt_id": visit}}
    assert "参保地" in clinic.refused("5203", home)


def test_a_chronic_disease_needs_its_filing(clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    visit = clinic.register(psn_no)
    described = clinic.described(psn_no, visit, "140104", DISEASE)
    assert "未备案" in clinic.refused("2203A", described)
    filing = {
        "psn_no": psn_no,
        "insutype": "310",
        "opsp_dise_code": DISEASE,
        "opsp_dise_name": "高血压",
        "diag_dr_codg": "D330300000001",
        "hosp_ide_date": "2026-11-19",
        "begndate": "2026-11-19",
    }
    clinic.ok("2503", {"data": filing})
    listed = clinic.ok("5301", {"data": {"psn_no": psn_no}})["feedetail"]
    assert [row["opsp_dise_code"] for row in listed] == [DISEASE]
    clinic.ok("2203A", described)
    clinic.ok("2204", {"feedetail": [clinic.line(psn_no, visit, SERVICE, "10.00")]})
    asked = clinic.asking(psn_no, visit, "10.00", med_type="140104")
    assert clinic.ok("2206", asked)["setlinfo"]["hifp_pay"] == 8.5
    wrong = clinic.asking(psn_no, visit, "10.00", med_type="11")
    assert "医疗类别" in clinic.refused("2206", wrong)


def test_every_payer_of_a_combined_settlement_has_its_row(clinic: Clinic) -> None:
    psn_no = clinic.enrol(cvlserv_flag="1")
    clinic.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=60_000, scope_self_fen=2_000_000)
    for kind, name in (("rescue", "低保"), ("commercial", "惠民保")):
        clinic.sandbox.act("nhsa", "file_entitlement", psn_no, kind=kind, code=kind, name=name)
    identities = clinic.ok("1101", {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": ADULT}})[
        "idetinfo"
    ]
    assert [row["memo"] for row in identities] == ["低保"]
    # 1,000.00 of a 乙 drug: 950.00 in scope, fund 570.00, 380.00 left above the line at 0.60,
    # 152.00 left, half of it, then 0.75 of 76.00, then 0.30 of 19.00.
    visit = clinic.visit(psn_no, (DRUG, "1000.00"))
    out = clinic.ok("2207", clinic.asking(psn_no, visit, "1000.00"))
    rows = {row["fund_pay_type"]: row["fund_payamt"] for row in out["setldetail"]}
    assert rows == {
        "310101": 570.0, "330101": 228.0, "320100": 76.0, "610101": 57.0, "999997": 5.7,
    }  # fmt: skip
    assert out["setlinfo"]["fund_pay_sumamt"] == 936.7
    assert out["setlinfo"]["psn_cash_pay"] == 63.3


def test_regions_and_rules_of_a_place_are_data(clinic: Clinic) -> None:
    psn_no = clinic.enrol(balance_fen=10_000)
    clinic.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=60_000)
    code = clinic.own["fixmedins_code"]
    line = {"cnt": "1", "pric": "15.00"}
    asked = {}
    for rule, overlimit in (("hospital", 0.0), ("split", 5.0)):
        clinic.sandbox.act("nhsa", "set_rules", code, over_limit=rule)
        visit = clinic.register(psn_no)
        clinic.describe(psn_no, visit)
        clinic.ok("2204", {"feedetail": [clinic.line(psn_no, visit, SERVICE, "15.00", **line)]})
        asked = clinic.asking(psn_no, visit, "15.00")
        out = clinic.ok("2206", asked)["setlinfo"]
        assert (out["overlmt_selfpay"], out["hosp_part_amt"]) == (5.0, 5.0 - overlimit)
    clinic.sandbox.act("nhsa", "set_rules", code, over_limit="refuse")
    other = [clinic.line(psn_no, asked["data"]["mdtrt_id"], SERVICE, "15.00", chrg_bchno="B2")]
    assert "超过限价10" in clinic.refused("2204", {"feedetail": other})
    clinic.sandbox.act("nhsa", "set_rules", code, over_limit="split", fund_includes_account=True)
    inside = clinic.ok("2206", asked)["setlinfo"]
    assert inside["fund_pay_sumamt"] == round(inside["hifp_pay"] + inside["acct_pay"], 2)


def statement(clinic: Clinic, *figures: str, count: int) -> dict[str, Any]:
    medfee, fund, account = figures
    return {
        "insutype": "310",
        "clr_type": "11",
        "setl_optins": "330300",
        "stmt_begndate": "2026-11-20",
        "stmt_enddate": "2026-11-20",
        "medfee_sumamt": medfee,
        "fund_pay_sumamt": fund,
        "acct_pay": account,
        "fixmedins_setl_cnt": str(count),
        "cash_payamt": "0",
    }


def test_a_day_is_compared_in_sums_and_row_by_row(clinic: Clinic) -> None:
    psn_no, first = clinic.ready((SERVICE, "10.00"), balance_fen=100_000)
    one = clinic.ok("2207", clinic.asking(psn_no, first, "10.00"))["setlinfo"]
    second = clinic.visit(psn_no, (SERVICE, "20.00"))
    two = clinic.ok("2207", clinic.asking(psn_no, second, "20.00"))["setlinfo"]
    cancel = {"setl_id": two["setl_id"], "mdtrt_id": second, "psn_no": psn_no}
    minus = clinic.ok("2208", {"data": cancel})["setlinfo"]
    told = statement(clinic, "10.00", "0.00", "10.00", count=3)
    assert clinic.ok("3201", {"data": told})["stmtinfo"]["stmt_rslt"] == "0"
    for figures, count, result in (
        (("0.00", "0.00", "0.00"), 2, "1"),
        (("10.00", "0.00", "10.00"), 4, "2"),
        (("11.00", "0.00", "10.00"), 3, "3"),
    ):
        wrong = statement(clinic, *figures, count=count)
        assert clinic.ok("3201", {"data": wrong})["stmtinfo"]["stmt_rslt"] == result
    text = "".join(
        "\t".join([row["setl_id"], visit, psn_no, *figures]) + "\n"
        for row, visit, figures in (
            (one, first, ("11.00", "0.00", "10.00", "0")),
            (minus, second, ("-20.00", "0.00", "-20.00", "1")),
            ({"setl_id": "OURS"}, second, ("1.00", "0.00", "1.00", "0")),
        )
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("detail.txt", text)
    code = clinic.own["fixmedins_code"]
    given = {"in": base64_of(packed.getvalue()), "filename": "d.zip", "fixmedins_code": code}
    number = clinic.ok("9101", {"fsUploadIn": given})["file_qury_no"]
    info = clinic.ok("3202", {"data": told | {"file_qury_no": number}})["fileinfo"]
    wanted = {name: info[name] for name in ("file_qury_no", "filename")}
    answer = clinic.post("9102", {"fsDownloadIn": wanted | {"fixmedins_code": code}})
    assert answer.headers["content-type"] == "application/octet-stream"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as back:
        rows = [line.split("\t") for line in back.read(back.namelist()[0]).decode().splitlines()]
    assert {row[2]: row[4] for row in rows} == {
        one["setl_id"]: "3", two["setl_id"]: "1", minus["setl_id"]: "0", "OURS": "2",
    }  # fmt: skip
    assert {row[2]: row[3] for row in rows}[one["setl_id"]] == one["medins_setl_id"]


def test_a_planted_difference_shows_in_the_sums(clinic: Clinic) -> None:
    psn_no, visit = clinic.ready((SERVICE, "10.00"))
    clinic.ok("2207", clinic.asking(psn_no, visit, "10.00"))
    told = {"data": statement(clinic, "10.00", "0.00", "0.00", count=1)}
    for seed, result in ((0, "1"), (1, "2"), (2, "3")):
        clinic.sandbox.fault("statement", "bill_difference", "nhsa", times=1, seed=seed)
        assert clinic.ok("3201", told)["stmtinfo"]["stmt_rslt"] == result
    assert clinic.ok("3201", told)["stmtinfo"]["stmt_rslt"] == "0"


def test_the_funds_rules_warn_before_and_during(clinic: Clinic) -> None:
    psn_no, visit = clinic.ready((DRUG, "32.50"))
    order = {"rx_id": "R1", "hilist_code": DRUG, "hilist_name": "妇科千金片", "sumamt": "32.50"}
    patient = {"patn_id": psn_no, "patn_name": "张伟", "gend": "1", "brdy": "1979-01-25"}
    encounter = {"mdtrt_id": visit, "fsi_order_dtos": [order, order | {"rx_id": "R2"}]}
    data = {
        "syscode": "HIS",
        "trig_scen": "2",
        "patient_dtos": [patient | {"fsi_encounter_dtos": [encounter]}],
    }
    found = clinic.ok("3101", {"data": data})["result"]
    assert {row["rule_id"]: row["vola_amt"] for row in found} == {"R001": 65.0, "R002": 65.0}
    assert "触发场景" in clinic.refused("3102", {"data": data})
    quiet = data | {"trig_scen": "7"}
    quiet["patient_dtos"] = [
        patient | {"gend": "2", "fsi_encounter_dtos": [encounter | {"fsi_order_dtos": [order]}]}
    ]
    assert clinic.ok("3102", {"data": quiet})["result"] == []


@pytest.mark.parametrize("fault", ["drop_before", "http_500_before", "system_error_before"])
def test_nothing_happens_before_and_everything_after(clinic: Clinic, fault: str) -> None:
    psn_no, visit = clinic.ready((SERVICE, "10.00"), balance_fen=2_000)
    asked = clinic.asking(psn_no, visit, "10.00")
    for name, count in ((fault, 0), (fault.replace("before", "after"), 1)):
        clinic.sandbox.fault("settle", name, "nhsa", times=1)
        try:
            clinic.post("2207", asked)
        except Exception as error:
            assert "drop" in name, error
        assert clinic.fund()["settled"]["count"] == count
    clinic.sandbox.fault("settle_reverse", "already_cleared", "nhsa", times=1)
    seen = clinic.ok("5203", {"data": {"psn_no": psn_no, "mdtrt_id": visit}})["setlinfo"]
    cancel = {"data": {"setl_id": seen["setl_id"], "mdtrt_id": visit, "psn_no": psn_no}}
    assert clinic.refused("2208", cancel) == "该结算已清算，不能撤销"
    assert clinic.fund()["own_account"] == {"count": 1, "fen": 1_000}
