"""Recorded shapes of the insurer's messages, amounts from the real samples of the reference."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import clock
from insurance.gateway.base import GatewayStyle, Operator, RegionProfile, Site, Stamp
from insurance.gateway.claim_values import ChargeLine, SettleOrder
from insurance.gateway.visit_values import Credential, CredentialKind, Scheme, Visit

AT = datetime(2026, 11, 20, 10, 0, tzinfo=clock.ZONE)
PERSON = "44010000000000000000000001"
INSTITUTION = "H44010000001"
TOKEN = "ecTOKEN0000000000000000000000000000000001"

# Hebei, outpatient, 乙类: 4.52 at 0.05, all inside the deductible, paid from the account.
OUTPATIENT = {
    "mdtrt_id": "MD1", "setl_id": "S1", "psn_no": PERSON, "psn_name": "测试人",
    "certno": "110101199001010015", "insutype": "310", "psn_type": "1101", "med_type": "11",
    "medfee_sumamt": 4.52, "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0, "preselfpay_amt": 0.23,
    "inscp_scp_amt": 4.29, "act_pay_dedc": 4.29, "hifp_pay": 0, "pool_prop_selfpay": 0,
    "cvlserv_pay": 0, "hifes_pay": 0, "hifmi_pay": 0, "hifob_pay": 0, "maf_pay": 0, "oth_pay": 0,
    "fund_pay_sumamt": 0, "psn_part_amt": 4.52, "acct_pay": 4.52, "psn_cash_pay": 0,
    "hosp_part_amt": 0, "balc": "95.48", "acct_mulaid_pay": 0, "medins_setl_id": "",
    "clr_optins": "440100", "clr_way": "01", "clr_type": "11", "setl_time": "2026-11-20 10:00:01",
}  # fmt: skip
# Hebei, inpatient: the totals, the person's part, the four parts of the scope.
INPATIENT = OUTPATIENT | {
    "medfee_sumamt": "23442.46", "fulamt_ownpay_amt": "2533.97", "overlmt_selfpay": "1396.89",
    "preselfpay_amt": "703.44", "inscp_scp_amt": "18808.16", "act_pay_dedc": 0,
    "fund_pay_sumamt": "18785.39", "hifp_pay": "18785.39", "psn_part_amt": "4152.06",
    "acct_pay": "170.04", "psn_cash_pay": "3982.02", "hosp_part_amt": "505.01",
}  # fmt: skip
MONEY = (
    "medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt",
    "act_pay_dedc", "hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay",
    "oth_pay", "fund_pay_sumamt", "psn_part_amt", "acct_pay", "psn_cash_pay", "hosp_part_amt",
    "acct_mulaid_pay",
)  # fmt: skip


def profile(**values: Any) -> RegionProfile:
    filled: dict[str, Any] = {
        "area": "440100",
        "style": GatewayStyle.SIGNED_BASE,
        "base_url": "http://127.0.0.1:8700/nhsa/gd",
        "receiver_code": "01",
        "interface_version": "V1.0",
        "sign_type": "SM3",
        "fund_includes_account": False,
        "med_types": ("11", "14"),
        "secrets": {"paas_id": "sandbox-paas", "secret_key": "sandbox-key", "api_key": "sandbox"},
    }
    return RegionProfile(**filled | values)


def site(**values: Any) -> Site:
    return Site(
        INSTITUTION, "测试医院", profile(**values), Operator("2", "KIOSK1", "自助机"), "SIGN1"
    )


def stamp(number: str = f"{INSTITUTION}202611201000000001") -> Stamp:
    return Stamp(number, AT, "SIGN1")


def credential() -> Credential:
    return Credential(CredentialKind.ELECTRONIC, TOKEN, insured_area="440100")


def visit(**values: Any) -> Visit:
    filled: dict[str, Any] = {
        "person_no": PERSON,
        "credential": credential(),
        "scheme": Scheme.EMPLOYEE,
        "visit_no": "E1",
        "begun_at": AT,
        "doctor_code": "D440100000001",
        "doctor_name": "测试医师",
        "department_code": "A03",
        "department_name": "内科",
        "department_kind": "A03",
        "med_type": "11",
        "insured_area": "440100",
        "mdtrt_id": "MD1",
    }
    return Visit(**filled | values)


def order(total_fen: int = 452, **values: Any) -> SettleOrder:
    filled: dict[str, Any] = {
        "person_no": PERSON,
        "credential": credential(),
        "scheme": Scheme.EMPLOYEE,
        "med_type": "11",
        "total_fen": total_fen,
        "mdtrt_id": "MD1",
        "batch_no": "B1",
        "use_account": True,
        "insured_area": "440100",
    }
    return SettleOrder(**filled | values)


def line(number: str = "1", amount_fen: int = 452, **values: Any) -> ChargeLine:
    filled: dict[str, Any] = {
        "number": number,
        "national_code": "XA01ABD075A002010100483",
        "hospital_code": "D001",
        "name": "测试药品",
        "category": "09",
        "amount_fen": amount_fen,
        "quantity": Decimal(1),
        "unit_price": Decimal(amount_fen) / 100,
        "ordered_at": AT,
        "ordering_department_code": "A03",
        "ordering_department_name": "内科",
        "doctor_code": "D440100000001",
        "doctor_name": "测试医师",
    }
    return ChargeLine(**filled | values)


def mirrored(info: dict[str, Any], number: str = "S2") -> dict[str, Any]:
    """The row of a 2208: every amount negative, a new number, the cash under its odd name."""
    row = info | {name: str(-Decimal(str(info[name]))) for name in MONEY}
    row["pdn_cash_pay"] = row.pop("psn_cash_pay")
    return row | {"setl_id": number}


def envelope(output: Any = None, code: Any = 0, message: str = "") -> bytes:
    said = {
        "infcode": code,
        "inf_refmsgid": "440100202611201000000000000001",
        "refmsg_time": "20261120100000123",
        "respond_time": "20261120100000456",
        "err_msg": message,
        "output": output,
    }
    return json.dumps(said, ensure_ascii=False).encode()


def zipped(text: str, name: str = "result.txt") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, text)
    return packed.getvalue()
