"""The flat XML of v2: one root, text children."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape


def xml_write(fields: dict[str, str], *, root: str = "xml") -> bytes:
    """Empty values are left out, as they are not signed either."""
    parts = [f"<{k}>{escape(v)}</{k}>" for k, v in fields.items() if v != ""]
    return f"<{root}>{''.join(parts)}</{root}>".encode()


def xml_read(body: bytes) -> dict[str, str]:
    """The fields of a v2 message; ValueError for anything but flat XML."""
    # Entities and document types have no place in this protocol and can hurt the parser.
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ValueError("a document type is not allowed")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - types and entities were refused above
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    fields: dict[str, str] = {}
    for child in root:
        if len(child) or child.tag in fields:
            raise ValueError(f"unexpected structure at {child.tag}")
        fields[child.tag] = (child.text or "").strip()
    return fields
