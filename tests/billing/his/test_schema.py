"""The OpenAPI document is valid, names every door, and what it allows never ends in a 500."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from tests.billing.his.conftest import His

EXAMPLES = 15
REAL_NUMBERS = {"mrn": "M1", "encounter_no": "E1", "charge_no": "C1", "invoice_no": "I1"}
DOORS = {
    "/api/v1/patients/{mrn}": {"put"},
    "/api/v1/encounters/{encounter_no}": {"put"},
    "/api/v1/encounters/{encounter_no}/cancel": {"post"},
    "/api/v1/encounters/{encounter_no}/close": {"post"},
    "/api/v1/encounters/{encounter_no}/charges": {"post"},
    "/api/v1/encounters/{encounter_no}/charges/{charge_no}": {"put"},
    "/api/v1/encounters/{encounter_no}/charges/{charge_no}/cancel": {"post"},
    "/api/v1/encounters/{encounter_no}/invoices/{invoice_no}": {"put"},
    "/api/v1/invoices/{invoice_no}": {"get"},
    "/api/v1/invoices/{invoice_no}/collect": {"post"},
    "/api/v1/invoices/{invoice_no}/cancel": {"post"},
    "/api/v1/invoices/{invoice_no}/refunds": {"post"},
    "/api/v1/events": {"get"},
}


def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def test_the_document_is_valid_without_a_warning(tmp_path: Any) -> None:
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml")
    )


def test_the_document_names_every_door_and_its_problems() -> None:
    paths = document()["paths"]
    assert {path: set(doors) for path, doors in paths.items()} == DOORS
    for doors in paths.values():
        for door in doors.values():
            assert door["security"] == [{"hisToken": []}]
            assert "application/problem+json" in door["responses"]["401"]["content"]


@pytest.mark.django_db
def test_the_document_is_served() -> None:
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/vnd.oai.openapi")


@pytest.mark.django_db
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", sorted(DOORS))
def test_whatever_is_sent_is_answered_in_the_contract(
    his: His, visit: str, path: str, mode: GenerationMode
) -> None:
    """Generated calls, fitting and not fitting the document: never a 500, always its shapes."""
    (method,) = DOORS[path]
    door = schemathesis.openapi.from_dict(document())[path][method.upper()]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=door.as_strategy(generation_mode=mode), real=st.booleans())
    def answered(case: Any, real: bool) -> None:
        numbers = REAL_NUMBERS if real else (case.path_parameters or {})
        target = path
        for name in REAL_NUMBERS:
            target = target.replace(f"{{{name}}}", quote(str(numbers.get(name, "x")), safe=""))
        query = "?" + urlencode(case.query, doseq=True) if case.query else ""
        body = b"" if isinstance(case.body, NotSet) else sent(case.body)
        answer = his.raw(method.upper(), target.removeprefix("/api/v1/") + query, body)
        assert answer.status_code < 500, (answer.status_code, answer.content)
        expected = "application/problem+json" if answer.status_code >= 400 else "application/json"
        assert answer["Content-Type"] == expected
        json.loads(answer.content)

    answered()


def sent(body: Any) -> bytes:
    """A generated body as bytes; what is no JSON is sent as it is."""
    if isinstance(body, bytes):
        return body
    return json.dumps(body, default=str).encode("utf-8", "surrogatepass")
