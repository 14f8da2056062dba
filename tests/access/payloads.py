"""What is sent to each address that changes something: what its own page would send.

A refusal must come from who asks, never from a form that lacks a field; so what the right one may
do succeeds with these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from billing.desk.tokens import token_make
from billing.models import Invoice
from core import clock
from patients.models import Identifier
from tests.access.roles import Asker
from tests.billing.his.conftest import (
    APPROVER,
    OPERATOR,
    charge_body,
    encounter_body,
    patient_body,
)
from tests.factories.patients import id_number

Thing = Mapping[str, Any]
Payload = Callable[[Thing, Asker], Any]
REASON = "本人要求"


def payload(method: str, route: str, thing: Thing, asker: Asker) -> Any:
    made = PAYLOADS.get(f"{method} {route}", {})
    return made(thing, asker) if callable(made) else made


def _collect(thing: Thing, asker: Asker) -> dict[str, Any]:
    user = asker.user.pk if asker.user else 0
    bill = Invoice.objects.get(pk=thing["invoice_id"])
    token = token_make(
        "collect", invoice=bill.pk, user=user, number="DK0001", due_fen=bill.cash_fen
    )
    return {"token": token, "method": "cash", "auth_code": ""}


def _return_line(thing: Thing, _asker: Asker) -> dict[str, Any]:
    line = Invoice.objects.get(pk=thing["invoice_id"]).lines.get()
    return {f"quantity-{line.pk}": "1", "reason": REASON}


def _return_send(thing: Thing, asker: Asker) -> dict[str, Any]:
    user = asker.user.pk if asker.user else 0
    line = Invoice.objects.get(pk=thing["invoice_id"]).lines.get()
    lines = [[line.charge.charge_no, "1", line.amount_fen]]
    token = token_make(
        "return", invoice=thing["invoice_id"], user=user, number="RT0001", reason=REASON,
        lines=lines,
    )  # fmt: skip
    return {"token": token}


def _refund(thing: Thing, _asker: Asker) -> dict[str, Any]:
    return {
        "refund_no": "RF0001", "lines": "all", "reason": REASON,
        "operator": OPERATOR, "approved_by": APPROVER,
    }  # fmt: skip


def _binding(_thing: Thing, _asker: Asker) -> dict[str, Any]:
    return {
        "relation": "parent", "name": "尉迟明远", "id_type": "id_card",
        "id_number": id_number(5, region="330326"), "card_no": "",
    }  # fmt: skip


def _people(thing: Thing, _asker: Asker) -> dict[str, Any]:
    return {"people": [str(thing["patient_id"])]}


def _plan(thing: Thing, _asker: Asker) -> dict[str, Any]:
    return {"people": [str(thing["patient_id"])], "single": "50", "daily": "100"}


def _visit(thing: Thing, _asker: Asker) -> dict[str, Any]:
    return encounter_body(mrn=thing["mrn"])


def _access(thing: Thing, _asker: Asker) -> dict[str, Any]:
    return {"access": str(thing["access_id"]), "reason": REASON}


def _agreement(thing: Thing, _asker: Asker) -> dict[str, Any]:
    return {"agreement": str(thing["agreement_id"]), "reason": REASON}


def _other_phone(thing: Thing, _asker: Asker) -> dict[str, Any]:
    """The same person told again; a record number never becomes another's."""
    one = Identifier.objects.get(kind="mrn", value=thing["mrn"]).patient
    return patient_body(
        name=one.name, birth_date=str(one.birth_date), sex=one.sex, phone="13900009999"
    )


DECIDED = {"verdict": "reject", "comment": REASON}
PAY = {"way": "wechat_pay.native", "form_key": "key-of-the-matrix"}
PAYLOADS: dict[str, Any] = {
    "POST mode": {"mode": "elder-1", "next": "/help"},
    "POST accounts/login": {"phone": "13700001111"},
    "POST accounts/code": {"code": "123456"},
    "POST accounts/phone": {"phone": "13700001111"},
    "POST accounts/phone/code": {"code": "123456"},
    "POST accounts/whose": {"last": "0010"},
    "POST consents/first": {"answer": "no"},
    "POST consents/<purpose>": {"answer": "withdraw"},
    "POST family/add": _binding,
    "POST family/add/<binding_id>": {"code": "123456"},
    "POST family/<access_id>/grant": {"grant": "view", "granted": "0"},
    "POST family/<access_id>/pays": {"on": "0"},
    "POST insurance/filing": {"way": "long_term", "promised": "yes"},
    "POST p/<token>/pay": PAY,
    "POST bills/<invoice_id>/pay": PAY,
    "POST bills/<invoice_id>/rating": {"grade": "5"},
    "POST agreements/new/<plan_id>": _plan,
    "POST agreements/<agreement_id>/switch": {"on": "no"},
    "POST agreements/<agreement_id>/people": _people,
    "POST agreements/<agreement_id>/limits": {"single": "100", "daily": "200"},
    "POST admin/desk/search": {"q": "诸葛秀芝"},
    "POST admin/desk/patients/<patient_id>/reveal": {"reason": "call_back"},
    "GET admin/desk/patients/<patient_id>/bindings/end": _access,
    "POST admin/desk/patients/<patient_id>/bindings/end": _access,
    "POST admin/desk/patients/<patient_id>/bindings/reveal": {"reason": "call_back"},
    "POST admin/desk/patients/<patient_id>/insurance/act": {"act": "ask"},
    "GET admin/desk/patients/<patient_id>/agreements/end": _agreement,
    "POST admin/desk/patients/<patient_id>/agreements/end": _agreement,
    "POST admin/desk/bills/<invoice_id>/collect": _collect,
    "POST admin/desk/bills/<invoice_id>/return": _return_line,
    "POST admin/desk/bills/<invoice_id>/return/send": _return_send,
    "POST admin/desk/reviews/<review_id>": DECIDED,
    "POST admin/desk/reviews/people/<review_id>": DECIDED,
    "POST admin/desk/merges/<merge_id>": DECIDED,
    "PUT api/v1/patients/<mrn>": _other_phone,
    "PUT api/v1/encounters/<encounter_no>": _visit,
    "POST api/v1/encounters/<encounter_no>/cancel": {"operator": OPERATOR},
    "POST api/v1/encounters/<encounter_no>/close": {"operator": OPERATOR},
    "POST api/v1/encounters/<encounter_no>/charges": [charge_body("CNEW")],
    "PUT api/v1/encounters/<encounter_no>/charges/<charge_no>": charge_body(),
    "POST api/v1/encounters/<encounter_no>/charges/<charge_no>/cancel": {"operator": OPERATOR},
    "PUT api/v1/encounters/<encounter_no>/invoices/<invoice_no>": {"operator": OPERATOR},
    "POST api/v1/invoices/<invoice_no>/collect": {
        "request_no": "R-matrix", "method": "pay_link", "wait_s": 0, "operator": OPERATOR
    },
    "POST api/v1/invoices/<invoice_no>/cancel": {"operator": OPERATOR},
    "POST api/v1/invoices/<invoice_no>/refunds": _refund,
    "PUT _dev/clock": lambda _thing, _asker: {
        # An instant that is over: time stays, and no job runs.
        "now": (clock.now() - timedelta(hours=1)).isoformat()
    },
}  # fmt: skip
