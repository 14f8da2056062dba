"""What somebody did is spelt one way in the audit, and has a word of its own on the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib import admin

from core.admin_values import WORDS

APPS = ("core", "patients", "insurance", "billing", "credit", "refunds", "config")
RECORDERS = {"record", "record_limited", "_recorded", "_note"}
SPELLING = re.compile(r"[a-z]+(_[a-z]+)+")


def texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)


def actions() -> set[str]:
    """Every action written out in a call that records one."""
    found: set[str] = set()
    for path in (file for app in APPS for file in (Path(settings.BASE_DIR) / app).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            if call.func.id in RECORDERS:
                named = [one.value for one in call.keywords if one.arg == "action"]
                places = call.args[1:2] if call.func.id == "_recorded" else []
                found.update(text for node in [*named, *places] for text in texts(node))
    return found


def test_every_action_is_spelt_one_way_and_has_its_word() -> None:
    admin.autodiscover()
    recorded = actions()
    assert {"access_ended", "account_opened", "his_refused"} <= recorded
    assert [
        one for one in sorted(recorded | set(WORDS["action"])) if not SPELLING.fullmatch(one)
    ] == []
    assert sorted(recorded - set(WORDS["action"])) == []
