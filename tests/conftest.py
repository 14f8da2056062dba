"""What every test stands on: a real PostgreSQL, a still clock, and the scale of the proofs."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings

from billing.ledger.accounts import accounts_forget
from core import clock
from core.embedded.places import embedded_dir, var_dir
from core.embedded.services import embedded_services
from tests.fixtures.migrated_database import migrated_database
from tests.fixtures.one_demo import house
from tests.fixtures.sandbox_process import sandbox, sandbox_server
from tests.fixtures.static_files import static_files_walked_once
from tests.fixtures.workers import OneDemo

# Servers are found by name here and nowhere else: a conftest that imported them again would start
# another one.
__all__ = ["house", "sandbox", "sandbox_server", "static_files_walked_once"]

ROOT = Path(__file__).resolve().parent.parent
PINNED_NOW = datetime(2026, 11, 20, 10, 0, tzinfo=clock.ZONE)
PROOF_SCALE = float(os.environ.get("PROOF_SCALE", "0.01"))
PROOF_ONLY = {name for name in os.environ.get("ONLY", "").split(",") if name}
# Set by `make proof`: figures are printed, kept, and a missed one fails the run.
PROOF_REPORT = os.environ.get("PROOF_REPORT") == "1"
PROOF_FIGURES = pytest.StashKey[dict[str, dict[str, object]]]()
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# {tables}: quoted names. Foreign keys and triggers rest while it runs.
EMPTY_FILLED = """
DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    FOREACH name IN ARRAY ARRAY[{tables}] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""

ProofScale = Callable[..., int]
ProofReport = Callable[[str, object, object, bool], None]


def pytest_configure(config: pytest.Config) -> None:
    """Servers live as long as the session; xdist workers share them by lease."""
    config.addinivalue_line("markers", "proof(*ids): shown at full size by `make proof`")
    config.addinivalue_line("markers", "browser: needs Chromium and a Chinese font")
    config.stash[PROOF_FIGURES] = {}
    # The suite makes no rings worth a walk over a million live objects every 700 new ones.
    gc.set_threshold(50_000, 20, 20)
    # What a property says does not depend on how busy the machine is.
    settings.register_profile("portal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("portal")
    stack = ExitStack()
    stack.enter_context(embedded_services())
    config.add_cleanup(stack.close)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneDemo:
    return OneDemo(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = browser_missing() if any(i.get_closest_marker("browser") for i in items) else ""
    if missing and os.environ.get("BROWSER_REQUIRED") == "1":
        raise pytest.UsageError(f"browser tests must run here, but {missing}")
    kept, dropped = [], []
    for item in items:
        if missing and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=f"browser: {missing}"))
        proof = item.get_closest_marker("proof")
        wanted = not PROOF_ONLY or (proof is not None and PROOF_ONLY & set(proof.args))
        (kept if wanted else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@cache
def browser_path() -> str:
    return next((found for name in BROWSERS if (found := shutil.which(name))), "")


def browser_missing() -> str:
    """Why no browser test can run here; empty when they can."""
    if not browser_path():
        return "no Chromium is installed"
    fonts = shutil.which("fc-list")
    known = fonts and subprocess.run([fonts, ":lang=zh"], capture_output=True, check=False).stdout
    return "" if known else "no font for Chinese is installed"


@pytest.fixture(autouse=True)
def still_clock() -> Iterator[clock.FrozenClock]:
    """It is 2026-11-20, ten in the morning; no test reads real time."""
    with clock.freeze(PINNED_NOW) as frozen:
        yield frozen


@pytest.fixture(scope="session", autouse=True)
def emptied_evidence() -> Iterator[None]:
    """Between tests with real commits the tables are emptied, which append-only ones refuse.

    By DELETE, and only the few that hold anything: a TRUNCATE of them all makes a new file for
    each table and index, a fifth of a second for every such test.
    """

    def sql_flush(
        _self: DatabaseOperations, _style: object, tables: list[str], **_options: object
    ) -> list[str]:
        named = ", ".join(f"'{table}'" for table in tables)
        emptied = EMPTY_FILLED.format(tables=named)
        return ["SET LOCAL session_replication_role = replica", emptied] if tables else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def forgotten_accounts() -> None:
    """The ledger remembers its account rows for the life of a process; tests replace the tables."""
    accounts_forget()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path, for Playwright's `executable_path`."""
    return browser_path()


@pytest.fixture(scope="session")
def proof_scale() -> ProofScale:
    """`proof_scale(10_000)`: the full size in `make proof`, about a hundredth of it otherwise."""

    def scaled(full: int, *, least: int = 3) -> int:
        return max(min(least, full), round(full * PROOF_SCALE))

    return scaled


@pytest.fixture
def proof_report(request: pytest.FixtureRequest) -> ProofReport:
    """`proof_report(name, value, target, ok)`: a figure of `make proof`."""
    figures = request.config.stash[PROOF_FIGURES]

    def report(name: str, value: object, target: object, ok: bool) -> None:
        figures[name] = {"value": value, "target": target, "ok": bool(ok)}
        if PROOF_REPORT:
            capture = request.config.pluginmanager.getplugin("capturemanager")
            with capture.global_and_fixture_disabled():
                print(f"\n{name} {value} {target} {'pass' if ok else 'fail'}", flush=True)

    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    figures = session.config.stash[PROOF_FIGURES]
    if not PROOF_REPORT or not figures:
        return
    path = var_dir() / "proof.json"
    known = json.loads(path.read_text()) if PROOF_ONLY and path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**known, **figures}, indent=1, ensure_ascii=False) + "\n")
    if not all(figure["ok"] for figure in figures.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def django_db_createdb(
    request: pytest.FixtureRequest, django_db_keepdb: bool, django_db_blocker: Any
) -> Iterator[bool]:
    """`--reuse-db` keeps the database between runs, but never one of other migrations."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    mark = embedded_dir() / f"{os.environ.get('PORTAL_TEST_DB', 'test_portal')}{worker}.schema"
    mark.parent.mkdir(parents=True, exist_ok=True)
    schema = schema_fingerprint()
    same = mark.exists() and mark.read_text() == schema
    mark.unlink(missing_ok=True)
    with django_db_blocker.unblock():
        template = migrated_database(schema, mark.parent)
    connection.settings_dict["TEST"]["TEMPLATE"] = template
    yield bool(request.config.getvalue("create_db")) or not same
    if django_db_keepdb:
        mark.write_text(schema)


def schema_fingerprint() -> str:
    digest = hashlib.sha256(django.get_version().encode())
    for path in sorted(ROOT.glob("*/**/migrations/*.*")):
        if path.suffix in {".py", ".sql"} and ".venv" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()
