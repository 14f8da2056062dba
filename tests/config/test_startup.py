"""A command that cannot begin says why in one sentence, before anything is started."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import startup
from config.demo import ports
from config.startup import cannot_start, server_finding, settings_findings, start_refusal
from core.embedded.errors import EmbeddedServerError
from core.embedded.run_file import run_file_write
from tests.conftest import ROOT

FAILURE, USAGE, REFUSED, TRY_LATER = 1, 2, 4, 75
NO_DATABASE = "DATABASE_URL is not set; production never uses an embedded server"
NO_BROKER = "CELERY_BROKER_URL is not set; production never uses an embedded server"


@pytest.fixture(autouse=True)
def own_house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's demo runs, and nobody's address is set."""
    for name in ("PORT", "SANDBOX_PORT", "PORTAL_URL", "SANDBOX_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORTAL_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings")


@contextmanager
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def told(**environment: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        refusal = start_refusal("demo")
    assert refusal is not None
    assert refusal.data["error"]["message"] == refusal.text
    return int(refusal.exit_code), refusal.text


@pytest.mark.parametrize(
    ("portal", "sandbox", "words"),
    [
        ("8970", "8970", "PORT=8970, SANDBOX_PORT=8970: ports are numbers from 1 to 65534 and"),
        ("8971", "8970", "and differ, and the sandbox also takes 8971"),
        ("abc", "8970", "PORT=abc: ports are numbers from 1 to 65534 and differ"),
        ("99999", "8970", "PORT=99999: ports are numbers from 1 to 65534 and differ"),
        ("8970", "65535", "SANDBOX_PORT=65535: ports are numbers from 1 to 65534 and differ"),
        ("0", "8970", "PORT=0: "),
        ("-1", "8970", "PORT=-1: "),
        ("８９７０", "8980", "PORT=８９７０: "),
        ("80 00", "8980", "PORT=80 00: "),
    ],
)
def test_ports_that_cannot_be_are_refused(portal: str, sandbox: str, words: str) -> None:
    code, text = told(PORT=portal, SANDBOX_PORT=sandbox)
    assert code == USAGE
    assert words in text and "\n" not in text


def test_an_address_that_names_no_port_is_refused() -> None:
    assert told(PORTAL_URL="http://127.0.0.1:abc") == (
        USAGE,
        "PORT=http://127.0.0.1:abc: ports are numbers from 1 to 65534 and differ",
    )


def test_a_port_in_use_is_named_with_one_that_is_free() -> None:
    with taken() as port:
        code, text = told(PORT=str(port), SANDBOX_PORT="1024")
    assert code == TRY_LATER
    assert text.startswith(f"port {port} is in use: choose another, e.g. PORT=")
    assert int(text.rpartition("=")[2]) != port


def test_the_port_after_the_sandbox_s_must_be_free_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # given that only the port after the sandbox's is taken
    monkeypatch.setattr(ports, "_is_free", lambda port: port != 8981)
    # when the demo is started
    code, text = told(PORT="8970", SANDBOX_PORT="8980")
    # then the sandbox is to move, not the portal
    assert code == TRY_LATER
    assert text == (
        "port 8981 is in use, and the sandbox also takes the one after SANDBOX_PORT: "
        "choose another, e.g. SANDBOX_PORT=8990"
    )


def test_a_port_of_the_system_s_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_port: int) -> bool:
        raise PermissionError

    monkeypatch.setattr(ports, "_is_free", forbidden)
    words = "port 80 is the system's: choose one above 1023 for PORT"
    assert told(PORT="80", SANDBOX_PORT="8980") == (USAGE, words)


def test_a_demo_that_runs_is_found_by_its_lock() -> None:
    with taken() as port, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORT", str(port))
        run_file_write({"portal_url": f"http://127.0.0.1:{port}"})
        assert start_refusal("demo") is None


def test_other_commands_ask_for_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "abc")
    assert start_refusal("doctor") is None


def test_every_address_that_is_missing_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    monkeypatch.setenv("PORTAL_ENV", "production")
    found = [(one.name, one.detail) for one in settings_findings()]
    assert found == [("database", NO_DATABASE), ("broker", NO_BROKER)]
    assert told() == (REFUSED, "the demo does not run in production")
    other = start_refusal("migrate")
    assert other is not None
    assert (other.exit_code, other.text) == (FAILURE, f"{NO_DATABASE}\n{NO_BROKER}")


def test_a_bad_port_of_the_database_is_said_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:se/cret@db.example:x/portal")
    [found] = settings_findings()
    assert found.detail.startswith("DATABASE_URL must look like")
    assert "cret" not in found.detail


def test_a_server_that_does_not_start_is_a_finding() -> None:
    told_of = cannot_start("doctor", [server_finding(EmbeddedServerError("no room"))])
    assert (told_of.exit_code, told_of.text) == (FAILURE, "FAILED  servers    no room")
    assert told_of.data["findings"][0]["state"] == "failed"


def test_settings_that_cannot_be_read_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_name: str) -> object:
        raise ValueError("Expecting value: line 1")

    monkeypatch.setattr(startup, "import_module", unreadable)
    [found] = settings_findings()
    assert (found.name, found.detail) == ("settings", "Expecting value: line 1")


def test_doctor_itself_says_it_without_a_traceback(tmp_path: Path) -> None:
    kept = {"PATH": os.environ["PATH"], "PORTAL_VAR_DIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=kept | {"PORTAL_ENV": "production"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == FAILURE
    assert ran.stderr.splitlines()[0] == f"FAILED  database   {NO_DATABASE}"
    assert "Traceback" not in ran.stderr
    assert json.loads(ran.stdout)["ok"] is False
    assert list(tmp_path.iterdir()) == []  # nothing was started, nothing made
