"""The insurer's national platform in process and without delay: it knows everybody and pays.

Everything of the portal's own is as it is: the envelope is written, the answer read and its sums
checked, intents and replies are rows. Only the way over the network is missing. What another
platform says is tested over sockets; this one is for counting and measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from unittest import mock

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import clock
from core.actors import Actor
from core.money import fen_from_yuan, yuan_text
from core.outcomes import Outcome
from insurance.gateway.base import Answer, Call, Operation, Site, Stamp, Value
from insurance.gateway.envelope import believed
from insurance.gateway.nhsa import Nhsa
from insurance.gateway.visit_values import Credential, CredentialKind
from insurance.models import Claim, Institution
from insurance.services import exchange
from insurance.services.claims import PricedState, claim_open, claim_price, claim_settle
from insurance.services.credentials import credential_keep
from tests.factories import patients
from tests.insurance.samples import line

AREA = "440100"
FUND_SHARE = 60  # per cent of every bill; what is left after the account is cash
ACCOUNT_MAX_FEN = 500

CLERK = Actor("staff", "C1", "收费员")
DIAGNOSES = [{"code": "J00.x00", "name": "急性鼻咽炎", "main": True}]
LINE_FEN = 1_000
# What the insurer is asked from a shown code to a settlement, once the day's sign-in is there.
SAID = ("1101", "2201", "2203A", "2204", "2206", "2207")

Said = Mapping[str, Any]


def _person(said: Said) -> Said:
    asked = said["data"]
    return {
        "baseinfo": {
            "psn_no": f"P{asked['certno']}",
            "psn_name": asked["psn_name"],
            "certno": asked["certno"],
            "psn_cert_type": "01",
        },
        "insuinfo": [
            {
                "insutype": "310",
                "psn_type": "1101",
                "psn_insu_stas": "1",
                "insuplc_admdvs": AREA,
                "balc": yuan_text(ACCOUNT_MAX_FEN),
            }
        ],
    }


def _registered(said: Said) -> Said:
    asked = said["data"]
    return {
        "data": {
            "psn_no": asked["psn_no"],
            "ipt_otp_no": asked["ipt_otp_no"],
            "mdtrt_id": f"MD{asked['ipt_otp_no']}",
        }
    }


def _lines(said: Said) -> Said:
    """Every line wholly within the catalogue."""
    return {
        "result": [
            {
                "feedetl_sn": line["feedetl_sn"],
                "det_item_fee_sumamt": line["det_item_fee_sumamt"],
                "inscp_scp_amt": line["det_item_fee_sumamt"],
                "chrgitm_lv": "01",
                "med_chrgitm_type": "09",
                "selfpay_prop": "0",
                "pric_uplmt_amt": "999999",
                "lmt_used_flag": "0",
            }
            for line in said["feedetail"]
        ]
    }


def _settled(said: Said) -> Said:
    asked = said["data"]
    total = fen_from_yuan(asked["medfee_sumamt"])
    fund = total * FUND_SHARE // 100
    account = min(ACCOUNT_MAX_FEN, total - fund)
    yuan = {
        "medfee_sumamt": total,
        "inscp_scp_amt": total,
        "hifp_pay": fund,
        "fund_pay_sumamt": fund,
        "psn_part_amt": total - fund,
        "acct_pay": account,
        "psn_cash_pay": total - fund - account,
    }
    return {
        "setlinfo": {
            "setl_id": f"S{asked['chrg_bchno']}",
            "mdtrt_id": asked["mdtrt_id"],
            "psn_no": asked["psn_no"],
            "insutype": asked["insutype"],
            "psn_type": "1101",
            "med_type": asked["med_type"],
            "clr_optins": AREA,
            "clr_way": "01",
            "clr_type": "11",
            "setl_time": f"{clock.now():%Y-%m-%d %H:%M:%S}",
            **{name: yuan_text(fen) for name, fen in yuan.items()},
        },
        "setldetail": [
            {
                "fund_pay_type": "310101",
                "fund_pay_type_name": "基本医疗保险统筹基金",
                "fund_payamt": yuan_text(fund),
            }
        ],
    }


ANSWERS: Mapping[str, Callable[[Said], Said]] = MappingProxyType({
    "9001": lambda _said: {"signinoutb": {"sign_no": "SIGN1"}},
    "1101": _person,
    "2201": _registered,
    "2203A": lambda _said: {},
    "2204": _lines,
    "2205": lambda _said: {},
    "2206": _settled,
    "2207": _settled,
})  # fmt: skip


class InstantInsurer(Nhsa):
    """Takes no time, remembers nothing, always succeeds."""

    def send(self, call: Call[Value], site: Site, stamp: Stamp, content: bytes) -> Answer[Value]:
        return believed(call, site, ANSWERS[call.code](call.input), "1").numbered(stamp.message_no)


def insurer_replace(insurer: Nhsa | None = None) -> Any:
    """A patch: from its start to its stop the insurer answers here."""
    by_operation: dict[Operation, Any] = dict.fromkeys(Nhsa.unanswered, insurer or InstantInsurer())
    return mock.patch.object(exchange, "_BY_OPERATION", by_operation)


def claim_begun(place: Institution, ref: int, lines: int) -> Claim:
    """A visit whose code was shown, and the claim of a bill of so many lines."""
    encounter = patients.encounter(
        of=patients.patient(number=patients.id_number(ref)),
        campus=place.campus,
        self_pay=False,
        diagnoses=DIAGNOSES,
    )
    token = Credential(CredentialKind.ELECTRONIC, f"T{ref:039d}", insured_area=AREA)
    credential_keep(encounter=encounter, credential=token)
    rows = [
        replace(line(), number=f"{ref}-{n}", amount_fen=LINE_FEN, prescription_no="RX1")
        for n in range(lines)
    ]
    with transaction.atomic():
        return claim_open(invoice_ref=ref, encounter=encounter, lines=rows, med_type="11", by=CLERK)


def price_and_settle(claim_id: int) -> None:
    """Pre-settlement and settlement; both must succeed, with the same split."""
    priced = claim_price(claim_id=claim_id)
    settled = claim_settle(claim_id=claim_id)
    if priced.state is not PricedState.PRICED or settled.outcome is not Outcome.SUCCEEDED:
        raise RuntimeError(f"claim {claim_id} was not settled: {priced} {settled}")
    if priced.split != settled.split:
        raise RuntimeError(f"claim {claim_id}: {priced.split} became {settled.split}")


def statements_sent(call: Callable[[], object]) -> int:
    """How many statements a call sends, transactions and savepoints not counted."""
    with CaptureQueriesContext(connection) as captured:
        call()
    skipped = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return sum(not str(one["sql"]).startswith(skipped) for one in captured.captured_queries)
