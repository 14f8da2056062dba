"""Bills: issue, read, cancel, give back; and the events about them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.his.authentication import client_of
from billing.his.schema import documented
from billing.his.serializers.money import (
    EventsAnswerSerializer,
    InvoiceAnswerSerializer,
    IssueAnswerSerializer,
    IssueSerializer,
    RefundAnswerSerializer,
    RefundSerializer,
    return_lines,
)
from billing.his.serializers.people import CancelSerializer, operator_of
from billing.his.views.base import HisView, body_of
from billing.models import InvoiceReturn, InvoiceStatus, ReturnStatus
from billing.selectors.events import PAGE_MAX, events_page
from billing.selectors.invoices import invoice_body, invoice_get
from billing.services.charging.invoices import invoice_cancel, invoice_issue
from billing.services.refunding.returns import return_request
from billing.tasks import go_on, tell
from core.errors import BadInput
from core.idempotency import input_hash
from insurance.services.claims import claim_warnings

AFTER_MAX = 2**63 - 1
WHOLE = {"type": "integer", "minimum": 0, "maximum": AFTER_MAX}
LIMIT = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX}
# A refund that is asked for is not yet done; a rejected one has failed for the HIS.
RETURN_WORDS = {
    ReturnStatus.ACCEPTED: "accepted",
    ReturnStatus.REVIEW: "review",
    ReturnStatus.DONE: "done",
    ReturnStatus.FAILED: "failed",
    ReturnStatus.REJECTED: "failed",
}


class InvoiceIssueView(HisView):
    scopes: ClassVar = {"PUT": "money"}
    concerns_money: ClassVar[bool] = True

    @extend_schema(
        **documented(IssueSerializer, IssueAnswerSerializer, "encounter_no", "invoice_no", put=True)
    )
    def put(self, request: Request, encounter_no: str, invoice_no: str) -> Response:
        """Issue a bill for all unbilled charges, or for the named ones."""
        data = body_of(request, IssueSerializer())
        issued = invoice_issue(
            client=client_of(request),
            encounter_no=encounter_no,
            invoice_no=invoice_no,
            operator=operator_of(data),
            input_hash=input_hash(data),
            charge_nos=data.get("charge_nos"),
        )
        if issued.invoice.status == InvoiceStatus.PRICING:
            go_on(issued.invoice.pk)
        else:
            tell()
        invoice = invoice_get(client=client_of(request), invoice_no=invoice_no)
        claim_id = invoice.claim_id
        warnings = claim_warnings(claim_id=claim_id) if claim_id is not None else []
        answer = invoice_body(invoice) | {"warnings": warnings}
        return Response(answer, status=201 if issued.created else 200)


class InvoiceView(HisView):
    @extend_schema(**documented(None, InvoiceAnswerSerializer, "invoice_no"))
    def get(self, request: Request, invoice_no: str) -> Response:
        """A bill with its split, payments and what the ledger says."""
        invoice = invoice_get(client=client_of(request), invoice_no=invoice_no)
        return Response(invoice_body(invoice))


class InvoiceCancelView(HisView):
    scopes: ClassVar = {"POST": "money"}
    concerns_money: ClassVar[bool] = True

    @extend_schema(**documented(CancelSerializer, InvoiceAnswerSerializer, "invoice_no"))
    def post(self, request: Request, invoice_no: str) -> Response:
        """Cancel a bill that is not paid and not being paid; its charges are free again."""
        data = body_of(request, CancelSerializer())
        client = client_of(request)
        invoice_cancel(
            client=client,
            invoice_no=invoice_no,
            operator=operator_of(data),
            reason=data.get("reason", ""),
        )
        tell()
        return Response(invoice_body(invoice_get(client=client, invoice_no=invoice_no)))


class RefundsView(HisView):
    scopes: ClassVar = {"POST": "money"}
    concerns_money: ClassVar[bool] = True

    @extend_schema(**documented(RefundSerializer, RefundAnswerSerializer, "invoice_no"))
    def post(self, request: Request, invoice_no: str) -> Response:
        """Give back lines by quantity and amount, or all that is left."""
        data = body_of(request, RefundSerializer())
        returned = return_request(
            client=client_of(request),
            invoice_no=invoice_no,
            refund_no=data["refund_no"],
            lines=return_lines(data["lines"]),
            reason=data["reason"],
            operator=operator_of(data),
            approver=operator_of(data, "approved_by"),
            input_hash=input_hash(data | {"invoice_no": invoice_no}),
        )
        go_on(returned.invoice_id)
        return Response(_refund_answer(returned))


def _refund_answer(returned: InvoiceReturn) -> dict[str, Any]:
    return {
        "refund_no": returned.refund_no,
        "status": RETURN_WORDS[ReturnStatus(returned.status)],
        "amount_fen": returned.amount_fen,
    }


class EventsView(HisView):
    @extend_schema(
        **documented(None, EventsAnswerSerializer)
        | {
            "parameters": [
                OpenApiParameter("after", WHOLE, description="Read on after this event_id."),
                OpenApiParameter("limit", LIMIT, description="How many at most."),
            ]
        }
    )
    def get(self, request: Request) -> Response:
        """Published events of this client, in the order of their ids."""
        unknown = [name for name in request.query_params if name not in ("after", "limit")]
        if unknown:
            raise BadInput("unknown_field", _("This field is not known."), unknown[0][:64])
        after = _whole(request, "after", 0, 0, AFTER_MAX)
        limit = _whole(request, "limit", PAGE_MAX, 1, PAGE_MAX)
        return Response(events_page(client=client_of(request), after=after, limit=limit))


def _whole(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query string, within bounds."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)):
        value = int(text)
        if least <= value <= most:
            return value
    bounds = {"least": least, "most": most}
    raise BadInput("out_of_range", _("It must be between %(least)s and %(most)s.") % bounds, name)
