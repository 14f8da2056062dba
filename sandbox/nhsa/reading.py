"""1162: a shown code read through the FSI gives the output of 1101 and the token."""

from __future__ import annotations

from sandbox.nhsa.credentials import code_decode
from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.people import person_json


def code_read(call: Call) -> Output:
    data = call.data()
    person, token = code_decode(data.need("ecQrCode", 64), call.institution.code)
    out = person_json(person, call.now.date())
    return out | {"ecToken": token.token}
