"""What the insurer said of a day's rows, matched with ours and kept: one statement for any day.

Each difference goes to the group of our row's scheme, and to the first group where only the insurer
has a row. What is found stands; what a later comparison finds no more is gone, and stays on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection

from core import clock
from core.json_values import dumps
from insurance.gateway.nhsa.statements import DetailVerdict, Verdict
from insurance.models import Institution, InsurerStatement
from insurance.selectors import region_profile
from insurance.services.statements.sums import GROUP, MOVED, day_values

MEMO_MAX = 200

# A row that the platform names twice is one difference. Rows of other groups lose their number
# instead of being filtered: of a filter by expressions the planner expects one row, and would then
# compare each of ours with each of the insurer's.
_MATCH = f"""
WITH moved AS ({MOVED}),
ours AS MATERIALIZED (
  SELECT CASE WHEN (kind, office) = (%(of_kind)s, %(of_office)s) THEN number END AS number,
    claim_id, scheme, total_fen, fund_fen, account_fen
  FROM (
    SELECT moved.id AS claim_id, number, sign * amount_fen AS total_fen,
      sign * settled_fund_fen AS fund_fen,
      sign * (settled_own_account_fen + settled_mutual_aid_fen) AS account_fen, {GROUP}
    FROM moved WHERE number <> ''
  ) AS numbered
), said AS (
  SELECT * FROM jsonb_to_recordset(%(said)s::jsonb) AS said (number text, mdtrt_id text,
    verdict text, refund boolean, memo text, total_fen bigint, fund_fen bigint, account_fen bigint)
), matched AS (
  SELECT DISTINCT ON (place.id, said.number) place.id AS statement_id, said.number, said.mdtrt_id,
    said.verdict, said.refund, said.memo, ours.claim_id, ours.total_fen AS ours_total_fen,
    ours.fund_fen AS ours_fund_fen, ours.account_fen AS ours_account_fen,
    said.total_fen AS theirs_total_fen, said.fund_fen AS theirs_fund_fen,
    said.account_fen AS theirs_account_fen
  FROM said LEFT JOIN ours ON ours.number = said.number
    LEFT JOIN insurance_insurerstatement AS own
      ON own.id = ANY(%(groups)s) AND own.scheme = ours.scheme
    CROSS JOIN LATERAL (SELECT coalesce(own.id, (%(groups)s::bigint[])[1]) AS id) AS place
  WHERE place.id = ANY(%(open)s)
  ORDER BY place.id, said.number, ours.claim_id DESC
), kept AS (
  INSERT INTO insurance_statementdifference
    (statement_id, settlement_no, mdtrt_id, kind, refund, memo, claim_id, ours_total_fen,
     ours_fund_fen, ours_account_fen, theirs_total_fen, theirs_fund_fen, theirs_account_fen,
     found_at)
  SELECT statement_id, number, mdtrt_id, verdict, refund, memo, claim_id, ours_total_fen,
    ours_fund_fen, ours_account_fen, theirs_total_fen, theirs_fund_fen, theirs_account_fen, %(now)s
  FROM matched
  ON CONFLICT (statement_id, settlement_no) DO UPDATE SET
    kind = EXCLUDED.kind, refund = EXCLUDED.refund, memo = EXCLUDED.memo,
    claim_id = EXCLUDED.claim_id, gone_at = NULL, ours_total_fen = EXCLUDED.ours_total_fen,
    ours_fund_fen = EXCLUDED.ours_fund_fen, ours_account_fen = EXCLUDED.ours_account_fen,
    theirs_total_fen = EXCLUDED.theirs_total_fen, theirs_fund_fen = EXCLUDED.theirs_fund_fen,
    theirs_account_fen = EXCLUDED.theirs_account_fen
)
UPDATE insurance_statementdifference AS standing SET gone_at = %(now)s
WHERE statement_id = ANY(%(open)s) AND gone_at IS NULL AND NOT EXISTS (SELECT FROM matched
  WHERE matched.statement_id = standing.statement_id AND matched.number = standing.settlement_no)
"""  # noqa: S608 - fixed texts of this module


def differences_match(
    *,
    place: Institution,
    day: date,
    groups: Sequence[InsurerStatement],
    open_: Sequence[InsurerStatement],
    said: Sequence[DetailVerdict],
) -> None:
    """Keep what differs in the groups of one kind and office; those `open_` are locked."""
    inside = region_profile(place.region).fund_includes_account
    rows = [_row(one, inside=inside) for one in said if one.verdict is not Verdict.EVEN]
    with connection.cursor() as cursor:
        cursor.execute(
            _MATCH,
            day_values(place, day)
            | {
                "of_kind": groups[0].clearing_kind,
                "of_office": groups[0].office,
                "groups": [group.pk for group in groups],
                "open": [group.pk for group in open_],
                "said": dumps(rows),
                "now": clock.now(),
            },
        )


def _row(said: DetailVerdict, *, inside: bool) -> dict[str, Any]:
    """The insurer's word on a row, its amounts in our way of counting; a row that it has not
    quotes ours."""
    amounts: dict[str, int | None] = {
        "total_fen": said.total_fen,
        "fund_fen": said.fund_fen,
        "account_fen": said.account_fen,
    }
    if said.verdict is Verdict.HOSPITAL_MORE:
        amounts = dict.fromkeys(amounts)
    elif inside and said.fund_fen is not None:
        amounts["fund_fen"] = said.fund_fen - (said.account_fen or 0)
    return amounts | {
        "number": said.settlement_no,
        "mdtrt_id": said.mdtrt_id,
        "verdict": said.verdict.value,
        "refund": said.refund,
        "memo": said.memo[:MEMO_MAX],
    }
