"""What a region's six digits are called, as the national code set names them."""

from __future__ import annotations

import re

from stdnum import numdb

_COUNTIES = numdb.get("cn/loc")
# Some codes were another place's once: "[1986-1989]义马市,[1997-]济源市".
_YEARS = re.compile(r"\[[^\]]*\]")


def area_name(code: str) -> str:
    """The place, after its province where that is another; the digits where nobody names them."""
    found = {key: value for _part, known in _COUNTIES.info(code) for key, value in known.items()}
    province = found.get("province", "")
    place = _YEARS.sub("", found.get("county", "").rpartition(",")[2])
    if not province:
        return code
    return province if place in ("", province) else f"{province}{place}"
