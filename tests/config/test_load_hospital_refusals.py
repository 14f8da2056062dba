"""`load_hospital` refuses with the place and the reason, and nothing of the file is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from billing.models import Merchant
from core.models import AuditEvent
from patients.models import Campus
from tests.config.hospital_files import ENVIRONMENT, Desk, hospital

pytestmark = pytest.mark.django_db
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    found = Desk(tmp_path)
    found.keys()
    return found


def within(*path: Any, **values: Any) -> Change:
    """Put values into the part of the file that the path leads to."""

    def change(data: Any) -> None:
        for step in path:
            data = data[step]
        data.update(values)

    return change


PLAN = ("merchants", 0, "plans", 0)
SECRETS = ("merchants", 0, "secrets")
REFUSED: dict[str, tuple[Change, str]] = {
    "unknown part": (within(wards=[]), "wards"),
    "unknown field": (within("campuses", 0, colour="red"), "campuses[0].colour"),
    "unknown plan field": (within(*PLAN, fee=1), "merchants[0].plans[0].fee"),
    "no code": (lambda data: data["campuses"][0].pop("code"), "campuses[0].code"),
    "no name": (lambda data: data["campuses"][1].pop("name"), "campuses west: name"),
    "named twice": (within("campuses", 1, code="main"), "campuses main"),
    "yuan for fen": (within(*PLAN, single_fen=500.00), "plans[0].single_fen"),
    "text for fen": (within(*PLAN, single_fen="50000"), "plans[0].single_fen"),
    "nothing at once": (within(*PLAN, single_fen=0), "plans[0].single_fen"),
    "below zero": (within(*PLAN, daily_fen=-1), "plans[0].daily_fen"),
    "no times": (within(*PLAN, daily_count=0), "plans[0].daily_count"),
    "day below single": (within(*PLAN, daily_fen=49_999), "plans 120001: daily_fen"),
    "no limit": (lambda data: data["merchants"][0]["plans"][0].pop("daily_fen"), "daily_fen"),
    "by period": (within(*PLAN, plan_id="cycle:INDUSTRY|HOSPITAL"), "plans[0].plan_id"),
    "no hour": (within(*PLAN, hours_from="7"), "plans[0].hours_from"),
    "no hours": (within(*PLAN, hours_until="07:00"), "plans 120001: hours_until"),
    "no day": (within("institutions", 0, agreement_until="2026-02-30"), "agreement_until"),
    "term reversed": (
        within("institutions", 0, agreement_until="2025-12-31"),
        "institutions tenpay: agreement_until",
    ),
    "unknown institution": (within("merchants", 0, institution="none"), "institution"),
    "unknown campus": (within("merchants", 0, campus="north"), "campus"),
    "client's campus": (within("his_clients", 0, campuses=["north"]), "his_clients his: campuses"),
    "channel": (within("merchants", 0, channel="cash"), "merchants cash/1611111111: channel"),
    "address": (within("merchants", 0, base_url="pay.example"), "base_url"),
    "events address": (within("his_clients", 0, events_url="ftp://his.example"), "events_url"),
    "scope": (within("his_clients", 0, scopes=["everything"]), "his_clients[0].scopes"),
    "network": (within("his_clients", 0, addresses=["10.1.2.3/8"]), "his_clients[0].addresses"),
    "events unsigned": (lambda data: data["his_clients"][0].pop("events_secret"), "events_secret"),
    "bare secret": (within(*SECRETS, api_v3_key="0" * 32), "api_v3_key"),
    "bare events secret": (within("his_clients", 0, events_secret="open"), "events_secret"),
    "variable unset": (within(*SECRETS, api_v3_key={"env": "NO_SUCH_KEY"}), "NO_SUCH_KEY"),
    "file missing": (within(*SECRETS, api_v3_key={"file": "keys/none.pem"}), "keys/none.pem"),
    "two places": (within(*SECRETS, api_v3_key={"env": "A", "file": "B"}), "api_v3_key"),
    "secret missing": (
        lambda data: data["merchants"][0]["secrets"].pop("api_v3_key"),
        "api_v3_key",
    ),
    "agreements without v2": (
        lambda data: data["merchants"][0]["secrets"].pop("client_cert"),
        "client_cert is missing",
    ),
    "unknown secret": (within(*SECRETS, pin={"env": "WECHAT_V3_KEY"}), "pin is not known"),
    "key unreadable": (
        within(*SECRETS, merchant_private_key={"file": "keys/nonsense.pem"}),
        "merchant_private_key cannot be read",
    ),
    "certificate of another": (
        within(*SECRETS, client_cert={"file": "keys/other_cert.pem"}),
        "the certificate belongs to another key",
    ),
    "short api key": (
        within(*SECRETS, api_v3_key={"env": "HIS_EVENTS_SECRET"}),
        "api_v3_key is not 32 bytes",
    ),
    "weak token": (
        within("his_clients", 0, token={"file": "weak"}),
        "his_clients his: token",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_its_place_and_nothing_is_kept(desk: Desk, case: str) -> None:
    change, place = REFUSED[case]
    (desk.folder / "weak").write_text("short\n")
    data = hospital()
    change(data)
    code, answer, said = desk.load(data)
    assert code == 2
    assert place in said and place in answer["error"]["message"]
    assert not any(secret in said for secret in ENVIRONMENT.values())
    assert not Campus.objects.exists()
    assert not Merchant.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"campuses": {}}', '{"campuses": [1]}', '{"campuses": [], "campuses": []}'],
)
def test_what_is_no_file_of_a_hospital_is_refused(desk: Desk, text: str) -> None:
    code, _answer, said = desk.load(text)
    assert code == 2 and said


def test_a_renewal_that_ends_before_the_known_beginning_is_refused(desk: Desk) -> None:
    desk.load(hospital())
    renewal = {"institutions": [{"code": "tenpay", "agreement_until": "2025-06-30"}]}
    code, _answer, said = desk.load(renewal)
    assert code == 2 and "institutions tenpay: agreement_until" in said
