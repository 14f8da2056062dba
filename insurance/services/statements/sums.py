"""Our own side of a day: the sums of every group, and the rows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection

from core import clock
from core.json_values import dumps
from insurance.gateway.visit_values import Scheme
from insurance.models import Claim, Institution, InsurerStatement, StatementStatus
from patients.models import CampusKind

OUTPATIENT, PHARMACY = "11", "41"
REMEMBERED = timedelta(days=31)

# Settlements count on the day they were settled, reversals as rows of their own on theirs. Groups
# that had rows lately are compared also when they have none: only the insurer may have one.
MOVED = """
SELECT claim.id, claim.settlement_no AS number, claim.mdtrt_id, claim.visit_id, 1 AS sign,
  amount_fen, settled_fund_fen, settled_own_account_fen, settled_mutual_aid_fen, settled_cash_fen,
  settled, false AS refund
FROM insurance_claim AS claim
WHERE institution_id = %(place)s AND settled_at >= %(start)s AND settled_at < %(end)s
UNION ALL
SELECT claim.id, claim.reversal_no, claim.mdtrt_id, claim.visit_id, -1,
  amount_fen, settled_fund_fen, settled_own_account_fen, settled_mutual_aid_fen, settled_cash_fen,
  settled, true
FROM insurance_claim AS claim
WHERE institution_id = %(place)s AND reversed_at >= %(start)s AND reversed_at < %(end)s
"""
GROUP = """
settled->>'scheme' AS scheme, coalesce(nullif(settled->>'clearing_kind', ''), %(kind)s) AS kind,
coalesce(nullif(settled->>'clearing_office', ''), %(office)s) AS office
"""
_SUMS = f"""
WITH moved AS ({MOVED}),
counted AS (
  SELECT {GROUP}, count(*) AS rows, sum(sign * amount_fen) AS total,
    sum(sign * settled_fund_fen) AS fund,
    sum(sign * (settled_own_account_fen + settled_mutual_aid_fen)) AS account,
    sum(sign * settled_cash_fen) AS cash
  FROM moved GROUP BY 1, 2, 3
), wanted AS (
  SELECT * FROM counted
  UNION ALL
  SELECT scheme, kind, office, 0, 0, 0, 0, 0
  FROM jsonb_to_recordset(%(known)s::jsonb) AS known (scheme text, kind text, office text)
  WHERE NOT EXISTS (SELECT FROM counted
    WHERE (counted.scheme, counted.kind, counted.office) = (known.scheme, known.kind, known.office))
)
INSERT INTO insurance_insurerstatement AS own
  (institution_id, day, scheme, clearing_kind, office, status, ours_count, ours_total_fen,
   ours_fund_fen, ours_account_fen, ours_cash_fen, verdict, text, result_file, created_at)
SELECT %(place)s, %(day)s, scheme, kind, office, %(status)s, rows, total, fund, account, cash,
  '', '', '', %(now)s
FROM wanted
ON CONFLICT (institution_id, day, scheme, clearing_kind, office) DO UPDATE SET
  ours_count = EXCLUDED.ours_count, ours_total_fen = EXCLUDED.ours_total_fen,
  ours_fund_fen = EXCLUDED.ours_fund_fen, ours_account_fen = EXCLUDED.ours_account_fen,
  ours_cash_fen = EXCLUDED.ours_cash_fen
"""  # noqa: S608 - fixed texts of this module
_ROWS = f"""
WITH moved AS ({MOVED})
SELECT moved.id, number, mdtrt_id, visit_id, sign * amount_fen, sign * settled_fund_fen,
  sign * (settled_own_account_fen + settled_mutual_aid_fen), sign * settled_cash_fen, refund,
  {GROUP}
FROM moved ORDER BY moved.id, refund
"""  # noqa: S608 - fixed texts of this module


@dataclass(frozen=True, slots=True)
class OurRow:
    """One settlement or reversal of ours; a reversal known only as such has no number."""

    claim_id: int
    number: str
    mdtrt_id: str
    visit_id: int | None
    total_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    refund: bool
    scheme: str
    kind: str
    office: str = field(default="")


def sums_write(place: Institution, day: date) -> None:
    """Count the day into its groups; one statement for any number of claims."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMS,
            day_values(place, day)
            | {
                "day": day,
                "known": dumps(_known(place, day)),
                "status": StatementStatus.PENDING.value,
                "now": clock.now(),
            },
        )


def rows_of(place: Institution, day: date, kind: str, office: str) -> list[OurRow]:
    """What the groups of one kind and office are made of."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, day_values(place, day))
        rows = [OurRow(*row) for row in cursor.fetchall()]
    return [row for row in rows if (row.kind, row.office) == (kind, office)]


def begun_on(place: Institution) -> date | None:
    """The day of the institution's first settlement; before it there is nothing to compare."""
    first = Claim.objects.filter(institution=place, settled_at__isnull=False).order_by("settled_at")
    at = first.values_list("settled_at", flat=True).first()
    return None if at is None else clock.business_day(at)


def day_values(place: Institution, day: date) -> dict[str, Any]:
    """The open values of `MOVED` and `GROUP`."""
    start, end = clock.day_bounds(day)
    return {
        "place": place.pk,
        "start": start,
        "end": end,
        "kind": PHARMACY if place.campus.kind == CampusKind.PHARMACY else OUTPATIENT,
        "office": place.region.area,
    }


def _known(place: Institution, day: date) -> Sequence[dict[str, str]]:
    """Groups that lately had rows, and those of the place itself."""
    seen = InsurerStatement.objects.filter(institution=place, day__gte=day - REMEMBERED)
    own = day_values(place, day)
    found = set(seen.values_list("scheme", "clearing_kind", "office").distinct()) | {
        (scheme.value, str(own["kind"]), str(own["office"]))
        for scheme in (Scheme.EMPLOYEE, Scheme.RESIDENT)
    }
    return [
        {"scheme": scheme, "kind": kind, "office": office} for scheme, kind, office in sorted(found)
    ]
