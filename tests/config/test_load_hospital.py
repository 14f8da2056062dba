"""`load_hospital`: a real hospital enters itself, renews its terms, and never by halves."""

from __future__ import annotations

import json
from datetime import date, time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from billing.models import AgreementPlan, Merchant, PaymentInstitution
from core.declared import ACTION
from core.models import AuditEvent
from patients.models import Campus, HisClient
from patients.services.places import token_digest
from tests.config.hospital_files import ENVIRONMENT, Desk, hospital, pair
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    found = Desk(tmp_path)
    found.keys()
    return found


def rows() -> list[int]:
    return [
        model.objects.count()
        for model in (Campus, HisClient, PaymentInstitution, Merchant, AgreementPlan, AuditEvent)
    ]


def test_a_new_hospital_is_entered_whole(desk: Desk) -> None:
    code, data, said = desk.load(hospital())
    assert code == 0 and rows() == [2, 1, 1, 1, 1, 6]
    assert [(one["entity"], one["code"], one["made"]) for one in data["changed"]] == [
        ("patients.campus", "main", True),
        ("patients.campus", "west", True),
        ("patients.hisclient", "his", True),
        ("billing.paymentinstitution", "tenpay", True),
        ("billing.merchant", "wechat_pay/1611111111", True),
        ("billing.agreementplan", "wechat_pay/1611111111/120001", True),
    ]
    client = HisClient.objects.get()
    assert client.token_digest == token_digest(data["tokens"]["his"])
    assert data["tokens"]["his"] not in said
    assert client.events_secret == ENVIRONMENT["HIS_EVENTS_SECRET"]
    assert set(client.campuses.values_list("code", flat=True)) == {"main", "west"}
    merchant = Merchant.objects.get()
    secrets = json.loads(merchant.secrets)
    assert secrets["merchant_private_key"] == pair(1).private.strip()
    assert (merchant.campus, merchant.institution.code) == (
        Campus.objects.get(code="main"),
        "tenpay",
    )
    plan = AgreementPlan.objects.get()
    assert (plan.single_fen, plan.daily_fen, plan.daily_count) == (50_000, 250_000, 5)
    assert (plan.hours_from, plan.hours_until) == (time(7), time(22))


def test_every_row_is_audited_and_no_secret_is_told(desk: Desk) -> None:
    _code, data, said = desk.load(hospital())
    events = AuditEvent.objects.filter(action=ACTION)
    assert {event.actor for event in events} == {"system:load_hospital"}
    told = json.dumps([event.detail for event in events]) + json.dumps(data["changed"]) + said
    for secret in (*ENVIRONMENT.values(), "BEGIN", data["tokens"]["his"], 'token_digest": "0'):
        assert secret not in told
    merchant = events.get(subject="billing.merchant")
    assert merchant.detail["fields"]["secrets"][1].startswith("api_v2_key, api_v3_key")


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    desk.load(hospital())
    before = (rows(), HisClient.objects.get().token_digest)
    code, data, said = desk.load(hospital())
    assert (code, data["changed"], data["tokens"]) == (0, [], {})
    assert "nothing to change" in said
    assert (rows(), HisClient.objects.get().token_digest) == before


def test_terms_are_renewed_by_naming_them_alone(desk: Desk) -> None:
    desk.load(hospital())
    renewal = {
        "institutions": [{"code": "tenpay", "agreement_until": "2028-12-31"}],
        "merchants": [
            {
                "channel": "wechat_pay",
                "merchant_no": "1611111111",
                "plans": [{"plan_id": "120001", "single_fen": 80_000, "hours_until": "24:00"}],
            }
        ],
        "his_clients": [{"code": "his", "active": False}],
    }
    code, data, said = desk.load(renewal)
    assert code == 0
    assert [one["fields"] for one in data["changed"]] == [
        {"active": [True, False]},
        {"agreement_until": ["2026-12-31", "2028-12-31"]},
        {"single_fen": [50_000, 80_000], "hours_until": ["22:00:00", "00:00:00"]},
    ]
    assert "agreement_until 2026-12-31 -> 2028-12-31" in said
    assert PaymentInstitution.objects.get().agreement_until == date(2028, 12, 31)
    assert AgreementPlan.objects.get().hours_until == time(0)
    assert not HisClient.objects.get().active
    assert AuditEvent.objects.filter(action=ACTION).count() == 9


def test_what_the_file_leaves_out_stays(desk: Desk) -> None:
    desk.load(hospital())
    code, data, _said = desk.load({"campuses": [{"code": "west", "phone": "0577-1"}]})
    assert code == 0 and len(data["changed"]) == 1
    assert rows() == [2, 1, 1, 1, 1, 7]
    assert Campus.objects.get(code="west").window_text == "1 号窗口"


def test_keys_are_changed_and_a_token_can_be_handed_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.load(hospital())
    monkeypatch.setenv("WECHAT_V3_KEY", "f" * 32)
    monkeypatch.setenv("HIS_TOKEN", "a-token-of-the-hospital-s-own-key-store")
    again = hospital()
    again["his_clients"][0]["token"] = {"env": "HIS_TOKEN"}
    code, data, _said = desk.load(again)
    assert (code, data["tokens"]) == (0, {})
    assert [one["fields"] for one in data["changed"]] == [
        {"token_digest": [None, "replaced"]},
        {"secrets": [None, "api_v3_key"]},
    ]
    digest = token_digest("a-token-of-the-hospital-s-own-key-store")
    assert HisClient.objects.get().token_digest == digest


def test_dry_run_shows_all_and_writes_nothing(desk: Desk) -> None:
    code, data, said = desk.load(hospital(), "--dry-run")
    assert code == 0 and len(data["changed"]) == 6 and data["dry_run"]
    assert data["tokens"] == {"his": ""} and "would make a token for his" in said
    assert rows() == [0, 0, 0, 0, 0, 0]


def test_without_json_the_token_is_told_to_people_once(desk: Desk) -> None:
    path = desk.folder / "one.json"
    client = {"code": "lab", "name": "检验系统", "scopes": ["read"]}
    path.write_text(json.dumps({"his_clients": [client]}), encoding="utf8")
    out, said = StringIO(), StringIO()
    call_command("load_hospital", str(path), stdout=out, stderr=said)
    token = said.getvalue().rpartition("shown this once: ")[2].strip()
    assert HisClient.objects.get().token_digest == token_digest(token)
    assert out.getvalue() == ""


def test_production_takes_no_sandbox_and_no_demo_s_secret(
    desk: Desk, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PRODUCTION = True
    local = hospital()
    local["merchants"][0]["base_url"] = "http://127.0.0.1:8001"
    code, _data, said = desk.load(local)
    assert code == 2 and "merchants wechat_pay/1611111111: base_url" in said
    monkeypatch.setenv("WECHAT_V2_KEY", "sandbox-wechat-v2-key")
    code, _data, said = desk.load(hospital())
    assert code == 2 and "api_v2_key is a demo's" in said
    assert rows() == [0, 0, 0, 0, 0, 0]


def test_the_example_of_the_documentation_is_one(desk: Desk) -> None:
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf8")
    example = page.split("```json\n")[1].split("```")[0]
    code, data, said = desk.load(example)
    assert code == 0, said
    assert len(data["changed"]) == 5
