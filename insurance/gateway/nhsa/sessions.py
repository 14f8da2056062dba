"""9001 and 9002: an operator signs in for the day and out."""

from __future__ import annotations

from collections.abc import Mapping

from insurance.gateway.base import Call, Operation, Operator, RegionProfile
from insurance.gateway.reading import Node


def sign_in(operator: Operator, *, address: str = "", mac: str = "") -> Call[str]:
    """The number that the day's messages carry."""

    def read(output: Mapping[str, object], _profile: RegionProfile) -> str:
        return Node(output).node("signinoutb").text("sign_no", required=True)

    said = {"signIn": {"opter_no": operator.code, "mac": mac, "ip": address}}
    return Call(Operation.SIGN_IN, "9001", said, read, operator=operator)


def sign_out(operator: Operator, sign_no: str) -> Call[bool]:
    """The day is over for this operator."""

    def read(_output: Mapping[str, object], _profile: RegionProfile) -> bool:
        return True

    said = {"signOut": {"sign_no": sign_no, "opter_no": operator.code}}
    return Call(Operation.SIGN_OUT, "9002", said, read, operator=operator)
