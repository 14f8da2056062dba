"""Database triggers that models declare beside themselves."""

from __future__ import annotations

import pgtrigger


def append_only(name: str) -> pgtrigger.Trigger:
    """Rows may be added, never changed or removed, not even by SQL.

    It fires once per statement, so inserting, the hot path, pays nothing for it; a statement that
    would touch no row is refused as well.
    """
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func="RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP"
        " USING ERRCODE = 'restrict_violation';",
    )
