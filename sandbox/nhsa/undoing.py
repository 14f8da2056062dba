"""2601: what a lost call did is made undone, and then counts for nobody."""

from __future__ import annotations

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.models import FeeLine, MessageLog, Settlement, Visit
from sandbox.nhsa.people import person_of
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.settlements import settlement_mirror

SETTLED = ("2207", "2207A")
CANCELLED = ("2208",)
NOTHING = "未找到可冲正的交易"


def undo(call: Call) -> Output:
    data = call.data()
    person = person_of(call, data)
    oinfno, omsgid = data.need("oinfno", 6), data.need("omsgid", 30)
    if oinfno not in (*SETTLED, *CANCELLED):
        raise Refused(f"交易{oinfno}不支持冲正")
    log = MessageLog.objects.filter(institution=call.institution, msgid=omsgid).first()
    if log is not None and log.infno != oinfno:
        raise Refused("原交易编号与原报文ID不一致")
    kind = Settlement.Kind.SETTLE if oinfno in SETTLED else Settlement.Kind.CANCEL
    rows = Settlement.objects.filter(institution=call.institution, msgid=omsgid, kind=kind)
    found = rows.first()
    if found is None:
        raise Refused(NOTHING)
    visit = Visit.objects.select_for_update(of=("self",)).get(pk=found.visit_id)
    if visit.person_id != person.pk:
        raise Refused("原交易不属于该参保人员")
    row = Settlement.objects.get(pk=found.pk)
    if row.state == Settlement.State.UNDONE:
        # Asked again because the answer was lost: it is as it was wanted.
        return {}
    if kind == Settlement.Kind.SETTLE:
        _settlement_undo(call, row, visit)
    else:
        _cancel_undo(call, row, visit)
    return {}


def _settlement_undo(call: Call, row: Settlement, visit: Visit) -> None:
    if row.state == Settlement.State.CANCELLED:
        raise Refused("该结算已撤销，不能冲正")
    _undone(call, row, visit)
    FeeLine.objects.filter(settlement=row).update(settlement=None)


def _cancel_undo(call: Call, row: Settlement, visit: Visit) -> None:
    """The settlement stands again, if its lines still lie there unsettled."""
    first = row.parent
    if first is None:
        raise Refused(NOTHING)
    numbers = [line["feedetl_sn"] for line in first.lines]
    lines = FeeLine.objects.filter(
        visit=visit, batch=first.batch, settlement=None, feedetl_sn__in=numbers
    )
    waiting = visit.lines.filter(batch=first.batch, settlement=None).count()
    if lines.count() != len(numbers) or waiting != len(numbers):
        raise Refused("撤销后的费用明细已变动，不能冲正")
    _undone(call, row, visit)
    first.state = Settlement.State.STANDS
    first.save(update_fields=["state"])
    lines.update(settlement=first)


def _undone(call: Call, row: Settlement, visit: Visit) -> None:
    back = settlement_mirror(row, visit, kind=Settlement.Kind.UNDO, msgid=call.msgid, now=call.now)
    back.state = row.state = Settlement.State.UNDONE
    back.save(update_fields=["state"])
    row.save(update_fields=["state"])
