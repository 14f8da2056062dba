"""A mother, her grown daughter and the daughter's child, who are new to the demo hospital.

The HIS registers them; the two women have phones with both wallets. Nobody has an account here yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from stdnum.iso7064 import mod_11_2

from tests.fixtures.demo_process import Demo

RICH_FEN = 1_000_000_00
FREE_FEN = 1_000_00


@dataclass(frozen=True)
class Relative:
    mrn: str
    name: str
    id_no: str
    phone: str
    openid: str = ""
    alipay_id: str = ""


@dataclass(frozen=True)
class Relatives:
    """`daughter` is who does everything on her phone; the others are hers."""

    daughter: Relative
    child: Relative
    mother: Relative


def relatives_register(demo: Demo, number: int = 1) -> Relatives:
    """As the HIS does on a first visit; another number gives another family."""
    return Relatives(
        daughter=_person(demo, "林晓雯", "1984-09-03", number * 10 + 1),
        child=_person(
            demo, "周子涵", "2018-05-06", number * 10 + 2, guardian=f"E{number * 10 + 1:04d}"
        ),
        mother=_person(demo, "苏玉梅", "1955-02-11", number * 10 + 3),
    )


def _person(demo: Demo, name: str, born: str, number: int, *, guardian: str = "") -> Relative:
    digits = f"330300{born.replace('-', '')}{number * 2 % 1000:03d}"
    one = Relative(
        mrn=f"E{number:04d}",
        name=name,
        id_no=digits + mod_11_2.calc_check_digit(digits),
        phone=f"1381111{number - 1 if guardian else number:04d}",
        openid="" if guardian else f"oEnd{number:04d}",
        alipay_id="" if guardian else f"2088{number + 7000:012d}",
    )
    body = {
        "name": name,
        "id_type": "id_card",
        "id_number": one.id_no,
        "birth_date": born,
        "sex": "female",
        "phone": one.phone,
    }
    known = {"guardian": {"mrn": guardian}} if guardian else {}
    demo.told("PUT", f"patients/{one.mrn}", body | known)
    if one.openid:
        _wallets(demo, one)
    return one


def _wallets(demo: Demo, one: Relative) -> None:
    filled = {
        "name": one.name,
        "phone": one.phone,
        "balance_fen": RICH_FEN,
        "free_fen": FREE_FEN,
    }
    demo.act("payer", "create_wallet", one.openid, **filled)
    demo.act("alipay_payer", "create_wallet", one.alipay_id, **filled)
