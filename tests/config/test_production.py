"""Nothing of a demo gets into production, and a demo serves nobody but its own machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import SystemCheckError
from django.db import connection

from billing.checks import production_counterparties_check
from billing.models import Merchant
from config import production
from config.production import production_check
from core.checks import production_database_is_safe
from core.clock import offset_set
from core.crypto.keys import provider
from tests.config.hospital_files import pair
from tests.conftest import PINNED_NOW, ROOT
from tests.factories import payments
from tests.factories.patients import his_client


@pytest.fixture(autouse=True)
def fresh_keys() -> Iterator[None]:
    """Keys are kept per process; those found missing in production are not the other tests'."""
    yield
    provider.cache_clear()


SETTINGS = "import json; from config import settings as s; print(json.dumps({{{fields}}}))"


def settings_of(tmp_path: Path, fields: str, **environment: str) -> subprocess.CompletedProcess:
    """The settings as a fresh process reads them."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PORTAL_", "SANDBOX_", "DATABASE_", "CELERY_"))
    }
    code = SETTINGS.format(fields=", ".join(f'"{name}": s.{name}' for name in fields.split()))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**plain, "PORTAL_VAR_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


PRODUCTION = {
    "PORTAL_ENV": "production",
    "DATABASE_URL": "postgresql://app@db.example/portal",
    "CELERY_BROKER_URL": "redis://broker.example",
}


def test_production_never_reads_a_demos_addresses(tmp_path: Path) -> None:
    addresses = {
        "database_url": "postgresql://demo/x", "broker_url": "redis://demo",
        "portal_url": "http://demo.example", "sandbox_url": "http://demo-sandbox.example",
        "pid": os.getpid(),
    }  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(addresses))
    demo = json.loads(settings_of(tmp_path, "PORTAL_URL SANDBOX_URL").stdout)
    assert demo == {"PORTAL_URL": "http://demo.example", "SANDBOX_URL": addresses["sandbox_url"]}
    found = settings_of(tmp_path, "PORTAL_URL SANDBOX_URL ALLOWED_HOSTS MESSENGERS", **PRODUCTION)
    assert json.loads(found.stdout) == {
        "PORTAL_URL": "http://127.0.0.1:8000",
        "SANDBOX_URL": "",
        "ALLOWED_HOSTS": [],
        "MESSENGERS": {},
    }
    without_database = PRODUCTION | {"DATABASE_URL": ""}
    refused = settings_of(tmp_path, "DATABASES", **without_database)
    assert "DATABASE_URL is not set" in refused.stderr


@pytest.mark.parametrize("name", ["prod", "Production", "staging", "production "])
def test_an_unknown_environment_is_refused_at_once(tmp_path: Path, name: str) -> None:
    refused = settings_of(tmp_path, "DEBUG", PORTAL_ENV=name)
    assert refused.returncode != 0
    assert "ImproperlyConfigured: PORTAL_ENV must be one of demo, test, production" in (
        refused.stderr
    )


@pytest.mark.parametrize("hosts", ["*", "pay.hospital.example", "127.0.0.1,10.0.0.7"])
def test_a_demo_is_for_its_own_machine(tmp_path: Path, hosts: str) -> None:
    refused = settings_of(tmp_path, "DEBUG", PORTAL_HOSTS=hosts)
    assert "a demo is for this machine only" in refused.stderr
    assert settings_of(tmp_path, "DEBUG", PORTAL_HOSTS="127.0.0.1,localhost").returncode == 0


@pytest.mark.django_db
def test_database_of_production(settings: Any) -> None:
    settings.PRODUCTION = True
    settings.CLOCK_MOVABLE = True

    def found() -> list[str]:
        return [str(one.id) for one in production_database_is_safe(databases=["default"])]

    assert found() == ["core.E011"]  # the tests' own role may do everything
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE test_app; GRANT SELECT ON core_clockoffset TO test_app")
        cursor.execute("SET LOCAL ROLE test_app")
    assert found() == []
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE; CREATE ROLE test_owner; SELECT current_user")
        cursor.execute("GRANT SELECT ON core_clockoffset TO test_owner")
        cursor.execute("ALTER TABLE core_statechange OWNER TO test_owner")
        cursor.execute("SET LOCAL ROLE test_owner")
    assert found() == ["core.W001"]
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    offset_set(PINNED_NOW.replace(year=2099))
    assert found() == ["core.E011", "core.E012"]
    assert production_database_is_safe(databases=None) == []


@pytest.mark.django_db
def test_counterparties_of_production(settings: Any) -> None:
    settings.PRODUCTION = True
    settings.FIELD_KEYS = {"k1": b"1" * 32}
    provider.cache_clear()
    keys = merchant_secrets()
    merchant = payments.merchant(base_url="https://api.mch.weixin.qq.com", secrets=json.dumps(keys))
    client = his_client(events_url="http://10.0.0.7/events", events_secret="s3cr3t")

    def found() -> list[str]:
        return [str(one.id) for one in production_counterparties_check(databases=["default"])]

    assert found() == []
    merchant.base_url = "http://127.0.0.1:8001/wechat"
    merchant.secrets = json.dumps(keys | {"merchant_serial": "sandbox-key"})
    merchant.save()
    client.events_url, client.events_secret = "htp://x/", "sandbox-his-events-secret"
    client.save()
    assert found() == ["billing.E004", "billing.E005", "billing.E006", "billing.E005"]
    Merchant.objects.update(active=False)
    assert found() == ["billing.E006", "billing.E005"]
    assert production_counterparties_check() == []


@pytest.mark.django_db
def test_a_merchant_that_cannot_sign_stops_the_start(settings: Any) -> None:
    settings.PRODUCTION = True
    settings.FIELD_KEYS = {"k1": b"1" * 32}
    provider.cache_clear()
    keys = merchant_secrets()
    del keys["api_v3_key"]
    merchant = payments.merchant(base_url="https://api.mch.weixin.qq.com", secrets=json.dumps(keys))

    def found() -> list[tuple[str, str]]:
        faults = production_counterparties_check(databases=["default"])
        return [(str(one.id), str(one.msg)) for one in faults]

    # given a merchant whose notices could not be read, then the start says so
    [(code, words)] = found()
    assert code == "billing.E011"
    assert "api_v3_key" in words
    # given it complete, but with a plan on offer and no password for deductions
    keys["api_v3_key"] = "v" * 32
    del keys["api_v2_key"], keys["client_cert"], keys["client_key"], keys["base_url_tls"]
    merchant.secrets = json.dumps(keys)
    merchant.save()
    assert found() == []
    plan = payments.plan(merchant)
    assert {code for code, _words in found()} == {"billing.E011"}
    # and a plan nobody can choose needs none
    plan.offered = False
    plan.save()
    assert found() == []


def merchant_secrets() -> dict[str, str]:
    """Keys that fit each other, nobody's."""
    own, theirs = pair(1), pair(2)
    return {
        "merchant_private_key": own.private,
        "merchant_serial": "3A5F",
        "platform_public_key": theirs.public,
        "platform_public_key_id": "PUB_KEY_ID_1",
        "api_v3_key": "v" * 32,
        "api_v2_key": "k" * 32,
        "client_cert": own.certificate,
        "client_key": own.private,
        "base_url_tls": "https://api.mch.weixin.qq.com",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("broken", ["{", "[]", '"text"', "null", '{"api_v2_key": 7}', "\u0000x"])
def test_unreadable_secrets_are_a_named_fault(settings: Any, broken: str) -> None:
    settings.PRODUCTION = True
    settings.FIELD_KEYS = {"k1": b"1" * 32}
    provider.cache_clear()
    # given one merchant whose secrets nobody can read, and another whose address is a demo's
    payments.merchant(
        merchant_no="1900000001", base_url="https://api.mch.weixin.qq.com", secrets=broken
    )
    payments.merchant(merchant_no="1900000002", base_url="http://127.0.0.1:8001", secrets="{}")
    # when production is checked
    found = production_counterparties_check(databases=["default"])
    # then the first is named without its secrets, and the second is looked at all the same
    by_merchant = [str(one.id) for one in found if one.id != "billing.E011"]
    assert by_merchant == ["billing.E008", "billing.E004"]
    assert "1900000001" in str(found[0].msg)
    assert broken not in str(found[0].msg) or broken == "{"


@pytest.mark.django_db
def test_nothing_starts_in_production_while_a_check_fails(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(production, "connections", {"default": connection_kept()})
    production_check()
    settings.PRODUCTION = True
    with pytest.raises(SystemCheckError, match=r"core\.E008") as refused:
        production_check()
    assert "core.E011" in str(refused.value)


def connection_kept() -> object:
    """The test's own transaction outlives the check."""

    class Kept:
        def close(self) -> None: ...

    return Kept()
