"""The demo is ended by hand or by a death in the house; what was begun comes to its end."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.fixtures.demo_process import OPERATOR, STOP_WITHIN_S, Bill, Demo

PAYERS = ("P0002", "P0004", "P0007", "P0010")
CROWD, FEN = 20, 11_11
DEATHS = ("celery -A config worker", "granian", "celery -A config beat")


def collect_if_open(demo: Demo, bill: Bill) -> None:
    """As the HIS: it asks, and does not know what became of it when the line breaks."""
    body = {"request_no": f"{bill.number}R", "method": "auto", "wait_s": 2, "operator": OPERATOR}
    try:
        demo.his("POST", f"invoices/{bill.number}/collect", body)
    except httpx.HTTPError:
        return


def wallets(demo: Demo) -> int:
    found = [demo.act("payer", "show_wallet", f"oDemo{mrn}") for mrn in PAYERS]
    return sum(one["balance_fen"] for one in found)


@pytest.mark.proof("T13")
def test_death_during_twenty_collects_ends_well(demo: Demo, proof_scale: Any) -> None:
    # Given an agreement that its holder ended
    wallet = demo.act("payer", "show_wallet", "oDemoP0012")
    [contract] = wallet["contracts"]
    demo.act("payer", "unsign", "oDemoP0012", contract_id=contract["contract_id"])
    ended = "SELECT count(*) FROM billing_agreement WHERE contract_id = %s AND status = 'ENDED'"
    assert demo.until(lambda: demo.query(ended, contract["contract_id"])[0][0])
    # When the worker dies; at full size the portal and the beat as well, and then it is stopped
    full = proof_scale(len(DEATHS), least=1)
    for word in DEATHS[:full]:
        one_death(demo, word)
    if full > 1:
        demo.stop()
        demo.start()
    # Then nothing is new: nobody signed in the holder's name, and no wallet was filled again
    after = demo.act("payer", "show_wallet", "oDemoP0012")
    assert after["balance_fen"] == wallet["balance_fen"]
    assert [one["status"] for one in after["contracts"]] == ["TERMINATED"]
    told = {one["mrn"]: one["agreements"] for one in demo.facts["patients"]}
    assert (told["P0012"], told["P0001"]) == ([], ["wechat_pay"])


def one_death(demo: Demo, word: str) -> None:
    # Given twenty bills, half of whose deductions take a while at the channel
    for mrn in PAYERS:
        demo.act("payer", "set_balance", f"oDemo{mrn}", balance_fen=10_000_00)
    bills = [demo.bill(PAYERS[n % len(PAYERS)], FEN) for n in range(CROWD)]
    had, token = wallets(demo), demo.facts["his_token"]
    demo.clerk_leaves()
    demo.fault("capture", "delay", probability=0.5, seed=3, seconds=1)

    # When the process that works for them is killed while they are collected
    with ThreadPoolExecutor(CROWD) as crowd:
        asked = [crowd.submit(collect_if_open, demo, bill) for bill in bills]
        captures = "SELECT count(*) FROM core_outboundcall WHERE operation = 'capture'"
        sent = demo.query(captures)[0][0]
        demo.until(lambda: demo.query(captures)[0][0] >= sent + 3, 10)
        for pid in demo.pids(word):
            os.kill(pid, signal.SIGKILL)
        # Then the demo says so and ends, and takes everybody with it
        assert demo.process is not None
        assert demo.process.wait(STOP_WITHIN_S) == 1
        for one in asked:
            one.result()
    assert "ended by itself" in demo.words()
    demo.gone()

    # When it is started again
    demo.start()
    # Then it is the same hospital, and what was asked for ends: paid once, or to be asked again
    assert demo.facts["his_token"] == token
    for bill in bills:
        collect_if_open(demo, bill)
    assert demo.until(lambda: all(demo.invoice(b.number)["status"] == "PAID" for b in bills), 60)
    assert had - wallets(demo) == CROWD * FEN
    for bill in bills:
        assert demo.event_types(bill.number).count("paid") <= 1
    demo.books_agree()
