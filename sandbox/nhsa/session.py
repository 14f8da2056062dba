"""9001 and 9002: an operator's day."""

from __future__ import annotations

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.models import SignIn
from sandbox.nhsa.numbers import moment, sign_number
from sandbox.nhsa.refusal import Refused


def sign_in(call: Call) -> Output:
    data = call.data("signIn")
    operator = data.need("opter_no", 30)
    data.text("mac", 20)
    data.text("ip", 20)
    row = SignIn.objects.create(
        sign_no=sign_number(),
        institution=call.institution,
        opter_no=operator,
        created_at=call.now,
    )
    return {"signinoutb": {"sign_time": moment(call.now), "sign_no": row.sign_no}}


def sign_out(call: Call) -> Output:
    data = call.data("signOut")
    changed = SignIn.objects.filter(
        institution=call.institution,
        sign_no=data.need("sign_no", 30),
        opter_no=data.need("opter_no", 30),
        ended_at=None,
    ).update(ended_at=call.now)
    if not changed:
        raise Refused("没有这次签到，或已签退")
    return {"signoutoutb": {"sign_time": moment(call.now)}}
