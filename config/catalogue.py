"""The message catalogue, made with Babel: English msgids, Chinese as what people read.

Compiled files are not in git: whoever starts the portal compiles what is older than its source, so
that no machine needs the gettext programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
LOCALE = "zh_Hans"
# The sandbox plays the outside world and is no part of the portal.
SOURCES = ("config", "core", "patients", "insurance", "billing", "credit", "refunds")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def catalogue_compile() -> None:
    """Make the .mo file if it is older than its source; two at once make the same file."""
    target = CATALOGUE.with_suffix(".mo")
    if not CATALOGUE.exists():
        return
    if target.exists() and target.stat().st_mtime >= CATALOGUE.stat().st_mtime:
        return
    draft = target.with_suffix(".mo.new")
    with draft.open("wb") as out:
        write_mo(out, catalogue_read())
    draft.replace(target)


def catalogue_read() -> Catalog:
    """The catalogue as it is in git; empty when there is none yet."""
    if not CATALOGUE.exists():
        return Catalog(locale=LOCALE)
    with CATALOGUE.open("rb") as source:
        return read_po(source, locale=LOCALE)


def catalogue_update() -> Catalog:
    """Take in new messages, drop those nobody says any more, keep every translation."""
    catalogue = catalogue_read()
    # Without a new date: no line changes with every run.
    catalogue.update(messages_extract(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.header_comment = "# The portal in Chinese (simplified): made by `make translations`."
    catalogue.project, catalogue.version = "portal", "1"
    catalogue.fuzzy = False
    catalogue.revision_date = catalogue.creation_date
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    with CATALOGUE.open("wb") as out:
        write_po(out, catalogue, sort_by_file=True, include_lineno=False, width=100)
    return catalogue


def messages_extract() -> Catalog:
    """Every message of the source, with the files that say it."""
    template = Catalog()
    for path in _source_files():
        origin = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf8")
        if path.suffix == ".html":
            text = templatize(text, origin=origin)
        found = extract("python", BytesIO(text.encode()), KEYWORDS, ("Translators:",))
        for _line, message, comments, context in found:
            # Without its line: the catalogue is sorted by these, and lines move with every change.
            template.add(message, locations=[(origin, 0)], auto_comments=comments, context=context)
    return template


def catalogue_faults() -> list[str]:
    """What is not said in Chinese yet, or said with other placeholders."""
    catalogue = catalogue_read()
    faults = []
    for wanted in messages_extract():
        if not wanted.id:
            continue
        known = catalogue.get(wanted.id, wanted.context)
        where = f"{wanted.locations[0][0]}: {wanted.id!r}"
        if known is None or not _complete(known):
            faults.append(f"not translated: {where}")
        elif known.fuzzy:
            faults.append(f"fuzzy: {where}")
        else:
            faults += [f"{error}: {where}" for error in known.check(catalogue)]
    return faults


def _source_files() -> Iterator[Path]:
    for top in SOURCES:
        python = (p for p in (ROOT / top).rglob("*.py") if "migrations" not in p.parts)
        yield from sorted(python)
        yield from sorted((ROOT / top).rglob("*.html"))
    yield from sorted((ROOT / "templates").rglob("*.html"))


def _complete(message: Message) -> bool:
    texts = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return all(texts) and bool(texts)
