"""A consent text that changes while a test runs; in life it changes with the code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from patients.consents import texts


@contextmanager
def new_text(purpose: str, words: str = "自动扣款\n新的一句。\n") -> Iterator[str]:
    """Another version of one text is today's, inside the block; yields its number."""
    before = texts.FOLDER
    version = str(int(texts.current_version(purpose)) + 1)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for path in before.glob("*.txt"):
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / f"{purpose}.{version}.txt").write_text(words, encoding="utf8")
        _read_from(folder)
        try:
            yield version
        finally:
            _read_from(before)


def _read_from(folder: Path) -> None:
    texts.FOLDER = folder
    texts.consent_text.cache_clear()
    texts.current_version.cache_clear()
