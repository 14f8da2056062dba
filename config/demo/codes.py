"""The demo's secrets, made once per clone, and what its authenticator apps would show now."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from core.second_factor import (
    second_factor_code,
    second_factor_secret,
    second_factors_used,
)


@dataclass(frozen=True, slots=True)
class DemoCode:
    username: str
    code: str


def demo_secrets() -> dict[str, Any]:
    """The demo's token, password and second factors; what an older clone lacks is added."""
    path = _path()
    known = json.loads(path.read_text(encoding="utf8")) if path.exists() else {}
    made = {
        "his_token": secrets.token_hex(20),
        "password": f"Demo-{secrets.token_hex(4)}",
        "totp": {},
    } | known
    if made != known:
        _write(made)
    return made


def demo_totp(username: str) -> str:
    """The TOTP secret of one member of the demo's staff."""
    known = demo_secrets()
    if username not in known["totp"]:
        known["totp"][username] = second_factor_secret()
        _write(known)
    return str(known["totp"][username])


def demo_codes() -> list[DemoCode]:
    """A code for everybody, for the login page of a demo, which has no apps.

    It is one not used yet: who advances the clock is locked out of the desk and logs in again well
    within the half minute of the code they came in by.
    """
    path = _path()
    if not path.exists():
        return []
    known = json.loads(path.read_text(encoding="utf8")).get("totp", {})
    used = second_factors_used(known)
    return [
        DemoCode(name, second_factor_code(secret, used=used.get(name)))
        for name, secret in known.items()
    ]


def _path() -> Path:
    return Path(settings.VAR_DIR) / "demo-secrets.json"


def _write(made: dict[str, Any]) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(made), encoding="utf8")
