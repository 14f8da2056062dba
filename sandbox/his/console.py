"""The console: what a person at the hospital's own system sees and presses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from sandbox.his.actions import METHODS
from sandbox.his.catalogue import Item, items
from sandbox.his.hospital import Hospital, NoHospital, hospital_read
from sandbox.his.models import GoodsReturn, Invoice, Visit
from sandbox.his.orders import orders_from_args, orders_from_form, quantity_of
from sandbox.his.selectors import events_of, events_recent, visits_recent
from sandbox.his.services.desk import (
    DeskRefusal,
    insurance_code_of,
    invoice_cancel,
    invoice_collect,
    invoice_issue,
    invoice_refresh,
    visit_open,
    visit_send,
)
from sandbox.his.services.returns import return_open, return_send
from sandbox.his.words import CATEGORIES

UNDER_WAY = frozenset({"PRICING", "COLLECTING", "PROCESSING", "RESETTLING"})
RANDOM_LINES = 10


def home(request: HttpRequest) -> HttpResponse:
    return _home(request, problem="", status=200)


def _home(request: HttpRequest, *, problem: str, status: int) -> HttpResponse:
    hospital: Hospital | None = None
    try:
        hospital = hospital_read()
    except NoHospital as error:
        problem = problem or str(error)
    context = {
        "hospital": hospital,
        "problem": problem,
        "groups": _groups(),
        "posted": request.POST,
        "visits": visits_recent(),
        "events": events_recent(),
    }
    return render(request, "his/home.html", context, status=status)


def _groups() -> list[tuple[str, list[Item]]]:
    ordered = sorted(items(), key=lambda item: item.category)
    grouped = groupby(ordered, key=lambda item: item.category)
    return [(CATEGORIES.get(key, key), list(own)) for key, own in grouped]


def visit_new(request: HttpRequest) -> HttpResponse:
    """Register and issue; `collect` takes the money, `one_code` by the scanned insurance code."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    scanned = request.POST.get("insurance_code", "")
    # A scanner ends with Enter, which presses the first button.
    by_code = "one_code" in request.POST or ("collect" in request.POST and bool(scanned.strip()))
    try:
        code = insurance_code_of(scanned) if by_code else ""
        # Who shows the insurance code does not ask to pay without insurance.
        visit = _opened(request, self_pay="self_pay" in request.POST and not by_code)
    except (NoHospital, DeskRefusal) as error:
        return _home(request, problem=str(error), status=400)
    invoice = invoice_issue(visit=visit) if visit_send(visit=visit) else None
    if invoice is not None and by_code:
        invoice_collect(invoice=invoice, method="one_code", auth_code=code)
    elif invoice is not None and "collect" in request.POST:
        invoice_collect(invoice=invoice)
    return _to(visit)


def _opened(request: HttpRequest, *, self_pay: bool) -> Visit:
    patient = hospital_read().patient(request.POST.get("mrn", ""))
    if patient is None:
        raise DeskRefusal("请先选一位病人。")
    orders = orders_from_form(request.POST.dict())
    if request.POST.get("draw"):
        orders += orders_from_args({"count": RANDOM_LINES})
    return visit_open(
        mrn=patient.mrn,
        patient_name=patient.name,
        orders=orders,
        self_pay=self_pay,
    )


def visit_page(request: HttpRequest, encounter_no: str) -> HttpResponse:
    visit = get_object_or_404(Visit, encounter_no=encounter_no)
    return _visit_page(request, visit, problem="", status=200)


def _visit_page(request: HttpRequest, visit: Visit, *, problem: str, status: int) -> HttpResponse:
    invoices = list(visit.invoices.order_by("pk").prefetch_related("charges"))
    context = {
        "visit": visit,
        "invoices": invoices,
        "loose": visit.charges.filter(invoice=None).order_by("pk"),
        "unsent": not visit.sent or visit.charges.filter(sent=False).exists(),
        "open_returns": GoodsReturn.objects.filter(invoice__visit=visit, accepted=None),
        "steps": visit.steps.all(),
        "events": events_of(visit),
        "under_way": any(one.portal_status in UNDER_WAY for one in invoices),
        "problem": problem,
    }
    return render(request, "his/visit.html", context, status=status)


def visit_act(request: HttpRequest, encounter_no: str, verb: str) -> HttpResponse:
    """One press of a button: `verb` names it, `no` the invoice or return it is about."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    visit = get_object_or_404(Visit, encounter_no=encounter_no)
    try:
        if verb == "send":
            visit_send(visit=visit)
        elif verb == "issue":
            _issue(visit)
        elif verb == "resend":
            found = get_object_or_404(
                GoodsReturn, refund_no=request.POST.get("no", ""), invoice__visit=visit
            )
            return_send(goods_return=found)
        else:
            invoice = get_object_or_404(visit.invoices, invoice_no=request.POST.get("no", ""))
            ON_INVOICE[verb](invoice, request.POST.dict())
    except DeskRefusal as error:
        return _visit_page(request, visit, problem=str(error), status=400)
    return _to(visit)


def _issue(visit: Visit) -> None:
    if visit_send(visit=visit):
        invoice_issue(visit=visit)


def _collect(invoice: Invoice, posted: dict[str, Any]) -> None:
    method = posted.get("method", "auto")
    if method not in METHODS:
        raise DeskRefusal("没有这种收费方式。")
    if "insurance_code" in posted:
        scanned = insurance_code_of(posted["insurance_code"])
        invoice_collect(invoice=invoice, method="one_code", auth_code=scanned)
        return
    code = posted.get("auth_code", "").replace(" ", "")
    invoice_collect(invoice=invoice, method="scan" if code else method, auth_code=code)


def _refresh(invoice: Invoice, _posted: dict[str, Any]) -> None:
    invoice_refresh(invoice=invoice)


def _cancel(invoice: Invoice, _posted: dict[str, Any]) -> None:
    invoice_cancel(invoice=invoice)


def _return(invoice: Invoice, posted: dict[str, Any]) -> None:
    """Ticked lines (`r_<charge>`), each with its quantity (`n_<charge>`, empty = all left)."""
    chosen = [key.removeprefix("r_") for key in posted if key.startswith("r_")]
    quantities = {}
    for charge_no in chosen:
        value = posted.get(f"n_{charge_no}", "").strip()
        quantities[charge_no] = quantity_of(value) if value else None
    opened = return_open(
        invoice=invoice, quantities=quantities, reason=posted.get("reason", "")[:80]
    )
    return_send(goods_return=opened)
    invoice_refresh(invoice=invoice)


ON_INVOICE: dict[str, Callable[[Invoice, dict[str, Any]], None]] = {
    "collect": _collect,
    "refresh": _refresh,
    "cancel": _cancel,
    "return": _return,
}


def _to(visit: Visit) -> HttpResponse:
    return HttpResponseRedirect(reverse("his_visit", args=[visit.encounter_no]))
