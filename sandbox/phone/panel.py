"""The fault panel: what goes wrong at which counterparty, and the books of all of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from sandbox.phone.words import BOOK_WORDS, COUNTERPARTIES, FAULT_WORDS, OPERATION_WORDS
from sandbox.world import clock, faults
from sandbox.world.registry import BOOKS, OPERATIONS, BadCall

EVERY = "*"


def panel(request: HttpRequest) -> HttpResponse:
    return _panel(request, problem="", status=200)


def _panel(request: HttpRequest, *, problem: str, status: int) -> HttpResponse:
    wanted = request.POST.get("counterparty") or request.GET.get("counterparty", "")
    chosen = wanted if wanted in OPERATIONS else next(iter(sorted(OPERATIONS)), "")
    operations = OPERATIONS.get(chosen, {})
    names = sorted(frozenset[str]().union(*operations.values()))
    context = {
        "now": clock.now(),
        "problem": problem,
        "chosen": chosen,
        "counterparties": [(name, COUNTERPARTIES.get(name, name)) for name in sorted(OPERATIONS)],
        "operations": [(name, OPERATION_WORDS.get(name, name)) for name in sorted(operations)],
        "faults": [(name, FAULT_WORDS.get(name, name)) for name in names],
        "standing": [_shown(one) for one in faults.faults_standing()],
        "books": _books(),
        "posted": request.POST,
    }
    return render(request, "phone/panel.html", context, status=status)


def _shown(fault: faults.Fault) -> dict[str, Any]:
    operation = "所有操作"
    if fault.operation != EVERY:
        operation = OPERATION_WORDS.get(fault.operation, fault.operation)
    return fault.as_json() | {
        "who": COUNTERPARTIES.get(fault.counterparty, fault.counterparty),
        "where": operation,
        "what": FAULT_WORDS.get(fault.name, fault.name),
        "percent": None if fault.probability is None else f"{fault.probability * 100:g}%",
    }


def _books() -> list[tuple[str, str, list[tuple[str, int, int]]]]:
    """Counterparty, merchant, and the sums that are not empty."""
    shown = []
    for name, read in sorted(BOOKS.items()):
        for merchant, book in read(None, None).items():
            rows = [
                (BOOK_WORDS.get(key, key), value["count"], value["fen"])
                for key, value in book.items()
            ]
            shown.append((COUNTERPARTIES.get(name, name), merchant, rows))
    return shown


def fault_new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        faults.fault_add(_wanted(request.POST.dict()))
    except BadCall as error:
        return _panel(request, problem=str(error), status=400)
    query = f"?counterparty={request.POST.get('counterparty', '')}"
    return HttpResponseRedirect(reverse("panel") + query)


def _wanted(posted: dict[str, Any]) -> dict[str, Any]:
    """Empty fields are left out: without times and probability a fault strikes every call."""
    wanted: dict[str, Any] = {
        key: posted[key] for key in ("counterparty", "operation", "fault") if posted.get(key)
    }
    for key, read in (("times", int), ("seed", int), ("seconds", float)):
        if posted.get(key):
            wanted[key] = _number(key, posted[key], read)
    if posted.get("percent"):
        wanted["probability"] = _number("percent", posted["percent"], float) / 100
    return wanted


def _number(key: str, value: str, read: type[int] | type[float]) -> float:
    try:
        return read(value)
    except (ValueError, OverflowError) as error:
        raise BadCall(f"{key}：“{value}”不是数字") from error


def fault_remove(request: HttpRequest) -> HttpResponse:
    """One by its `id`, all without."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        faults.faults_remove(request.POST.get("id") or None)
    except BadCall as error:
        return _panel(request, problem=str(error), status=400)
    return HttpResponseRedirect(reverse("panel"))
