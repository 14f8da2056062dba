"""Small builders of people and visits; every one fills what the test does not care about."""

from __future__ import annotations

import hashlib
import itertools
from datetime import date
from typing import Any

from core import clock
from patients.models import Campus, Encounter, HisClient, Identifier, Patient
from patients.selectors import id_number_index, phone_index

TOKEN = "test-his-token"
_numbers = itertools.count(1)


def campus(code: str = "main", **values: Any) -> Campus:
    return Campus.objects.get_or_create(code=code, defaults={"name": "主院区"} | values)[0]


def his_client(code: str = "his", token: str = "", **values: Any) -> HisClient:
    """A HIS that may do everything from anywhere; its token is TOKEN for the code `his`."""
    token = token or (TOKEN if code == "his" else f"{TOKEN}-{code}")
    defaults = {
        "name": f"HIS {code}",
        "token_digest": hashlib.sha256(token.encode()).hexdigest(),
        "scopes": ["read", "write", "money"],
    }
    return HisClient.objects.get_or_create(code=code, defaults=defaults | values)[0]


def id_number(serial: int = 1, born: date = date(1990, 1, 1), region: str = "110101") -> str:
    """A resident ID number with a right checksum."""
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    weights = [2**i % 11 for i in range(17, 0, -1)]
    rest = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
    return body + "10X98765432"[rest]


def patient(
    mrn: str = "", client: HisClient | None = None, *, number: str = "", **values: Any
) -> Patient:
    """A person with one record number at the client."""
    n = next(_numbers)
    phone = str(values.pop("phone", f"138{n:08d}"))
    row = Patient.objects.create(
        name=str(values.pop("name", "张三")),
        birth_date=values.pop("birth_date", date(1990, 1, 1)),
        id_number=number,
        id_number_index=id_number_index(number),
        phone=phone,
        phone_index=phone_index(phone),
        created_at=clock.now(),
        **values,
    )
    Identifier.objects.create(
        client=client or his_client(),
        patient=row,
        kind="mrn",
        value=mrn or f"M{n}",
        created_at=clock.now(),
    )
    return row


def encounter(
    encounter_no: str = "",
    client: HisClient | None = None,
    of: Patient | None = None,
    **values: Any,
) -> Encounter:
    client = client or his_client()
    filled: dict[str, Any] = {
        "kind": "outpatient",
        "campus": campus(),
        "department_code": "A03",
        "department_name": "内科",
        "doctor_code": "D001",
        "doctor_name": "测试医师",
        "med_type": "11",
        "self_pay": True,
        "self_pay_operator": "his:C1",
        "input_hash": "",
        "started_at": clock.now(),
        "created_at": clock.now(),
    }
    return Encounter.objects.create(
        client=client,
        encounter_no=encounter_no or f"E{next(_numbers)}",
        patient=of or patient(client=client),
        **filled | values,
    )
