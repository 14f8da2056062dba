"""The demo's insured people at the sandbox's insurance platform: each one a case to be shown.

An earlier run's people are left as they are: their accounts are theirs, not ours to reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from config.demo.sandbox_client import SandboxError, sandbox_act

HOME = "330300"
EMPLOYEE: dict[str, Any] = {"insutype": "310", "psn_type": "1101"}
RETIRED: dict[str, Any] = {"insutype": "310", "psn_type": "1201"}
RESIDENT: dict[str, Any] = {"insutype": "390", "psn_type": "151001"}


@dataclass(frozen=True, slots=True)
class Insured:
    """`coverage` is a row of insurance; `rights` are filings; `paid_by` links the family."""

    coverage: dict[str, Any]
    rights: tuple[dict[str, Any], ...] = ()
    enrolled_by: str = ""
    # Whose account may pay, and what this person is to them: (number, child, spouse or parent).
    paid_by: tuple[tuple[str, str], ...] = ()


INSURED: dict[str, Insured] = {
    "P0001": Insured(RETIRED | {"balance_fen": 300_000}),
    # A civil servant: the supplement shows in every settlement.
    "P0002": Insured(RETIRED | {"psn_type": "1202", "balance_fen": 0, "cvlserv_flag": "1"}),
    # Enough on the account to pay for her child.
    "P0003": Insured(EMPLOYEE | {"balance_fen": 2_000_000}),
    "P0004": Insured(EMPLOYEE | {"balance_fen": 12_345}, paid_by=(("P0003", "spouse"),)),
    # Insured in another province, not filed yet.
    "P0006": Insured(EMPLOYEE | {"insuplc_admdvs": "440300", "balance_fen": 50_000}),
    "P0007": Insured(
        EMPLOYEE | {"balance_fen": 80_000},
        rights=({"kind": "chronic", "code": "M03900", "name": "高血压"},),
    ),
    "P0008": Insured(
        RESIDENT,
        rights=(
            {"kind": "rescue", "code": "02", "name": "低保"},
            {"kind": "commercial", "code": "HMB", "name": "惠民保"},
        ),
    ),
    # Paid no contribution lately.
    "P0010": Insured(EMPLOYEE | {"psn_insu_stas": "2"}),
    "P0016": Insured(RESIDENT, enrolled_by="P0003", paid_by=(("P0003", "child"),)),
}


def person_insure(
    mrn: str, *, id_no: str, name: str, sex: str, born: date, phone: str, known: dict[str, str]
) -> bool:
    """Enrol who is insured; `known` has the ID numbers of those loaded before."""
    person = INSURED.get(mrn)
    if person is None:
        return False
    if _enrolled(id_no):
        return True
    wallet = {} if person.enrolled_by else {"openid": f"oDemo{mrn}"}
    guardian = {"enrolled_by": known[person.enrolled_by]} if person.enrolled_by else {}
    sandbox_act(
        "nhsa",
        "enrol_person",
        id_no,
        name=name,
        sex=sex,
        birth_date=born.isoformat(),
        phone=phone,
        card_no=f"YB{mrn}",
        **wallet,
        **guardian,
        **({"insuplc_admdvs": HOME} | person.coverage),
    )
    for right in person.rights:
        sandbox_act("nhsa", "file_entitlement", id_no, **right)
    for payer, relation in person.paid_by:
        sandbox_act("nhsa", "link_family", known[payer], member=id_no, relation=relation)
    return True


def _enrolled(id_no: str) -> bool:
    try:
        sandbox_act("nhsa", "show_person", id_no)
    except SandboxError:
        return False
    return True
