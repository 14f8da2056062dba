"""Reads the consent texts; they ship with the code and never change while it runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class ConsentText:
    purpose: str
    version: str
    title: str
    paragraphs: tuple[str, ...]
    sha256: str


@cache
def consent_text(purpose: str, version: str = "") -> ConsentText:
    """One text, the current one unless a version is named; LookupError where there is none."""
    version = version or current_version(purpose)
    path = FOLDER / f"{purpose}.{version}.txt"
    if not version.isdigit() or not purpose.isalpha() or not path.is_file():
        raise LookupError(f"no consent text for {purpose!r} in version {version!r}")
    content = path.read_bytes()
    title, *lines = [line.strip() for line in content.decode("utf8").splitlines()]
    paragraphs = tuple(line for line in lines if line)
    return ConsentText(purpose, version, title, paragraphs, hashlib.sha256(content).hexdigest())


@cache
def current_version(purpose: str) -> str:
    """The highest version there is; empty for a purpose without a text."""
    found = [path.name.split(".")[1] for path in FOLDER.glob(f"{purpose}.*.txt")]
    return max(found, key=int, default="")
