"""Whatever a platform answers is read, or refused by name: nothing else ever escapes a reader."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insurance.gateway.base import Call, GatewayFault
from insurance.gateway.claim_values import SettlementReference
from insurance.gateway.mobile import orders
from insurance.gateway.nhsa import filings, lines, people, settlements, statements, visits
from insurance.gateway.nhsa.setlinfo import settlement_read
from insurance.gateway.reading import Node, object_read
from insurance.gateway.visit_values import Scheme
from tests.insurance import samples
from tests.insurance.test_mobile import REFERENCE, STATE
from tests.insurance.test_nhsa import BATCH, PERSON_OUT, RESULT

DAY = date(2026, 11, 20)
GROUP = statements.Group(Scheme.EMPLOYEE, "11", "440100", DAY, DAY)
ORIGINAL = settlement_read(Node(samples.OUTPATIENT), [], samples.profile())
DETAIL = [{"fund_pay_type": "310101", "fund_payamt": 0, "crt_payb_lmt_amt": 1}]
READERS: dict[str, tuple[Call[Any], dict[str, Any]]] = {
    "person": (people.person(samples.credential()), PERSON_OUT),
    "visit": (visits.register(samples.visit()), {"data": {"mdtrt_id": "MD1"}}),
    "lines": (
        lines.lines_send(BATCH, [samples.line()], lines_per_call=9)[0], {"result": [RESULT]},
    ),
    "settle": (
        settlements.settle(samples.order()),
        {"setlinfo": samples.OUTPATIENT, "setldetail": DETAIL},
    ),
    "reverse": (
        settlements.settle_reverse(ORIGINAL, insured_area="440100"),
        {"setlinfo": samples.mirrored(samples.OUTPATIENT), "setldetail": DETAIL},
    ),
    "query": (
        settlements.settle_query(SettlementReference(samples.PERSON, "MD1", "440100")),
        {"setlinfo": [samples.OUTPATIENT]},
    ),
    "chronic": (
        filings.chronic_query(samples.PERSON, insured_area="440100"),
        {"feedetail": [{"opsp_dise_code": "M1", "begndate": "2026-01-01"}]},
    ),
    "totals": (
        statements.totals_compare(GROUP, statements.Totals(1, 1, 0, 1)),
        {"stmtinfo": {"stmt_rslt": "0"}},
    ),
    "mobile": (orders.query(REFERENCE), STATE | {"extData": {"preSetl": samples.INPATIENT}}),
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.sampled_from(["-0.01", "1e5", "0.001", "９", "{", '{"a":1}', "9" * 40, "2026-13-01", "00"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every spot of a document that can be spoilt."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(spot for key, part in inner for spot in places(part, (*path, key)))]


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_spoilt_answer_is_read_or_refused_by_name(name: str, data: st.DataObject) -> None:
    call, output = READERS[name]
    spoilt = copy.deepcopy(output)
    for _spot in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(spoilt)[1:]))
        holder: Any = spoilt
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = data.draw(ODD)
        if not places(spoilt)[1:]:
            break
    with suppress(GatewayFault):
        call.read(object_read(json.dumps(spoilt, allow_nan=True).encode()), samples.profile())


@given(st.binary(max_size=200))
def test_bytes_are_an_object_or_refused(body: bytes) -> None:
    with suppress(GatewayFault):
        object_read(body)
    with suppress(GatewayFault):
        statements.verdicts_unpack(body)
