"""The flat XML of the second protocol generation, read without any of XML's surprises.

No document type, no entity declaration, no processing instruction, no attribute, no nesting, no
name twice, UTF-8 only, 64 KiB at most. Everything else raises `XmlRefused`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import NoReturn
from xml.parsers import expat

MAX_BYTES = 64 * 1024
_ROOT_DEPTH = 1
_FIELD_DEPTH = 2
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Characters XML 1.0 cannot carry.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class XmlRefused(ValueError):
    """Not one flat, plain document."""


class _FlatReader:
    """Collects the fields of one flat document."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.fields: dict[str, str] = {}
        self.depth = 0
        self.name = ""
        self.text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if attributes:
            raise XmlRefused("attributes are not used")
        if self.depth == _ROOT_DEPTH and name != self.root:
            raise XmlRefused("unexpected root")
        if self.depth > _FIELD_DEPTH:
            raise XmlRefused("nested elements are not used")
        if self.depth == _FIELD_DEPTH:
            if name in self.fields:
                raise XmlRefused(f"field {name} appears twice")
            self.name, self.text = name, []

    def data(self, text: str) -> None:
        if self.depth == _FIELD_DEPTH:
            self.text.append(text)
        elif text.strip():
            raise XmlRefused("text between fields")

    def end(self, _name: str) -> None:
        if self.depth == _FIELD_DEPTH:
            self.fields[self.name] = "".join(self.text)
        self.depth -= 1


def _refuse(*_arguments: object) -> NoReturn:
    raise XmlRefused("declarations and instructions are not used")


def fields_read(body: bytes, *, root: str = "xml") -> dict[str, str]:
    """The fields of `<root><name>value</name>…</root>`."""
    if len(body) > MAX_BYTES:
        raise XmlRefused("body is too large")
    reader = _FlatReader(root)
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.data
    parser.EndElementHandler = reader.end
    try:
        body.decode("utf-8")
        parser.Parse(body, True)
    except (expat.ExpatError, UnicodeDecodeError) as error:
        raise XmlRefused(str(error)) from error
    return reader.fields


def fields_write(fields: Mapping[str, str]) -> bytes:
    """The document of a request; empty fields are left out, as they are from the signature."""
    parts = []
    for name, value in fields.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no field name")
        if _UNWRITABLE.search(value):
            raise ValueError(f"field {name} holds a character XML cannot carry")
        if value:
            parts.append(f"<{name}>{escape(value, quote=False)}</{name}>")
    return f"<xml>{''.join(parts)}</xml>".encode()
