"""One box for every number a person, a visit, a bill, a payment or a refund is known by.

Two statements find, two more fetch, whatever was typed; each branch is an equality (for names a
prefix) on an index. A visit code off the patient's screen is read first: it is a person's own word
and leads to them alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Right
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.channels.registry import auth_code_channel
from billing.models import Invoice, InvoiceReturn, Payment, PaymentTransaction
from billing.models.invoice import INVOICE_TAIL
from core.errors import BadInput
from patients.card_codes import card_code_over
from patients.models import Encounter, HisClient, Identifier, Patient
from patients.selectors import card_code_resolve, id_number_ended, id_number_index, phone_index

TEXT_LENGTH_MAX = 64
HITS_MAX = 20
NAME_LENGTH_LEAST = 2  # one character is a surname, and half the town has it
_COUNTRY = re.compile(r"(?:\+|00)86(?=\d{11}$)")
_HAS_DIGIT = re.compile(r"\d")
KINDS: dict[str, Promise] = {
    "visit_code": _("visit code"),
    "mrn": _("medical record number"),
    "card": _("visiting card"),
    "id_number": _("ID number"),
    "id_number_tail": _("last 6 of the ID number"),
    "phone": _("phone"),
    "name": _("name"),
    "encounter": _("visit number"),
    "bill": _("bill number"),
    "bill_tail": _("end of a bill number"),
    "payment": _("payment number"),
    "order": _("order number"),
    "channel_order": _("order number of the channel"),
    "refund": _("refund number"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one text led to. `kinds` names how, for the audit; `more` that there was no room."""

    people: tuple[tuple[str, Patient], ...]
    bills: tuple[tuple[str, Invoice], ...]
    payment_code: bool = False
    code_over: bool = False
    more: bool = False

    @property
    def count(self) -> int:
        return len(self.people) + len(self.bills)

    @property
    def kinds(self) -> list[str]:
        return sorted({kind for kind, _row in (*self.people, *self.bills)})


def search_text(raw: str) -> str:
    """What was typed or scanned, half-width and trimmed. Raises BadInput when it finds nobody."""
    text = unicodedata.normalize("NFKC", raw).strip()
    if not text:
        raise BadInput("empty", _("Type or scan a number or a name."), "q")
    if len(text) > TEXT_LENGTH_MAX:
        raise BadInput("long", _("At most 64 characters."), "q")
    if not text.isprintable():
        raise BadInput("control", _("Control characters are not allowed."), "q")
    return text


def desk_find(text: str) -> Found:
    """Everybody and every bill that bears this number or name."""
    shown = card_code_resolve(text)
    people = [(shown.pk, "visit_code")] if shown else _first(_people(text))
    bills = [] if shown else _first(_bills(text))
    known = Patient.objects.select_related("guardian").prefetch_related("identifiers")
    patients = known.in_bulk([pk for pk, _kind in people])
    payable = Invoice.objects.select_related("patient", "encounter")
    invoices = payable.in_bulk([pk for pk, _kind in bills])
    return Found(
        people=tuple((kind, patients[pk]) for pk, kind in people[:HITS_MAX]),
        bills=tuple((kind, invoices[pk]) for pk, kind in bills[:HITS_MAX]),
        payment_code=bool(auth_code_channel(text)),
        code_over=card_code_over(text),
        more=max(len(people), len(bills)) > HITS_MAX,
    )


def _people(text: str) -> QuerySet[Any, Any]:
    texts = {text, text.upper()}
    compact = re.sub(r"[\s\-]", "", text)
    phones = {phone_index(text), phone_index(_COUNTRY.sub("", compact))} - {""}
    branches = [
        _rows(Identifier.objects.filter(value__in=texts), F("kind"), "patient_id"),
        _rows(Patient.objects.filter(id_number_index=id_number_index(compact)), "id_number", "pk"),
        _rows(_ended(compact), "id_number_tail", "pk"),
        _rows(Patient.objects.filter(phone_index__in=phones), "phone", "pk"),
        _rows(_named(text), "name", "pk"),
        _rows(_of_clients(Encounter, encounter_no__in=texts), "encounter", "patient_id"),
    ]
    return _union(branches)


def _bills(text: str) -> QuerySet[Any, Any]:
    texts = {text, text.upper()}
    payments = Payment.objects.filter(payment_no__in=texts, invoice__isnull=False)
    moved = PaymentTransaction.objects.filter(payment__invoice__isnull=False)
    of_bill = "payment__invoice_id"
    branches = [
        _rows(Invoice.objects.filter(invoice_no__in=texts), "bill", "pk"),
        _rows(_tailed(texts), "bill_tail", "pk"),
        _rows(payments, "payment", "invoice_id"),
        _rows(moved.filter(number__in=texts), "order", of_bill),
        _rows(moved.filter(channel_no__in=texts), "channel_order", of_bill),
        _rows(_of_clients(InvoiceReturn, refund_no__in=texts), "refund", "invoice_id"),
    ]
    return _union(branches)


def _union(branches: list[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    return branches[0].union(*branches[1:])


def _named(text: str) -> QuerySet[Patient, Any]:
    """Names by prefix; a text with a digit is a number and nobody's name."""
    if _HAS_DIGIT.search(text):
        return Patient.objects.none()
    if len(text) < NAME_LENGTH_LEAST:
        return Patient.objects.filter(name=text)
    return Patient.objects.filter(name__startswith=text)


def _ended(compact: str) -> QuerySet[Patient, Any]:
    """People by the end of their certificate as they say it; the plain digits are kept nowhere."""
    index = id_number_ended(compact)
    return Patient.objects.filter(id_number_tail=index) if index else Patient.objects.none()


def _tailed(texts: set[str]) -> QuerySet[Invoice, Any]:
    """Bills by all that a payer's message tells of their number."""
    if any(len(text) != INVOICE_TAIL for text in texts):
        return Invoice.objects.none()
    return Invoice.objects.annotate(ends=Right("invoice_no", INVOICE_TAIL)).filter(ends__in=texts)


def _of_clients(model: Any, **number: Any) -> QuerySet[Any, Any]:
    """Numbers that are unique per client are indexed behind it: name every client."""
    rows: QuerySet[Any, Any] = model.objects.filter(
        client__in=HisClient.objects.values("pk"), **number
    )
    return rows


def _rows(queryset: QuerySet[Any, Any], kind: str | F, pk: str) -> QuerySet[Any, Any]:
    """One branch: (id, kind), every branch of the same two types."""
    source = Value(kind) if isinstance(kind, str) else kind
    word = Cast(source, CharField(max_length=16))
    rows: QuerySet[Any, Any] = queryset.order_by().annotate(by=word, found=F(pk))
    return rows.values_list("found", "by")


def _first(rows: QuerySet[Any, Any]) -> list[tuple[int, str]]:
    """Each row once, newest first, one more than there is room for."""
    seen: dict[int, str] = {}
    for pk, kind in rows.order_by("-found", "by")[: len(KINDS) * HITS_MAX]:
        seen.setdefault(pk, kind)
    return list(seen.items())[: HITS_MAX + 1]
