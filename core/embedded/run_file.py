"""`var/run.json`: the addresses of a running demo, so that every command in the clone meets it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from core.embedded.places import var_dir


def run_file_path() -> Path:
    return var_dir() / "run.json"


def run_file_write(addresses: Mapping[str, str]) -> None:
    """Keys: database_url, broker_url, portal_url, sandbox_url. The writer's pid is added."""
    path = run_file_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({**addresses, "pid": os.getpid()}, indent=1), encoding="utf8")
    draft.replace(path)


def run_file_read() -> dict[str, str]:
    """Empty when no demo runs; a file left behind by a killed demo counts as none."""
    try:
        content = json.loads(run_file_path().read_text(encoding="utf8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    pid = content.pop("pid", 0) if isinstance(content, dict) else 0
    if not isinstance(pid, int) or not _alive(pid):
        return {}
    return {str(key): str(value) for key, value in content.items()}


def run_file_remove() -> None:
    run_file_path().unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
