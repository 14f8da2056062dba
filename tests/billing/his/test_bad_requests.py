"""Requests that are wrong before their content: bytes, types, addresses, callers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError

from billing.his.views import invoices
from patients.models import HisClient, Patient
from tests.billing.his.conftest import His, charge_body, patient_body
from tests.billing.his.test_bad_input import is_problem
from tests.factories.patients import his_client

PATIENT = "patients/M1"
GOOD = json.dumps(patient_body())
NOT_JSON = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"{'name': 1}",
    GOOD[:-1].encode() + b', "name": "x"}',
    GOOD.replace('"male"', "NaN").encode(),
    GOOD.replace('"male"', "Infinity").encode(),
    GOOD.replace('"male"', "1" * 5000).encode(),
    GOOD.replace('"male"', "[" * 100_000).encode(),
    GOOD.replace('"male"', "[" * 50 + "]" * 50).encode(),
    GOOD.replace("1990", "19\\u000090").encode(),
    GOOD.replace("1990", "19\\ud80090").encode(),
    GOOD.encode("utf-16"),
    GOOD.encode() + b"\xff",
    GOOD.encode() + b"{}",
]


@pytest.mark.parametrize("body", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_no_strict_json_is_refused(his: His, body: bytes) -> None:
    is_problem(his.raw("PUT", PATIENT, body), 400)
    assert not Patient.objects.exists()


def test_a_body_over_a_megabyte_is_refused(his: His) -> None:
    body = json.dumps(patient_body(name="x" * 1_000_001)).encode()
    is_problem(his.raw("PUT", PATIENT, body), 413)
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
def test_another_type_of_body_is_refused(his: His, content_type: str) -> None:
    is_problem(his.raw("PUT", PATIENT, GOOD.encode(), content_type=content_type), 415)


def test_json_with_a_charset_and_any_accept_is_taken(his: His) -> None:
    answer = his.raw(
        "PUT", PATIENT, GOOD.encode(), "application/json; charset=utf-8", Accept="text/html"
    )
    assert (answer.status_code, answer["Content-Type"]) == (201, "application/json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 404),
        ("GET", "nothing", 404),
        ("DELETE", "nothing/at/all", 404),
        ("GET", "invoices/", 404),
        ("GET", "invoices/I1%0A", 400),
        ("GET", "invoices/I%00", 400),
        ("GET", "invoices/I%201", 400),
        ("GET", f"invoices/{'9' * 65}", 400),
        ("GET", "invoices/％", 400),
        ("GET", "x%0Ay", 404),
        ("GET", "invoices/I1", 404),
        ("GET", PATIENT, 405),
        ("DELETE", "invoices/I1", 405),
        ("PATCH", PATIENT, 405),
        ("OPTIONS", PATIENT, 405),
        ("GET", "events?after=-1", 400),
        ("GET", "events?after=1.5", 400),
        ("GET", "events?after=１", 400),
        ("GET", f"events?after={'9' * 400}", 400),
        ("GET", "events?limit=0", 400),
        ("GET", "events?limit=501", 400),
        ("GET", "events?before=1", 400),
    ],
)
def test_a_wrong_address_or_method_is_told(his: His, method: str, path: str, status: int) -> None:
    problem = is_problem(his.raw(method, path), status)
    if path.startswith("events?"):
        assert problem["errors"][0]["field"] in ("after", "limit", "before")


LATER = [
    ("PUT", "encounters/E1/deposits/D1"),
    ("POST", "encounters/E1/transfer"),
    ("PUT", "encounters/E1/prescriptions/P1"),
    ("POST", "encounters/E1/prescriptions/P1/dispensed"),
    ("PUT", "doctors/D001/presence"),
    ("GET", "encounters/E1/daily_list?day=2026-11-20"),
]


@pytest.mark.parametrize(("method", "path"), LATER)
def test_what_is_not_offered_says_so_after_the_address(his: His, method: str, path: str) -> None:
    problem = is_problem(his.raw(method, path, b"{}"), 409)
    assert problem["type"] == "urn:portal:problem:not_offered"
    is_problem(his.raw(method, path.replace("E1", "E%201").replace("D001", "!"), b"{}"), 400)


@pytest.mark.parametrize("header", ["", "Token", "Token a b", "Bearer x", "Token wrong", "Token ü"])
def test_without_a_known_token_nothing_is_told(client_row: HisClient, header: str) -> None:
    stranger = His(token="")
    if header:
        stranger.headers = {"Authorization": header}
    for path in (PATIENT, "events", "nothing"):
        answer = stranger.raw("GET", path)
        is_problem(answer, 401)
        assert answer["WWW-Authenticate"] == "Token"


def test_an_inactive_client_is_unknown(his: His, client_row: HisClient) -> None:
    HisClient.objects.update(active=False)
    is_problem(his.raw("GET", "events"), 401)


@pytest.mark.parametrize(
    ("addresses", "status"),
    [
        ([], 200),
        (["127.0.0.1"], 200),
        (["10.0.0.0/8", "127.0.0.0/8"], 200),
        (["10.0.0.0/8"], 403),
        (["nonsense"], 403),
    ],
)
def test_a_token_is_bound_to_its_addresses(
    his: His, client_row: HisClient, addresses: list[str], status: int
) -> None:
    HisClient.objects.update(addresses=addresses)
    answer = his.raw("GET", "events", **{"X-Forwarded-For": "10.1.2.3"})
    assert answer.status_code == status
    if status != 200:
        is_problem(answer, 403)


def test_a_trusted_proxy_reports_the_caller(his: His, client_row: HisClient, settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    HisClient.objects.update(addresses=["10.0.0.0/8"])
    assert his.raw("GET", "events", **{"X-Forwarded-For": "1.2.3.4, 10.1.2.3"}).status_code == 200
    is_problem(his.raw("GET", "events", **{"X-Forwarded-For": "10.1.2.3, 1.2.3.4"}), 403)


@pytest.mark.parametrize(
    "case",
    [
        ([], "GET", "events", True),
        (["read"], "GET", "events", False),
        (["read"], "PUT", PATIENT, True),
        (["write"], "PUT", PATIENT, False),
        (["write"], "GET", "events", True),
        (["read", "write"], "PUT", "encounters/E1/invoices/I1", True),
        (["read", "write"], "POST", "invoices/I1/collect", True),
        (["read", "write"], "POST", "invoices/I1/cancel", True),
        (["read", "write"], "POST", "invoices/I1/refunds", True),
        (["money"], "POST", "invoices/I1/cancel", False),
    ],
)
def test_a_token_does_only_what_its_scopes_say(
    his: His, client_row: HisClient, case: tuple[list[str], str, str, bool]
) -> None:
    scopes, method, path, refused = case
    HisClient.objects.update(scopes=scopes)
    answer = his.raw(method, path, GOOD.encode() if method != "GET" else b"")
    assert (answer.status_code == 403) is refused
    if refused:
        is_problem(answer, 403)


def test_a_fault_of_ours_is_a_problem_with_an_id_and_no_detail(
    his: His, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_kwargs: Any) -> None:
        raise RuntimeError("secret inner text")

    monkeypatch.setattr(invoices, "invoice_get", broken)
    problem = is_problem(his.raw("GET", "invoices/I1"), 500)
    assert "secret" not in json.dumps(problem)
    ours = next(one for one in caplog.records if one.name == "billing.his.problems")
    assert ours.args
    assert str(ours.args[0]) in problem["detail"]


def test_a_row_the_database_refused_is_not_written_to_the_log(
    his: His, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    phone = "138" + "0" * 7 + "1"

    def refused(**_kwargs: Any) -> None:
        raise IntegrityError(f"Failing row contains (1, 张三, {phone})")

    monkeypatch.setattr(invoices, "invoice_get", refused)
    is_problem(his.raw("GET", "invoices/I1"), 500)
    assert phone not in caplog.text
    assert "IntegrityError" in caplog.text


def test_a_database_that_is_away_asks_to_try_again(
    his: His, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_kwargs: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(invoices, "invoice_get", away)
    answer = his.raw("GET", "invoices/I1")
    is_problem(answer, 503)
    assert answer["Retry-After"] == "2"


def test_two_clients_use_the_same_numbers(his: His, visit: str) -> None:
    his_client("other")
    other = His("test-his-token-other")
    other("PUT", PATIENT, patient_body(name="李四"))
    assert his("PUT", "encounters/E1/charges/C1", charge_body())[0] == 201
    assert Patient.objects.count() == 2
