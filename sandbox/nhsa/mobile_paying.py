"""The person confirms an order, the centre settles and tells; 6301 says how it stands."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction

from sandbox.nhsa import states
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.mobile_orders import amounts_json, order_find, order_price, visit_lock
from sandbox.nhsa.mobile_wire import sealed
from sandbox.nhsa.models import MobileOrder, Settlement
from sandbox.nhsa.numbers import moment, yuan_text
from sandbox.nhsa.provision import house
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.settlements import batch_ready, settlement_make
from sandbox.nhsa.shown import settlement_json
from sandbox.world import clock, faults
from sandbox.world.faults import Fault
from sandbox.world.notices import Letter, notice_queue

CONFIRMED = frozenset({"never_final", "part_success", "settle_differs"})
FEN = 100
ORD_STAS_MAX = 99
Data = dict[str, Any]


@transaction.atomic
def order_confirm(pay_ord_id: str, *, cash: bool = True) -> MobileOrder:
    """The person confirms once: insurance settles and, unless `cash` is false, the rest is paid.

    A counterparty that collects the cash itself calls this when it has it.
    """
    order = order_find(Fields({"payOrdId": pay_ord_id}))
    if order.ord_stas != states.PRICED:
        raise Refused(f"订单状态{order.ord_stas}不能支付")
    fault = faults.draw("nhsa", "mobile_order", able=CONFIRMED)
    if fault is not None and fault.name == "never_final":
        order.ord_stas, order.held_by = states.SETTLING, fault.id
        _traced(order)
        return order
    _finish(order, fault, cash=cash)
    return order


@transaction.atomic
def order_place(data: Fields) -> Data:
    """6202: the trial. Where insurance pays everything no wallet has anything to confirm: the order
    settles with it (**ours**)."""
    out = order_price(data)
    order = order_find(data)
    if order.trial["cash_fen"] or order.institution.cashless_waits:
        return out
    fault = faults.draw("nhsa", "mobile_order", able=frozenset({"never_final"}))
    if fault is not None:
        order.ord_stas, order.held_by = states.SETTLING, fault.id
        _traced(order)
        return {name: out[name] for name in ("payOrdId",)} | {"ordStas": str(order.ord_stas)}
    _finish(order, None, cash=True)
    return out | amounts_json(order)


def _finish(order: MobileOrder, fault: Fault | None, *, cash: bool) -> None:
    """`part_success`: with an even seed the cash is paid and insurance fails, odd the reverse."""
    half = fault.seed % 2 if fault is not None and fault.name == "part_success" else None
    cash_fen = order.trial["cash_fen"]
    if half == 0:
        order.ord_stas, order.cash_paid_fen = states.CASH_DONE, cash_fen
        _traced(order)
        return
    lines = batch_ready(order.visit, order.batch, order.fee_fen)
    order.settlement = settlement_make(
        order.visit,
        lines,
        account_used=order.acct_used,
        msgid=order.pay_ord_id,
        now=clock.now(),
        fault=fault,
    )
    cash_fen = order.settlement.cash_fen
    if cash_fen and (half == 1 or not cash):
        order.ord_stas = states.INSURANCE_DONE
        _traced(order)
        return
    order.ord_stas, order.cash_paid_fen = states.PAID, cash_fen
    _traced(order)
    _notify(order)


def _traced(order: MobileOrder) -> None:
    order.traced_at = clock.now()
    order.save()


@transaction.atomic
def cash_arrived(pay_ord_id: str) -> MobileOrder:
    """The cash of an order whose insurance part is done: now all is."""
    order = order_find(Fields({"payOrdId": pay_ord_id}))
    if order.ord_stas != states.INSURANCE_DONE or order.settlement is None:
        raise Refused(f"订单状态{order.ord_stas}不等现金")
    order.ord_stas, order.cash_paid_fen = states.PAID, order.settlement.cash_fen
    _traced(order)
    _notify(order)
    return order


@transaction.atomic
def order_disturb(pay_ord_id: str, ord_stas: int) -> MobileOrder:
    """The centre shows an order in a state, whatever became of its money: one that only its people
    end (13, 14, 16), a failure (15), or a number nobody has told us of."""
    order = order_find(Fields({"payOrdId": pay_ord_id}))
    if not 0 <= ord_stas <= ORD_STAS_MAX:
        raise Refused(f"ordStas {ord_stas}")
    order.ord_stas = ord_stas
    _traced(order)
    return order


@transaction.atomic
def held_finish(pk: int) -> None:
    """A fault was removed: the order goes on."""
    order = MobileOrder.objects.select_for_update(of=("self",)).get(pk=pk)
    if order.ord_stas != states.SETTLING or not order.held_by:
        return
    visit_lock(order)
    order.held_by = ""
    try:
        with transaction.atomic():
            _finish(order, None, cash=True)
    except Refused:
        # Meanwhile the insurance lapsed or the batch was settled otherwise: nothing was taken.
        MobileOrder.objects.filter(pk=pk).update(ord_stas=states.FAILED, held_by="")


def held_release() -> None:
    standing = [fault.id for fault in faults.faults_standing()]
    rows = MobileOrder.objects.filter(ord_stas=states.SETTLING).exclude(held_by="")
    for pk in rows.exclude(held_by__in=standing).values_list("pk", flat=True):
        held_finish(pk)


@transaction.atomic
def order_query(data: Fields) -> Data:
    """6301: states on the way come without amounts."""
    order = order_find(data)
    data.need("payToken", 64)
    named = data.need("idNo", 50).upper(), data.need("userName", 50)
    if named != (order.person.certno, order.person.name):
        raise Refused("患者与订单不一致")
    out = amounts_json(order)
    if order.ord_stas in (states.SAVED, states.SETTLING, states.REFUNDING):
        out = {name: out[name] for name in ("payOrdId", "ordStas")}
    return out | {
        "setlType": setl_type(order),
        "callType": "SUCC" if order.ord_stas == states.PAID else "",
        "medOrgOrd": order.med_org_ord,
        "traceTime": moment(order.traced_at),
        "revsToken": f"R{order.pay_token}" if order.settlement else "",
    }


def setl_type(order: MobileOrder) -> str:
    """ALL, or CASH or HI where only that part is."""
    if order.ord_stas == states.CASH_DONE:
        return "CASH"
    cash = order.settlement.cash_fen if order.settlement else order.trial.get("cash_fen", 0)
    return "ALL" if cash and order.ord_stas != states.INSURANCE_DONE else "HI"


def callback_json(order: MobileOrder, row: Settlement, *, more_fen: int = 0) -> Data:
    """6302; here the cash is spelt ownpayAmt."""
    told = settlement_json(row)
    return {
        "ordStas": str(order.ord_stas),
        "callType": "SUCC",
        "payOrdId": order.pay_ord_id,
        "medOrgOrd": order.med_org_ord,
        "traceTime": moment(order.traced_at),
        "feeSumamt": yuan_text(order.fee_fen),
        "ownpayAmt": yuan_text(row.cash_fen + more_fen),
        "psnAcctPay": yuan_text(row.acct_fen),
        "fundPay": yuan_text(row.fund_fen),
        "hiChrgTime": moment(row.setl_time),
        "hiDocSn": row.setl_id,
        "hiRgstSn": row.visit.mdtrt_id,
        "orgName": order.institution.name,
        "orgCode": order.institution.code,
        "ecCode": "",
        "setlType": setl_type(order),
        "revsToken": f"R{order.pay_token}",
        "extData": {"setlinfo": [told["setlinfo"]], "setldetail": told["setldetail"]},
    }


def _notify(order: MobileOrder) -> None:
    row = order.settlement
    if row is None or not order.institution.callback_url:
        return
    own = house()
    good = callback_json(order, row)
    wrong = callback_json(order, row, more_fen=FEN)
    notice_queue(
        Letter(
            counterparty="nhsa",
            operation="notice",
            sender=order.institution.code,
            event="6302",
            number=order.pay_ord_id,
            url=order.institution.callback_url,
            content_type="application/json",
            body=_bytes(sealed(own, good)),
            wrong_body=_bytes(sealed(own, wrong)),
            spoilt_body=_bytes(sealed(own, good, spoilt=True)),
        )
    )


def _bytes(outer: Data) -> bytes:
    return json.dumps(outer, ensure_ascii=False).encode()
