"""The platform's books per institution: what it owes, what was taken back, what is open."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from sandbox.nhsa.models import Institution, MobileOrder, Settlement
from sandbox.nhsa.states import OPEN
from sandbox.world import clock
from sandbox.world.models import Notice
from sandbox.world.registry import PAGE, Book

# fund, own_account and mutual_aid are what the platform owes: settlements less what was reversed.
PARTS = {
    "fund": F("fund_fen"),
    "own_account": F("acct_fen") - F("mulaid_fen"),
    "mutual_aid": F("mulaid_fen"),
}
PAID = F("fund_fen") + F("acct_fen")
NAMES = (*PARTS, "settled", "reversed", "undone", "open")


def books(start: datetime | None, end: datetime | None) -> dict[str, Book]:
    """Sums in [start, end) per institution; `open` is of now, whatever the period."""
    rows = Settlement.objects.all()
    if start:
        rows = rows.filter(setl_time__gte=start)
    if end:
        rows = rows.filter(setl_time__lt=end)
    out: dict[str, Book] = {
        code: {name: {"count": 0, "fen": 0} for name in NAMES}
        for code in Institution.objects.order_by("code").values_list("code", flat=True)
    }
    counting = rows.exclude(state=Settlement.State.UNDONE)
    for name, part in PARTS.items():
        _into(out, name, counting.annotate(part=part).exclude(part=0), "part")
    _into(out, "settled", counting.filter(kind=Settlement.Kind.SETTLE), "medfee_fen")
    cancelled = counting.filter(kind=Settlement.Kind.CANCEL).annotate(part=-PAID)
    _into(out, "reversed", cancelled, "part")
    undone = rows.filter(kind=Settlement.Kind.UNDO, parent__kind=Settlement.Kind.SETTLE)
    _into(out, "undone", undone.annotate(part=-PAID), "part")
    _into(out, "open", MobileOrder.objects.filter(ord_stas__in=OPEN), "fee_fen")
    return out


def _into(out: dict[str, Book], name: str, rows: QuerySet[Any], field: str) -> None:
    sums = rows.values("institution__code").annotate(n=Count("id"), s=Sum(field)).order_by()
    for row in sums:
        out[row["institution__code"]][name] = {"count": row["n"], "fen": row["s"] or 0}


def transactions(since: datetime | None, page: int) -> list[dict[str, Any]]:
    """The rows of the clearing, oldest first."""
    rows = Settlement.objects.select_related("institution", "visit", "parent")
    if since:
        rows = rows.filter(Q(setl_time__gte=since))
    found = list(rows.order_by("setl_time", "pk")[(page - 1) * PAGE : page * PAGE])
    sent = dict(
        Notice.objects.filter(counterparty="nhsa", number__in=[row.msgid for row in found])
        .values_list("number")
        .annotate(n=Sum("attempts"))
        .order_by()
    )
    return [
        {
            "number": row.msgid,
            "own_number": row.setl_id,
            "merchant": row.institution.code,
            "kind": row.kind,
            "status": row.state,
            "amount_fen": row.medfee_fen,
            "fund_fen": row.fund_fen,
            "own_account_fen": row.acct_fen - row.mulaid_fen,
            "mutual_aid_fen": row.mulaid_fen,
            "hospital_part_fen": row.hosp_part_fen,
            "cash_fen": row.cash_fen,
            "mdtrt_id": row.visit.mdtrt_id,
            "insutype": row.insutype,
            "parent": row.parent.setl_id if row.parent else "",
            "notices_sent": sent.get(row.msgid, 0),
            "created_at": row.setl_time.astimezone(clock.SHANGHAI).isoformat(),
            "occurred_at": row.setl_time.astimezone(clock.SHANGHAI).isoformat(),
        }
        for row in found
    ]
