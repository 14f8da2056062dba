"""With what the demo's patients come: real codes, well formed, the same at every visit."""

from __future__ import annotations

import re

from sandbox.his.illnesses import illness_of, illnesses

ICD_10 = re.compile(r"[A-Z][0-9]{2}\.[0-9x]{2}[0-9](x[0-9]{3})?")
DEPARTMENT = re.compile(r"A[0-9]{2}(\.[0-9]{2})?")


def test_every_row_is_a_code_with_a_name_seen_by_one_department() -> None:
    rows = illnesses()
    assert len({row.code for row in rows}) == len(rows) >= 30
    assert all(ICD_10.fullmatch(row.code) and row.name for row in rows)
    assert all(DEPARTMENT.fullmatch(row.department_code) for row in rows)
    names = {row.department_code: row.department_name for row in rows}
    assert all(names[row.department_code] == row.department_name for row in rows)


def test_a_person_comes_with_the_same_and_people_differ() -> None:
    assert illness_of("P0001") == illness_of("P0001")
    assert len({illness_of(f"P{number:04d}").department_code for number in range(16)}) > 3
