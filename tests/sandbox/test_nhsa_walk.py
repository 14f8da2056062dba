"""A random day of settling, cancelling, losing and undoing: three tallies end equal (I7, I8)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import ProofScale
from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.nhsa_client import ADULT, DRUG, EXCLUDED, SERVICE, Clinic

BALANCE_FEN = 20_000
WIRE = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")


@pytest.fixture
def clinic(sandbox: Sandbox) -> Clinic:
    return Clinic(sandbox)


def fen(value: Any) -> int:
    return round(float(value) * 100)


@dataclass
class Day:
    """What the hospital believes: its rows, those that stand, and batches without one."""

    clinic: Clinic
    psn_no: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    standing: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def visit(self, draw: random.Random) -> None:
        codes = draw.choices((SERVICE, DRUG, EXCLUDED), k=draw.randint(1, 4))
        cart = [(code, f"{draw.randint(100, 90_000) / 100:.2f}") for code in codes]
        visit = self.clinic.visit(self.psn_no, *cart)
        self.waiting.append((visit, f"{sum(fen(yuan) for _, yuan in cart) / 100:.2f}"))

    def settle(self, draw: random.Random) -> None:
        visit, total = self.waiting.pop(draw.randrange(len(self.waiting)))
        out = self.clinic.ok("2207", self.clinic.asking(self.psn_no, visit, total))["setlinfo"]
        out["total"] = total
        self.rows.append(out)
        self.standing.append(out)

    def cancel(self, draw: random.Random) -> None:
        row = self.standing.pop(draw.randrange(len(self.standing)))
        back = self.clinic.ok("2208", self._cancelling(row))["setlinfo"]
        assert all(fen(back[name]) == -fen(row[name]) for name in (*WIRE, "psn_cash_pay"))
        self.rows.append(back)
        self.waiting.append((row["mdtrt_id"], row["total"]))

    def lose_settle(self, draw: random.Random) -> None:
        visit, total = draw.choice(self.waiting)
        self._lose("settle", "2207", self.clinic.asking(self.psn_no, visit, total), draw)

    def lose_cancel(self, draw: random.Random) -> None:
        self._lose("settle_reverse", "2208", self._cancelling(draw.choice(self.standing)), draw)

    def _lose(self, operation: str, infno: str, given: dict[str, Any], draw: random.Random) -> None:
        """The answer never comes; 2601 makes it undone, or says it never was."""
        way = draw.choice(("system_error_after", "system_error_before", "http_500_after"))
        self.clinic.sandbox.fault(operation, way, "nhsa", times=1)
        lost = self.clinic.post(infno, given)
        assert lost.status_code == 500 or lost.json()["infcode"] == -1
        undo = {"psn_no": self.psn_no, "omsgid": self.clinic.sent[infno], "oinfno": infno}
        if way.endswith("before"):
            assert self.clinic.refused("2601", {"data": undo}) == "未找到可冲正的交易"
        else:
            self.clinic.ok("2601", {"data": undo})

    def _cancelling(self, row: dict[str, Any]) -> dict[str, Any]:
        one = {"setl_id": row["setl_id"], "mdtrt_id": row["mdtrt_id"], "psn_no": self.psn_no}
        return {"data": one}


def test_a_random_day_ends_with_equal_tallies(clinic: Clinic, proof_scale: ProofScale) -> None:
    psn_no = clinic.enrol(balance_fen=BALANCE_FEN)
    day, draw = Day(clinic, psn_no), random.Random(11)
    for _ in range(proof_scale(1_000, least=40)):
        able = [day.visit]
        able += [day.settle, day.settle, day.lose_settle] if day.waiting else []
        able += [day.cancel, day.lose_cancel] if day.standing else []
        draw.choice(able)(draw)
    sums = {name: sum(fen(row[name]) for row in day.rows) for name in WIRE}
    told = {name: f"{value / 100:.2f}" for name, value in sums.items()}
    asked = {
        "insutype": "310",
        "clr_type": "11",
        "setl_optins": "330300",
        "stmt_begndate": "2026-11-20",
        "stmt_enddate": "2026-11-20",
        "fixmedins_setl_cnt": str(len(day.rows)),
    }
    assert clinic.ok("3201", {"data": asked | told})["stmtinfo"]["stmt_rslt"] == "0"
    book = clinic.fund()
    assert book["fund"]["fen"] == sums["fund_pay_sumamt"]
    assert book["own_account"]["fen"] == sums["acct_pay"]
    shown = clinic.sandbox.act("nhsa", "show_person", psn_no)
    assert fen(shown["insuinfo"][0]["balc"]) == BALANCE_FEN - sums["acct_pay"]
    used = shown["used"][0]
    assert (used["medfee_fen"], used["visits"]) == (sums["medfee_sumamt"], len(day.standing))
    assert used["deductible_fen"] == sum(fen(row["act_pay_dedc"]) for row in day.rows)
    assert used["fund_fen"] == sum(fen(row["hifp_pay"]) for row in day.rows)


def test_a_pharmacy_settles_as_a_place_of_its_own(clinic: Clinic) -> None:
    shop = Clinic(clinic.sandbox, place=2)
    psn_no = shop.enrol(balance_fen=0)
    shop.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=60_000)
    visit = shop.register(psn_no)
    shop.describe(psn_no, visit, med_type="41")
    shop.ok("2204", {"feedetail": [shop.line(psn_no, visit, DRUG, "100.00")]})
    out = shop.ok("2207", shop.asking(psn_no, visit, "100.00", med_type="41"))["setlinfo"]
    # The lowest tier's ratio: 0.80 of 95.00.
    assert (out["hifp_pay"], out["clr_type"]) == (76.0, "41")
    assert (shop.fund()["fund"]["fen"], clinic.fund()["fund"]["fen"]) == (7_600, 0)
    asked = {"data": {"mdtrt_id": visit, "psn_no": psn_no, "setl_id": out["setl_id"]}}
    assert "请先挂号" in clinic.refused("2208", asked)


def test_a_wrong_key_is_stopped_at_the_second_gate(clinic: Clinic) -> None:
    base = clinic.sandbox.nhsa["rio_fsi"]["base_url"]
    url = f"{base}/fsi/api/fsiPsnInfoService/queryPsnInfo"
    body = clinic.envelope("1101", {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": ADULT}})
    assert CLIENT.post(url, json=body, headers={"apikey": "x"}).status_code == 401
    right = {"apikey": clinic.sandbox.nhsa["rio_fsi"]["apikey"]}
    assert CLIENT.post(url, json=body | {"infno": "2207"}, headers=right).json()["infcode"] == -2
    lost = CLIENT.post(f"{base}/fsi/api/nowhere/atAll", json=body, headers=right)
    assert lost.status_code == 404


def test_the_clearing_is_listed_row_by_row(clinic: Clinic) -> None:
    psn_no, visit = clinic.ready((SERVICE, "10.00"), balance_fen=400)
    done = clinic.ok("2207", clinic.asking(psn_no, visit, "10.00"))["setlinfo"]
    clinic.ok("2208", {"data": {"setl_id": done["setl_id"], "mdtrt_id": visit, "psn_no": psn_no}})
    told = clinic.sandbox.control("GET", "transactions?counterparty=nhsa")["transactions"]
    parts = [
        (row["kind"], row["status"], row["amount_fen"], row["own_account_fen"], row["cash_fen"])
        for row in told
    ]
    assert parts == [
        ("settle", "cancelled", 1_000, 400, 600),
        ("cancel", "stands", -1_000, -400, -600),
    ]
    assert (told[0]["number"], told[1]["parent"]) == (done["medins_setl_id"], done["setl_id"])
