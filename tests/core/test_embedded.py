"""Embedded servers: addresses without starting anything, and who stops what."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from core.embedded import addresses
from core.embedded.errors import EmbeddedServerError
from core.embedded.leases import Lease, gate
from core.embedded.places import SOCKET_DIR_MAX, socket_dir
from core.embedded.postgres import PostgresServer
from core.embedded.run_file import run_file_path, run_file_read, run_file_remove, run_file_write
from core.embedded.valkey import ValkeyServer


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment that names no server, with its own var/."""
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "PORTAL_DB_POOL", "PORTAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORTAL_VAR_DIR", str(tmp_path))
    return monkeypatch


def test_a_given_address_wins(plain: pytest.MonkeyPatch) -> None:
    plain.setenv("DATABASE_URL", "postgresql://ann:s%40crt@db.example:5433/house?sslmode=require")

    settings = addresses.database_settings()

    assert settings["HOST"] == "db.example"
    assert settings["PORT"] == "5433"
    assert settings["NAME"] == "house"
    assert settings["PASSWORD"] == "s@crt"
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert "lock_timeout=3s" in settings["OPTIONS"]["options"]
    assert not addresses.database_is_embedded()


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://host", "nonsense"])
def test_a_wrong_address_is_refused_without_repeating_it(
    plain: pytest.MonkeyPatch, url: str
) -> None:
    plain.setenv("DATABASE_URL", url)

    with pytest.raises(EmbeddedServerError) as refused:
        addresses.database_settings()

    assert url not in str(refused.value)


def test_production_never_embeds(plain: pytest.MonkeyPatch) -> None:
    plain.setenv("PORTAL_ENV", "production")

    with pytest.raises(EmbeddedServerError, match="DATABASE_URL"):
        addresses.database_url()
    with pytest.raises(EmbeddedServerError, match="CELERY_BROKER_URL"):
        addresses.broker_url()


def test_production_meets_no_demo(plain: pytest.MonkeyPatch) -> None:
    run_file_write({"database_url": "postgresql://demo/x", "broker_url": "redis://demo"})
    plain.setenv("PORTAL_ENV", "production")
    with pytest.raises(EmbeddedServerError, match="DATABASE_URL"):
        addresses.database_url()
    with pytest.raises(EmbeddedServerError, match="CELERY_BROKER_URL"):
        addresses.broker_url()


def test_an_unknown_environment_embeds_nothing(plain: pytest.MonkeyPatch) -> None:
    plain.setenv("PORTAL_ENV", "prod")
    with pytest.raises(ImproperlyConfigured, match="demo, test, production"):
        addresses.database_is_embedded()


def test_connections_persist_by_pool_or_by_age(plain: pytest.MonkeyPatch) -> None:
    pooled = addresses.database_settings()
    assert pooled["OPTIONS"]["pool"]["max_size"] == 16

    plain.setenv("PORTAL_DB_POOL", "0")
    kept = addresses.database_settings()
    assert "pool" not in kept["OPTIONS"]
    assert kept["CONN_MAX_AGE"] == 600

    plain.setenv("PORTAL_DB_POOL", "many")
    with pytest.raises(EmbeddedServerError, match="PORTAL_DB_POOL"):
        addresses.database_settings()


def test_a_running_demo_is_met_and_a_dead_one_is_not(plain: pytest.MonkeyPatch) -> None:
    run_file_write({"database_url": "postgresql://demo/x", "broker_url": "redis://demo"})
    assert addresses.database_url() == "postgresql://demo/x"
    assert addresses.broker_url() == "redis://demo"

    # given a demo that was killed: its number belongs to nobody
    finished = multiprocessing.get_context("fork").Process(target=os._exit, args=(0,))
    finished.start()
    finished.join()
    content = json.loads(run_file_path().read_text())
    run_file_path().write_text(json.dumps({**content, "pid": finished.pid}))
    assert run_file_read() == {}

    # given a file cut in the middle
    run_file_path().write_text('{"database_')
    assert run_file_read() == {}
    run_file_remove()
    run_file_remove()
    assert run_file_read() == {}


def test_who_joins_an_embedded_demo_shares_its_servers(plain: pytest.MonkeyPatch) -> None:
    alone = addresses.database_url(), addresses.broker_url()
    run_file_write({"database_url": alone[0], "broker_url": alone[1]})
    assert addresses.database_is_embedded()
    assert addresses.broker_is_embedded()


def test_tests_never_use_a_demo(plain: pytest.MonkeyPatch) -> None:
    run_file_write({"database_url": "postgresql://demo/x"})
    plain.setenv("PORTAL_ENV", "test")
    assert addresses.database_is_embedded()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    assert socket_dir(Path("/a/b")) == Path("/a/b")
    long = tmp_path / ("x" * SOCKET_DIR_MAX)
    assert len(str(socket_dir(long))) < SOCKET_DIR_MAX
    assert socket_dir(long) == socket_dir(long) != socket_dir(long / "y")


def test_the_last_lease_knows_it_is_the_last(tmp_path: Path) -> None:
    first, second = Lease(tmp_path / "lease"), Lease(tmp_path / "lease")
    with gate(tmp_path / "gate"):
        first.take()
        second.take()
        assert first.give_back() is False
        assert second.give_back() is True
        assert second.give_back() is False


def test_a_forked_child_does_not_give_back_its_parents_lease(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "lease")
    lease.take()

    child = multiprocessing.get_context("fork").Process(
        target=lambda: os._exit(7 if lease.give_back() else 0)
    )
    child.start()
    child.join()

    assert child.exitcode == 0
    assert lease.give_back() is True


def test_valkey_lives_until_its_last_user_leaves(tmp_path: Path) -> None:
    one, other = ValkeyServer(tmp_path / "valkey"), ValkeyServer(tmp_path / "valkey")
    one.start()
    other.start()
    one.stop()
    assert other.running()
    other.stop()
    assert not other.running()


@pytest.mark.timeout(120)
def test_postgres_keeps_its_data_and_its_settings(tmp_path: Path) -> None:
    # given a cluster made by one user and used by two
    one = PostgresServer(tmp_path / "pg", settings={"work_mem": "5MB"}, durable=False)
    other = PostgresServer(tmp_path / "pg")
    one.start()
    other.start()
    try:
        one.database_ensure("house")
        one.database_ensure("house")
        with psycopg.connect(one.url("house")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
            assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)
            assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    finally:
        # when the last one leaves
        one.stop()
        assert other.running()
        other.stop()
    # then it is down, and what it held is there at the next start
    assert not one.running()
    one.start()
    try:
        with psycopg.connect(one.url("house")) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    finally:
        one.stop()
