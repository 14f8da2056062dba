"""What an NFC tag holds: one NDEF URI record (NFC Forum RTD URI 1.0), its TLV on a blank tag."""

from __future__ import annotations

# The two schemes that a record of ours abbreviates to one byte.
_SCHEMES = {"https://": 0x04, "http://": 0x03}
_FIRST_LAST_SHORT_WELL_KNOWN = 0xD1
_PAYLOAD_MAX = 255
_NDEF_TLV, _END_TLV = 0x03, 0xFE
_SHORT_TLV_MAX = 254


def uri_record(address: str) -> bytes:
    """The record of a web address; ValueError for one that is none or too long for a small tag."""
    scheme = next((one for one in _SCHEMES if address.startswith(one)), "")
    if not scheme or not address.isascii() or not address.isprintable():
        raise ValueError("a tag holds a plain http or https address")
    payload = bytes([_SCHEMES[scheme]]) + address.removeprefix(scheme).encode()
    if len(payload) > _PAYLOAD_MAX:
        raise ValueError("the address is too long for a tag")
    return bytes([_FIRST_LAST_SHORT_WELL_KNOWN, 1, len(payload)]) + b"U" + payload


def tag_memory(record: bytes) -> bytes:
    """The data area of a Type 2 tag (NTAG21x) from page 4 on, padded to whole pages of 4 bytes."""
    length = (
        bytes([len(record)]) if len(record) <= _SHORT_TLV_MAX else b"\xff" + len(record).to_bytes(2)
    )
    area = bytes([_NDEF_TLV]) + length + record + bytes([_END_TLV])
    return area + bytes(-len(area) % 4)
