"""6203: insurance back as a whole, cash whole or in parts; the number again is the same refund."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from sandbox.nhsa import states
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.mobile_orders import order_find, visit_lock
from sandbox.nhsa.models import (
    FeeLine,
    MobileOrder,
    MobileRefund,
    PayAuth,
    Settlement,
    Token,
    Visit,
)
from sandbox.nhsa.numbers import auth_number
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.settlements import settlement_mirror
from sandbox.wechat_pay.crypto import fingerprint
from sandbox.world import clock, faults

Data = dict[str, Any]
ALL, CASH, INSURANCE = "ALL", "CASH", "HI"
HELD = frozenset({"never_final", "already_cleared"})


@transaction.atomic
def refund_make(data: Fields) -> Data:
    order = order_find(data)
    number, kind = data.need("appRefdSn", 64), data.choice("refdType", (ALL, CASH, INSURANCE))
    data.need("appRefdTime", 14)
    parts = {name: data.fen(f"{name}RefdAmt") for name in ("fund", "psnAcct", "cash")}
    if data.fen("totlRefdAmt") != sum(parts.values()) or min(parts.values()) < 0:
        raise Refused("退费总额与各部分之和不一致")
    _credential_check(order, data)
    mark = fingerprint([order.pay_ord_id, kind, *parts.values()])
    known = MobileRefund.objects.filter(order=order, app_refd_sn=number).first()
    if known is not None:
        if known.fingerprint != mark:
            raise Refused(f"退款流水号{number}重复")
        return _json(known)
    fault = faults.draw("nhsa", "mobile_refund", able=HELD)
    name = fault.name if fault else ""
    if name == "already_cleared":
        raise Refused("该结算已清算，不能退费")
    _parts_check(order, kind, parts)
    row = MobileRefund(
        order=order,
        app_refd_sn=number,
        refd_sn=auth_number("REF")[:40],
        refd_type=kind,
        fingerprint=mark,
        fund_fen=parts["fund"],
        account_fen=parts["psnAcct"],
        cash_fen=parts["cash"],
        created_at=clock.now(),
    )
    if fault is not None and name == "never_final":
        row.status = "EXP"
        row.save()
        order.ord_stas, order.held_by = states.REFUNDING, fault.id
        order.save()
        return _json(row)
    _apply(order, row)
    return _json(row)


def _credential_check(order: MobileOrder, data: Fields) -> None:
    """One of both; the order's own, or any other of the same person."""
    token, auth = data.text("ecToken", 50), data.text("payAuthNo", 40)
    if bool(token) == bool(auth):
        raise Refused("ecToken与payAuthNo必须且只能填一个")
    found: Token | PayAuth | None
    if token:
        found = Token.objects.filter(token=token).first()
    else:
        found = PayAuth.objects.filter(pay_auth_no=auth).first()
    if found is None or found.person_id != order.person_id:
        raise Refused("授权人与订单不一致")


def _insurance_stands(order: MobileOrder) -> bool:
    row = order.settlement
    return row is not None and row.state == Settlement.State.STANDS


def _parts_check(order: MobileOrder, kind: str, parts: dict[str, int]) -> None:
    """Insurance goes back as it was settled or not at all; cash up to what is left of it."""
    if order.ord_stas in (states.SAVED, states.PRICED, states.SETTLING, states.REFUNDING):
        raise Refused(f"订单状态{order.ord_stas}不能退费")
    row, left = order.settlement, order.cash_paid_fen - order.cash_refunded_fen
    if kind != CASH:
        if row is None or not _insurance_stands(order):
            raise Refused("没有可退的医保结算")
        if (parts["fund"], parts["psnAcct"]) != (row.fund_fen, row.acct_fen):
            raise Refused("医保部分必须全额退费")
    elif parts["fund"] or parts["psnAcct"]:
        raise Refused("仅退自费时医保部分应为0")
    if kind == INSURANCE and parts["cash"]:
        raise Refused("仅退医保时自费部分应为0")
    if kind == ALL and parts["cash"] != order.cash_paid_fen:
        raise Refused("全部退费时自费部分应等于原自费金额")
    if parts["cash"] > left or (kind == CASH and not parts["cash"]):
        raise Refused("自费退费金额不正确")


def _apply(order: MobileOrder, row: MobileRefund) -> None:
    if row.refd_type != CASH and order.settlement is not None:
        back = settlement_mirror(
            order.settlement,
            Visit.objects.get(pk=order.visit_id),
            kind=Settlement.Kind.CANCEL,
            msgid=row.refd_sn,
            now=clock.now(),
        )
        order.settlement.state = Settlement.State.CANCELLED
        order.settlement.save(update_fields=["state"])
        FeeLine.objects.filter(settlement=order.settlement).update(settlement=None)
        row.hi_sn = back.setl_id
    row.status = "SUCC"
    row.save()
    order.cash_refunded_fen += row.cash_fen
    order.ord_stas = state_after(order)
    order.traced_at = clock.now()
    order.save()


def state_after(order: MobileOrder) -> int:
    """ordStas by what is back of either part."""
    insurance_back = not _insurance_stands(order)
    back, paid = order.cash_refunded_fen, order.cash_paid_fen
    if insurance_back:
        if back >= paid:
            return states.REFUNDED
        return states.INSURANCE_AND_PART_BACK if back else states.INSURANCE_BACK
    return states.CASH_BACK if back >= paid else states.CASH_PART_BACK


def _json(row: MobileRefund) -> Data:
    at = row.created_at.astimezone(clock.SHANGHAI)
    return {
        "refdSn": row.refd_sn,
        "hiFefdSn": row.hi_sn,
        "hiTrnsDate": f"{at:%Y%m%d}",
        "hiTrnsTime": f"{at:%H%M%S}",
        "refStatus": row.status,
        "extData": "",
    }


@transaction.atomic
def held_finish(pk: int) -> None:
    order = (
        MobileOrder.objects.select_for_update(of=("self",)).select_related("settlement").get(pk=pk)
    )
    row = order.refunds.filter(status="EXP").first()
    if order.ord_stas != states.REFUNDING or row is None:
        return
    visit_lock(order)
    order.held_by = ""
    _apply(order, row)


def held_release() -> None:
    standing = [fault.id for fault in faults.faults_standing()]
    rows = MobileOrder.objects.filter(ord_stas=states.REFUNDING).exclude(held_by__in=standing)
    for pk in rows.values_list("pk", flat=True):
        held_finish(pk)
