"""What `/healthz` and `manage.py doctor` look at: one function a question.

A database that does not answer is a finding too, made in `findings()`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import ERROR, run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.findings import Finding, State
from core import clock
from core.checks import field_keys_work
from core.embedded.addresses import broker_is_embedded, database_is_embedded
from core.models import JobRun
from core.workdays import LAST_KNOWN_YEAR

POSTGRES_MIN = 150000
BEAT_LATE = timedelta(minutes=5)
CLOCK_DRIFT_MAX = timedelta(seconds=2)
ANSWER_SECONDS_MAX = 2
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_RENEW_CALENDAR = "upgrade chinesecalendar once next year's holidays are announced"


Probe = Callable[[], Finding]


def settings_probe() -> Finding:
    """The system checks, those of production included where it is production."""
    found = run_checks(include_deployment_checks=bool(settings.PRODUCTION), databases=["default"])
    errors = [message for message in found if message.level >= ERROR]
    if errors:
        return Finding("settings", State.FAILED, "; ".join(f"{e.id}: {e.msg}" for e in errors))
    return Finding("settings", State.OK, f"{settings.PORTAL_ENV}, {len(found)} warnings")


def database_probe() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int,"
            " current_setting('server_version'), current_setting('server_encoding')"
        )
        number, version, encoding = cursor.fetchone()
    origin = "embedded" if database_is_embedded() else "DATABASE_URL"
    detail = f"PostgreSQL {version}, {encoding}, {origin}"
    if number < POSTGRES_MIN or encoding != "UTF8":
        return Finding("database", State.FAILED, f"{detail}: 15 or newer with UTF8 is needed")
    return Finding("database", State.OK, detail)


def broker_probe() -> Finding:
    url = str(settings.CELERY_BROKER_URL).replace("redis+socket://", "unix://", 1)
    client = redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=ANSWER_SECONDS_MAX,
        socket_connect_timeout=ANSWER_SECONDS_MAX,
    )
    try:
        client.ping()
    except (redis.RedisError, OSError) as error:
        return Finding("broker", State.FAILED, _first_line(error))
    finally:
        client.close()
    origin = "embedded" if broker_is_embedded() else "CELERY_BROKER_URL"
    return Finding("broker", State.OK, f"answers, {origin}")


def migrations_probe() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first = f"{plan[0][0].app_label}.{plan[0][0].name}"
        detail = f"{len(plan)} not applied, first {first}: run `manage.py migrate`"
        return Finding("migrations", State.FAILED, detail)
    return Finding("migrations", State.OK, "all applied")


def beat_probe() -> Finding:
    """How long ago any beat job started; unknown until the first one has. Payments are taken
    without beat too, so a stopped one is a warning: what was left behind waits for it."""
    latest = JobRun.objects.aggregate(latest=Max("started_at"))["latest"]
    if latest is None:
        return Finding("beat", State.WARNING, "no job has run yet")
    ago = clock.now() - latest
    late = ago > BEAT_LATE
    detail = f"last job {int(ago.total_seconds())} s ago"
    return Finding(
        "beat",
        State.WARNING if late else State.OK,
        f"{detail}: is beat running?" if late else detail,
    )


def keys_probe() -> Finding:
    messages = field_keys_work()
    if messages:
        return Finding("keys", State.FAILED, "; ".join(str(m.msg) for m in messages))
    return Finding("keys", State.OK, "encryption and blind index work")


def clock_probe() -> Finding:
    """Ours against the database's, and whether a simulated clock is ahead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        there: datetime = cursor.fetchone()[0]
    ours = clock.now()
    ahead = ours - there.astimezone(UTC)
    if abs(ahead) <= CLOCK_DRIFT_MAX:
        return Finding("clock", State.OK, f"{ours:%Y-%m-%d %H:%M:%S %z}")
    if clock.movable() and ahead > timedelta():
        return Finding("clock", State.OK, f"{ours:%Y-%m-%d %H:%M:%S %z}, simulated")
    return Finding("clock", State.FAILED, f"{ahead.total_seconds():.0f} s from the database's")


def calendar_probe() -> Finding:
    """Workdays are known as far as the State Council has published them. Past that day every
    promise of "within three workdays" is a guess, so somebody is told weeks before."""
    last = date(LAST_KNOWN_YEAR, 12, 31)
    left = (last - clock.today()).days
    if left < 0:
        detail = f"holidays known up to {last} only, promised days are guesses: {_RENEW_CALENDAR}"
        return Finding("calendar", State.FAILED, detail)
    if left <= settings.CALENDAR_WARNING_DAYS:
        detail = f"holidays known up to {last}, {left} days left: {_RENEW_CALENDAR}"
        return Finding("calendar", State.WARNING, detail)
    return Finding("calendar", State.OK, f"holidays known up to {last}")


def static_probe() -> Finding:
    if settings.PRODUCTION:
        root = Path(settings.STATIC_ROOT)
        if not (root / "staticfiles.json").exists():
            return Finding("static", State.FAILED, "run `manage.py collectstatic`")
        return Finding("static", State.OK, "collected")
    if finders.find("tokens.css") is None:
        return Finding("static", State.FAILED, "static/tokens.css is missing")
    return Finding("static", State.OK, "served from the source")


def browser_probe() -> Finding:
    """Only the browser tests need it; the portal itself does not."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        return Finding("browser", State.WARNING, "no Chromium: `make e2e` cannot run")
    fonts = shutil.which("fc-list")
    known = fonts and subprocess.run([fonts, ":lang=zh"], capture_output=True, check=False).stdout
    if not known:
        return Finding("browser", State.WARNING, "no font for Chinese: fonts-noto-cjk has one")
    return Finding("browser", State.OK, browser)


SERVING: tuple[Probe, ...] = (database_probe, broker_probe, migrations_probe, beat_probe)
EVERYTHING: tuple[Probe, ...] = (
    settings_probe,
    *SERVING,
    keys_probe,
    clock_probe,
    calendar_probe,
    static_probe,
    browser_probe,
)


def findings(probes: Iterable[Probe]) -> list[Finding]:
    return [_answered(probe) for probe in probes]


def _answered(probe: Probe) -> Finding:
    try:
        return probe()
    except DatabaseError as error:
        name = probe.__name__.removesuffix("_probe")
        return Finding(name, State.FAILED, _first_line(error))


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
