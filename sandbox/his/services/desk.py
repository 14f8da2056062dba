"""What a person at the HIS does: register, charge, issue, collect. Every step writes its intent
first, asks the portal, and leaves a line in words; any step may be repeated under its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from sandbox.his import portal, wire
from sandbox.his.catalogue import Order
from sandbox.his.hospital import NoHospital, hospital_read
from sandbox.his.locks import invoice_locked
from sandbox.his.models import Charge, Invoice, Step, Visit
from sandbox.his.numbers import number
from sandbox.his.words import collect_words
from sandbox.world import clock

MAX_NUMBER = 64
INSURANCE_CODE = re.compile(r"01[0-9]{26}")
FINAL_RESULTS = frozenset({"declined", "action_required"})


class DeskRefusal(Exception):
    """The HIS itself will not do this; the text says why."""


def visit_open(
    *, mrn: str, patient_name: str, orders: Sequence[Order], self_pay: bool = True
) -> Visit:
    if not 0 < len(mrn) <= MAX_NUMBER or "\x00" in mrn:
        raise DeskRefusal(f"病案号要有 1 到 {MAX_NUMBER} 个字符。")
    if not orders:
        raise DeskRefusal("请至少选一个收费项目。")
    now = clock.now()
    with transaction.atomic():
        visit = Visit.objects.create(
            encounter_no=number("H", now),
            mrn=mrn,
            patient_name=patient_name,
            self_pay=self_pay,
            created_at=now,
        )
        charges_add(visit=visit, orders=orders)
    return visit


def charges_add(*, visit: Visit, orders: Sequence[Order]) -> list[Charge]:
    now = clock.now()
    charges = [
        Charge(
            visit=visit,
            charge_no=f"{number('C', now)}N{index}",
            code=order.item.code,
            name=order.item.name,
            category=order.item.category,
            unit=order.item.unit,
            unit_price=order.item.unit_price,
            quantity=order.quantity,
            amount_fen=order.amount_fen,
            ordered_at=now,
        )
        for index, order in enumerate(orders, start=1)
    ]
    return Charge.objects.bulk_create(charges)


def visit_send(*, visit: Visit) -> bool:
    """Encounter and charges to the portal; sent again, the portal answers the same."""
    path = f"encounters/{visit.encounter_no}"
    if not visit.sent:
        body = wire.encounter_body(visit, self_pay=visit.self_pay)
        answer = ask(visit=visit, what="登记就诊", method="PUT", path=path, body=body)
        if not answer.ok:
            return False
        Visit.objects.filter(pk=visit.pk).update(sent=True)
        visit.sent = True
    unsent = list(visit.charges.filter(sent=False).order_by("pk"))
    if unsent:
        lines = [wire.charge_body(charge) for charge in unsent]
        what = f"发送 {len(lines)} 条收费"
        answer = ask(visit=visit, what=what, method="POST", path=f"{path}/charges", body=lines)
        if not answer.ok:
            return False
        visit.charges.filter(pk__in=[charge.pk for charge in unsent]).update(sent=True)
    return True


def invoice_issue(*, visit: Visit) -> Invoice | None:
    """One invoice for all charges that have none; a number the portal has not answered for is
    used again."""
    invoice = _invoice_to_issue(visit)
    body = {
        "charge_nos": list(invoice.charges.order_by("pk").values_list("charge_no", flat=True)),
        "operator": wire.OPERATOR,
    }
    path = f"encounters/{visit.encounter_no}/invoices/{invoice.invoice_no}"
    answer = ask(visit=visit, what="开具账单", method="PUT", path=path, body=body)
    if not answer.ok:
        return None
    total = sum(invoice.charges.values_list("amount_fen", flat=True))
    return invoice_learn(invoice_no=invoice.invoice_no, body=answer.body, amount_fen=total)


def _invoice_to_issue(visit: Visit) -> Invoice:
    with transaction.atomic():
        waiting = visit.invoices.filter(portal_status="").order_by("pk").first()
        if waiting is not None:
            return waiting
        charges = visit.charges.filter(invoice=None, sent=True)
        if not charges.exists():
            raise DeskRefusal("没有未开账单的收费。")
        now = clock.now()
        invoice = Invoice.objects.create(invoice_no=number("I", now), visit=visit, created_at=now)
        charges.update(invoice=invoice)
        return invoice


def insurance_code_of(scanned: str) -> str:
    """The digits of the insurance code; what is none is said before anything is registered."""
    code = "".join(scanned.split())
    if not code:
        raise DeskRefusal("请先扫病人的医保码。")
    if not INSURANCE_CODE.fullmatch(code):
        raise DeskRefusal("这不是医保码。请让病人打开医保码（28 位数字）再扫。")
    return code


def invoice_collect(
    *, invoice: Invoice, method: str = "auto", auth_code: str = "", wait_s: int = 5
) -> str:
    """Asks the portal to collect and returns its result word, "" when none came.

    The number changes only after an answer that ended the request: a lost answer asks again under
    the same number, so nothing is taken twice.
    """
    request_no = _collect_number(invoice)
    answer = ask(
        visit=invoice.visit,
        what="收费",
        method="POST",
        path=f"invoices/{invoice.invoice_no}/collect",
        body=wire.collect_body(
            request_no=request_no, method=method, auth_code=auth_code, wait_s=wait_s
        ),
        words=collect_words,
    )
    result = str(answer.body.get("result", "")) if answer.ok else ""
    if result in FINAL_RESULTS or answer.refused:
        Invoice.objects.filter(pk=invoice.pk, collect_no=request_no).update(collect_no="")
    shown = answer.body.get("invoice") if answer.ok else None
    if isinstance(shown, dict):
        invoice_learn(invoice_no=invoice.invoice_no, body=shown | _extra(answer.body))
    return result


def _collect_number(invoice: Invoice) -> str:
    with transaction.atomic():
        row = invoice_locked(invoice.invoice_no)
        if not row.collect_no:
            row.collect_no = number("R", clock.now())
            row.save(update_fields=["collect_no"])
        return row.collect_no


def _extra(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("action", "reason") if body.get(key)}


def invoice_refresh(*, invoice: Invoice) -> bool:
    path = f"invoices/{invoice.invoice_no}"
    answer = ask(visit=invoice.visit, what="查询账单", method="GET", path=path)
    if answer.ok:
        invoice_learn(invoice_no=invoice.invoice_no, body=answer.body)
    return answer.ok


def invoice_cancel(*, invoice: Invoice) -> bool:
    answer = ask(
        visit=invoice.visit,
        what="作废账单",
        method="POST",
        path=f"invoices/{invoice.invoice_no}/cancel",
        body={"operator": wire.OPERATOR},
    )
    if answer.ok:
        invoice_refresh(invoice=invoice)
    return answer.ok


def invoice_learn(
    *, invoice_no: str, body: dict[str, Any], amount_fen: int | None = None
) -> Invoice:
    """What the portal said about an invoice becomes what the HIS knows."""
    with transaction.atomic():
        row = invoice_locked(invoice_no)
        told = body.get("amount_fen")
        row.amount_fen = told if isinstance(told, int) else (row.amount_fen or amount_fen)
        row.portal_status = str(body.get("status") or row.portal_status or "ISSUED")
        row.answer = body
        row.save(update_fields=["amount_fen", "portal_status", "answer"])
        return row


def ask(
    *,
    visit: Visit | None,
    what: str,
    method: str,
    path: str,
    body: dict[str, Any] | list[Any] | None = None,
    words: Any = None,
) -> portal.Answer:
    """One call to the portal and the line that tells of it."""
    try:
        hospital = hospital_read()
    except NoHospital as error:
        answer = portal.Answer(None, {}, str(error))
    else:
        answer = portal.call(hospital=hospital, method=method, path=path, body=body)
    told = (words(answer.body) if words else "已完成。") if answer.ok else answer.words
    Step.objects.create(visit=visit, at=clock.now(), what=what, ok=answer.ok, words=told)
    return answer
