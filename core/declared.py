"""Rows that a file of the hospital declares: made, or changed to what it says, never deleted.

A value that is not named stays. What changed is audited, row by row; of a secret only that it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from core.actors import Actor
from core.audit import record
from core.errors import BadInput

ACTION = "hospital_loaded"


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is not as it was: per field what it held and what it holds."""

    entity: str
    code: str
    made: bool
    fields: dict[str, list[Any]]


def row_declare(
    *,
    row: models.Model,
    code: str,
    values: Mapping[str, Any],
    by: Actor,
    related: Mapping[str, Iterable[models.Model]] | None = None,
    told: Mapping[str, str] | None = None,
) -> Change | None:
    """Write what differs, in the caller's transaction; None when nothing does.

    `related` are many-to-many rows. `told` replaces, for people, the new value of a secret field,
    whose old value is told to nobody.
    """
    told = told or {}
    made = row.pk is None
    fields = {name: _differing(row, name, value, told) for name, value in values.items()}
    for name, rows in (related or {}).items():
        held = [] if made else list(getattr(row, name).order_by("pk"))
        wanted = sorted(rows, key=lambda one: one.pk)
        fields[name] = [_plain(held), _plain(wanted)] if held != wanted else None
    changed = {name: pair for name, pair in fields.items() if pair is not None}
    if not made and not changed:
        return None
    for name, value in values.items():
        setattr(row, name, value)
    _checked(row)
    row.save()
    for name, rows in (related or {}).items():
        getattr(row, name).set(rows)
    entity = row._meta.label_lower
    detail = {"code": code, "made": made, "fields": changed}
    record(by=by, action=ACTION, subject=entity, subject_id=row.pk, detail=detail)
    return Change(entity, code, made, changed)


def _differing(
    row: models.Model, name: str, value: Any, told: Mapping[str, str]
) -> list[Any] | None:
    held = None if row.pk is None and not _has(row, name) else getattr(row, name)
    if held == value:
        return None
    return [None, told[name]] if name in told else [_plain(held), _plain(value)]


def _has(row: models.Model, name: str) -> bool:
    """A new row has no foreign row yet, and asking for one raises."""
    field = row._meta.get_field(name)
    return not field.is_relation or getattr(row, f"{name}_id") is not None


def _checked(row: models.Model) -> None:
    """Every field within its own rules. Lists of JSON may be empty, which no form would take."""
    lists = {one.name for one in row._meta.fields if isinstance(one, models.JSONField)}
    try:
        row.full_clean(exclude=lists)
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        field = "" if name == NON_FIELD_ERRORS else name
        raise BadInput("bad_value", " ".join(sentences), field) from None


def _plain(value: Any) -> Any:
    """As JSON keeps it: a row by its code, a day or hour as it is written."""
    if isinstance(value, models.Model):
        return getattr(value, "code", None) or str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
