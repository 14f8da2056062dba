"""What keeps a command from starting, in words: a traceback helps nobody who mistyped a line.

Asked before settings are read and a server is started, so nothing here may need either.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured

from config.demo.ports import ports_refusal
from config.findings import Finding, State, findings_result
from core.embedded.addresses import broker_url, database_settings
from core.embedded.errors import EmbeddedServerError
from core.embedded.places import environment
from core.results import ExitCode, Result

# What a bad value of a variable comes to where settings are read.
UNREADABLE = (EmbeddedServerError, ImproperlyConfigured, OSError, ValueError)
NOT_IN_PRODUCTION = "the demo does not run in production"


def start_refusal(command: str) -> Result | None:
    """Why this command cannot begin, or None where it can."""
    found = settings_findings()
    if command == "demo" and os.environ.get("PORTAL_ENV") == "production":
        return _refused("production", NOT_IN_PRODUCTION, ExitCode.REFUSED)
    if found:
        return cannot_start(command, found)
    return ports_refusal() if command == "demo" else None


def settings_findings() -> list[Finding]:
    """What is wrong with the environment; where it is told one by one, all of it."""
    found = _tried([("settings", environment)])
    found = found or _tried([("database", database_settings), ("broker", broker_url)])
    return found or _tried([("settings", _settings_read)])


def server_finding(error: EmbeddedServerError) -> Finding:
    """An embedded server that did not start; its message may quote its log."""
    return Finding("servers", State.FAILED, str(error))


def cannot_start(command: str, found: list[Finding]) -> Result:
    """For `doctor` these are findings like others; everybody else has one thing to say."""
    if command == "doctor":
        return findings_result(found)
    return _refused("settings", "\n".join(f.detail for f in found), ExitCode.FAILURE)


def tell(result: Result, *, as_json: bool) -> int:
    """As every command does: one object on stdout, people's words on stderr."""
    if as_json:
        sys.stdout.write(json.dumps(result.data, ensure_ascii=False) + "\n")
    sys.stderr.write(result.text + "\n")
    return int(result.exit_code)


def _tried(asked: list[tuple[str, Callable[[], object]]]) -> list[Finding]:
    found = []
    for name, ask in asked:
        try:
            ask()
        except UNREADABLE as error:
            found.append(Finding(name, State.FAILED, str(error)))
    return found


def _settings_read() -> object:
    return import_module(os.environ["DJANGO_SETTINGS_MODULE"])


def _refused(code: str, text: str, exit_code: ExitCode) -> Result:
    return Result({"error": {"code": code, "message": text}}, text, exit_code)
