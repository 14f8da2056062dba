"""Writing the books. An entry with its legs is one statement; a caller's transaction may hold it.

`AlreadyPosted` is an answer, not an error of the database: the statement found the reference taken
and did nothing, so the transaction goes on. Everything else the ledger refuses before it writes;
what slips past is refused by the database (`migrations/*.sql`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.ledger.accounts import KnownAccount, accounts_resolve
from billing.ledger.chart import Event
from billing.ledger.entries import (
    AlreadyPosted,
    EntryDraft,
    Leg,
    MissingSubject,
    PartlyPosted,
    ReferenceReused,
    UnbalancedEntry,
)
from billing.ledger.models import JournalEntry
from core import clock
from core.statements import prepared_cursor

LEG_COUNT_MIN = 2

# Arrays travel as text, so that one prepared text serves any number of legs and any size of
# number. The entry's own statement decides whether the legs are written at all.
_POST = """
WITH entry AS (
  INSERT INTO ledger_entry
    (reference, event, occurred_at, created_at, business_day, invoice_id, posting_count)
  VALUES (%s, %s, %s, %s, %s, %s::bigint, %s::smallint)
  ON CONFLICT (reference) DO NOTHING
  RETURNING id, business_day
), legs AS (
  INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen, business_day)
  SELECT entry.id, leg.line_no, leg.account_id, leg.subject, leg.amount_fen, entry.business_day
  FROM entry, unnest(%s::bigint[], %s::bigint[], %s::bigint[])
    WITH ORDINALITY AS leg (account_id, subject, amount_fen, line_no)
)
SELECT id FROM entry
"""

_POST_MANY = """
WITH drafts AS (
  SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::smallint[])
    WITH ORDINALITY AS draft (reference, event, occurred_at, invoice_id, posting_count, number)
), entries AS (
  INSERT INTO ledger_entry
    (reference, event, occurred_at, created_at, business_day, invoice_id, posting_count)
  SELECT reference, event, occurred_at, %s, %s, invoice_id, posting_count
  FROM drafts ORDER BY number
  ON CONFLICT (reference) DO NOTHING
  RETURNING id, business_day, reference
), legs AS (
  INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen, business_day)
  SELECT entries.id, leg.line_no, leg.account_id, leg.subject, leg.amount_fen,
    entries.business_day
  FROM entries JOIN drafts USING (reference)
  JOIN unnest(%s::int[], %s::smallint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS leg (draft, line_no, account_id, subject, amount_fen) ON leg.draft = drafts.number
)
SELECT reference, id FROM entries
"""


def entry_post(
    *,
    reference: str,
    event: Event,
    occurred_at: datetime,
    legs: Sequence[Leg],
    invoice_id: int | None = None,
) -> int:
    """Post one entry and return its id.

    Raises `UnbalancedEntry`, `MissingSubject` or `UnknownAccount` before anything is written;
    `AlreadyPosted` when this very entry stands in the books, `ReferenceReused` when another one
    does under the reference.
    """
    accounts = _checked(reference, legs)
    now = clock.now()
    with prepared_cursor() as cursor:
        cursor.execute(
            _POST,
            (
                reference,
                event.value,
                occurred_at,
                now,
                clock.business_day(now),
                None if invoice_id is None else str(invoice_id),
                str(len(legs)),
                _array(accounts[leg.account].id for leg in legs),
                _array(leg.subject for leg in legs),
                _array(leg.amount_fen for leg in legs),
            ),
        )
        row = cursor.fetchone()
    if row is None:
        raise _standing(EntryDraft(reference, event, occurred_at, legs, invoice_id))
    return int(row[0])


def entries_post(drafts: Sequence[EntryDraft]) -> list[int]:
    """Post several entries in one statement: the events of one business act.

    Raises `AlreadyPosted` when all of them stand in the books, and `PartlyPosted` when some do:
    then the act is broken and the caller's transaction must be rolled back.
    """
    accounts: dict[str, KnownAccount] = {}
    for draft in drafts:
        accounts.update(_checked(draft.reference, draft.legs))
    if len({draft.reference for draft in drafts}) != len(drafts):
        raise ReferenceReused("two entries of one statement share a reference")
    now = clock.now()
    legs = [
        (number, line_no, accounts[leg.account].id, leg.subject, leg.amount_fen)
        for number, draft in enumerate(drafts, 1)
        for line_no, leg in enumerate(draft.legs, 1)
    ]
    with prepared_cursor() as cursor:
        cursor.execute(
            _POST_MANY,
            (
                [draft.reference for draft in drafts],
                [draft.event.value for draft in drafts],
                [draft.occurred_at for draft in drafts],
                _array(
                    "NULL" if draft.invoice_id is None else draft.invoice_id for draft in drafts
                ),
                _array(len(draft.legs) for draft in drafts),
                now,
                clock.business_day(now),
                *(_array(column) for column in zip(*legs, strict=True)),
            ),
        )
        posted = dict(cursor.fetchall())
    if len(posted) == len(drafts):
        return [int(posted[draft.reference]) for draft in drafts]
    if posted:
        taken = [draft.reference for draft in drafts if draft.reference not in posted]
        raise PartlyPosted(f"posted before: {', '.join(taken)}")
    standing = [_standing(draft) for draft in drafts]
    raise next((error for error in standing if isinstance(error, ReferenceReused)), standing[0])


def _checked(reference: str, legs: Sequence[Leg]) -> dict[str, KnownAccount]:
    """The accounts of an entry that may be posted."""
    if len(legs) < LEG_COUNT_MIN:
        raise UnbalancedEntry(f"{reference}: {len(legs)} legs")
    total = sum(leg.amount_fen for leg in legs)
    if total:
        raise UnbalancedEntry(f"{reference}: the legs sum to {total} fen")
    accounts = accounts_resolve([leg.account for leg in legs])
    for leg in legs:
        if not leg.amount_fen:
            raise UnbalancedEntry(f"{reference}: a leg of zero on {leg.account}")
        if accounts[leg.account].needs_subject and leg.subject <= 0:
            raise MissingSubject(f"{reference}: {leg.account} does not say what it is about")
    return accounts


def _array(values: object) -> str:
    """An array as PostgreSQL reads it; numbers and NULL only, so nothing needs quoting."""
    return "{" + ",".join(map(str, values)) + "}"  # type: ignore[call-overload]


def _standing(draft: EntryDraft) -> AlreadyPosted | ReferenceReused:
    """The books hold an entry under this reference: is it the same one?"""
    entry = JournalEntry.objects.get(reference=draft.reference)
    legs = sorted(entry.postings.values_list("account__code", "amount_fen", "subject"), key=repr)
    wanted = sorted(((leg.account, leg.amount_fen, leg.subject) for leg in draft.legs), key=repr)
    same = (entry.event, entry.invoice_id, legs) == (draft.event.value, draft.invoice_id, wanted)
    if same:
        return AlreadyPosted(draft.reference, entry.pk)
    return ReferenceReused(f"{draft.reference} stands in the books with other content")
