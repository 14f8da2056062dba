"""The catalogue: complete, with the placeholders of its source, compiled when stale."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config import catalogue

SOURCE = """
from django.utils.translation import gettext as _, ngettext, pgettext_lazy
_("one %(n)s")
ngettext("%(n)s thing", "%(n)s things", 2)
pgettext_lazy("verb", "pay")
_(computed)
"""


@pytest.fixture
def small_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "said.py").write_text(SOURCE)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "p.html").write_text('{% load i18n %}{% translate "hello" %}')
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    monkeypatch.setattr(catalogue, "CATALOGUE", tmp_path / "locale" / "django.po")
    return tmp_path


def test_every_message_of_the_portal_is_translated() -> None:
    assert catalogue.catalogue_faults() == []


def test_messages_come_from_python_and_templates(small_house: Path) -> None:
    found = {(m.context, m.id) for m in catalogue.messages_extract() if m.id}
    assert found == {
        (None, "one %(n)s"),
        (None, ("%(n)s thing", "%(n)s things")),
        ("verb", "pay"),
        (None, "hello"),
    }


def test_missing_fuzzy_and_wrong_placeholders_are_faults(small_house: Path) -> None:
    known = catalogue.catalogue_update()
    assert len(catalogue.catalogue_faults()) == 4

    known["one %(n)s"].string = "一 %(m)s"
    known["hello"].string = "您好"
    known["hello"].flags.add("fuzzy")
    known.get("pay", "verb").string = "支付"
    known["%(n)s thing"].string = ("%(n)s 项",)
    with catalogue.CATALOGUE.open("wb") as out:
        catalogue.write_po(out, known)

    faults = catalogue.catalogue_faults()
    assert len(faults) == 2
    assert any("fuzzy" in fault for fault in faults)
    assert any("one %(n)s" in fault for fault in faults)


def test_it_is_compiled_when_older_than_its_source(small_house: Path) -> None:
    catalogue.catalogue_compile()
    compiled = catalogue.CATALOGUE.with_suffix(".mo")
    assert not compiled.exists()

    catalogue.catalogue_update()
    catalogue.catalogue_compile()
    assert compiled.exists()
    made = compiled.stat().st_mtime_ns
    catalogue.catalogue_compile()
    assert compiled.stat().st_mtime_ns == made

    os.utime(compiled, (1, 1))
    catalogue.catalogue_compile()
    assert compiled.stat().st_mtime > 1
