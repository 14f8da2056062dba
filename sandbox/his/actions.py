"""The HIS as an actor of the control API; every action goes through the portal's REST."""

from __future__ import annotations

from typing import Any

from sandbox.his.hospital import NoHospital, hospital_read
from sandbox.his.models import Charge, Event, GoodsReturn, Invoice, Step, Visit
from sandbox.his.orders import orders_from_args, quantity_of
from sandbox.his.services.desk import (
    DeskRefusal,
    charges_add,
    invoice_collect,
    invoice_issue,
    visit_open,
    visit_send,
)
from sandbox.his.services.returns import return_open, return_send
from sandbox.world.registry import Action, BadCall

METHODS = (
    "auto", "scan", "one_code", "face", "agreement",
    "credit", "deposit", "pay_link", "pos", "cash",
)  # fmt: skip
CHARGES = '[{"code","quantity"?}], codes of sandbox/his/data/items.csv'
COUNT = "how many items to draw when charges is not given (default 3)"
AUTH_CODE = "the scanned code, for the methods that want one"
LINES = '"all" (default) or [{"charge_no","quantity"?}]; without quantity all that is left'
COLLECT = f'false, true (= "auto") or a method: {", ".join(METHODS)}; default true'


def visit(subject: str, args: dict[str, Any]) -> dict[str, Any]:
    mrn = str(args.get("mrn") or subject)
    try:
        method = _method(args.get("collect", True))
        opened = visit_open(
            mrn=mrn,
            patient_name=_name(mrn),
            orders=orders_from_args(args),
            self_pay=_flag(args, "self_pay", True),
        )
        return _send_and_collect(opened, method, _code(args))
    except DeskRefusal as error:
        raise BadCall(str(error)) from error


def charge(subject: str, args: dict[str, Any]) -> dict[str, Any]:
    found = Visit.objects.filter(encounter_no=subject).first()
    if found is None:
        raise BadCall(f"unknown encounter {subject!r}")
    try:
        method = _method(args.get("collect", True))
        charges_add(visit=found, orders=orders_from_args(args))
        return _send_and_collect(found, method, _code(args))
    except DeskRefusal as error:
        raise BadCall(str(error)) from error


def return_goods(subject: str, args: dict[str, Any]) -> dict[str, Any]:
    refund_no = args.get("refund_no")
    if refund_no is not None:
        again = GoodsReturn.objects.filter(refund_no=refund_no).first()
        if again is None:
            raise BadCall(f"unknown refund {refund_no!r}")
        return _sent(again)
    invoice = Invoice.objects.filter(invoice_no=subject).first()
    if invoice is None:
        raise BadCall(f"unknown invoice {subject!r}")
    try:
        wanted = _quantities(invoice, args.get("lines", "all"))
        opened = return_open(
            invoice=invoice,
            quantities=wanted,
            reason=str(args.get("reason") or "").replace("\x00", "")[:80],
        )
    except DeskRefusal as error:
        raise BadCall(str(error)) from error
    return _sent(opened)


def _quantities(invoice: Invoice, lines: Any) -> dict[str, Any]:
    if lines == "all":
        return {one.charge_no: None for one in invoice.charges.all() if one.open_quantity > 0}
    if not isinstance(lines, list):
        raise DeskRefusal('lines is "all" or a list of {"charge_no","quantity"?}')
    wanted = {}
    for line in lines:
        if not isinstance(line, dict) or set(line) - {"charge_no", "quantity"}:
            raise DeskRefusal("a line has charge_no and quantity")
        quantity = line.get("quantity")
        number = str(line.get("charge_no", ""))
        wanted[number] = None if quantity is None else quantity_of(quantity)
    return wanted


def _sent(goods_return: GoodsReturn) -> dict[str, Any]:
    answer = return_send(goods_return=goods_return)
    return {
        "refund_no": goods_return.refund_no,
        "amount_fen": goods_return.amount_fen,
        "lines": goods_return.lines,
        "answer": answer,
        "said": _said(goods_return.invoice.visit),
    }


def _send_and_collect(opened: Visit, method: str | None, auth_code: str) -> dict[str, Any]:
    invoice = invoice_issue(visit=opened) if visit_send(visit=opened) else None
    result = None
    if invoice is not None and method is not None:
        result = invoice_collect(invoice=invoice, method=method, auth_code=auth_code)
        invoice.refresh_from_db()
    charges = Charge.objects.filter(invoice=invoice) if invoice else opened.charges.all()
    return {
        "encounter_no": opened.encounter_no,
        "invoice_no": invoice.invoice_no if invoice else None,
        "amount_fen": invoice.amount_fen if invoice else None,
        "charges": [
            {"charge_no": one.charge_no, "code": one.code, "amount_fen": one.amount_fen}
            for one in charges.order_by("pk")
        ],
        "result": result,
        "status": invoice.portal_status if invoice else None,
        "said": _said(opened),
    }


def _said(of: Visit | None) -> list[str]:
    """The console's lines, so that a failure tells itself here too."""
    return [str(step) for step in Step.objects.filter(visit=of)] if of else []


def _method(value: Any) -> str | None:
    if value is False or value is None:
        return None
    if value is True:
        return "auto"
    if value not in METHODS:
        raise DeskRefusal(f"collect is {COLLECT}")
    return str(value)


def _code(args: dict[str, Any]) -> str:
    value = args.get("auth_code", "")
    if not isinstance(value, str):
        raise DeskRefusal("auth_code is a text")
    return value


def _flag(args: dict[str, Any], name: str, default: bool) -> bool:
    value = args.get(name, default)
    if not isinstance(value, bool):
        raise DeskRefusal(f"{name} is true or false")
    return value


def _name(mrn: str) -> str:
    try:
        patient = hospital_read().patient(mrn)
    except NoHospital:
        return ""
    return patient.name if patient else ""


def his_empty() -> None:
    for model in (Event, Step, GoodsReturn, Charge, Invoice, Visit):
        model.objects.all().delete()


ACTIONS = {
    "visit": Action(
        visit,
        "mrn",
        {
            "mrn": "instead of the subject",
            "charges": CHARGES,
            "count": COUNT,
            "seed": "of the draw",
            "collect": COLLECT,
            "auth_code": AUTH_CODE,
            "self_pay": "true (default): the patient asked not to use insurance",
        },
    ),
    "charge": Action(
        charge,
        "encounter_no",
        {
            "charges": CHARGES,
            "count": COUNT,
            "seed": "of the draw",
            "collect": COLLECT,
            "auth_code": AUTH_CODE,
        },
    ),
    "return_goods": Action(
        return_goods,
        "invoice_no",
        {
            "lines": LINES,
            "reason": "shown to the portal",
            "refund_no": "sends a return again as it was, instead of lines",
        },
    ),
}
