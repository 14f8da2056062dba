"""A caller's number makes a money call safe to repeat.

Same number and input: the first call's subject and answer come back. Same number, other input:
refused. A repeat that arrives while the first is still in its transaction waits for it and then
sees its result; if the first rolls back, the repeat becomes the first.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from core import clock
from core.errors import BadInput, Conflict
from core.json_values import canonical, dumps

NUMBER_LENGTH_MAX = 64

# The empty update makes the second caller wait for the first and return its row; xmax is zero only
# on a row this statement has inserted.
_CLAIM = """
INSERT INTO core_idempotentcall AS kept
  (client_code, operation, number, input_hash, created_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (client_code, operation, number) DO UPDATE SET input_hash = kept.input_hash
RETURNING id, xmax = 0, input_hash, subject_id, answer
"""
_BIND = "UPDATE core_idempotentcall SET subject_id = %s, answer = %s WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose the number is: `created` means this caller acts, else the earlier result stands."""

    id: int
    created: bool
    subject_id: int | None
    answer: Any


class NumberReused(Conflict):
    """The number is known with another input."""


def input_hash(data: Any) -> str:
    """SHA-256 of the canonical JSON: the order of keys and spaces do not matter, values do."""
    return hashlib.sha256(canonical(data)).hexdigest()


def claim(*, client_code: str, operation: str, number: str, input_hash: str) -> Claim:
    """Take a number or find who has it. One statement, in the caller's transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("a claim outside the transaction of its work would survive its failure")
    if not 0 < len(number) <= NUMBER_LENGTH_MAX:
        raise BadInput("bad_number", _("A number has 1 to 64 characters."), "number")
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [client_code, operation, number, input_hash, clock.now()])
        call_id, created, known_hash, subject_id, answer = cursor.fetchone()
    if known_hash != input_hash:
        raise NumberReused(
            "number_reused", _("This number was already used with other content."), "number"
        )
    return Claim(call_id, created, subject_id, _parsed(answer))


def bind(claim: Claim, subject_id: int, answer: Any = None) -> None:
    """Remember what the number stands for, so that a repeat finds it."""
    if not connection.in_atomic_block:
        raise RuntimeError("a number is bound in the transaction that claimed it")
    with connection.cursor() as cursor:
        stored: Any = None if answer is None else Jsonb(answer, dumps=dumps)
        cursor.execute(_BIND, [subject_id, stored, claim.id])
        if cursor.rowcount != 1:
            raise RuntimeError(f"no claim {claim.id} to bind")


def _parsed(answer: Any) -> Any:
    """Django leaves jsonb as text for its own field to parse; this module reads it raw."""
    return json.loads(answer) if isinstance(answer, str) else answer
