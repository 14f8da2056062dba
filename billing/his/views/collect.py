"""Collect: start, wait a little without holding anything, answer."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.his.authentication import client_of
from billing.his.schema import documented
from billing.his.serializers.money import CollectAnswerSerializer, CollectSerializer
from billing.his.serializers.people import operator_of
from billing.his.views.base import HisView, body_of
from billing.models import CollectRequest, CollectStatus
from billing.selectors.collects import collect_answer
from billing.selectors.invoices import invoice_body
from billing.services.collecting.collects import collect_start
from billing.tasks import invoice_drive_task
from billing.waiting import wait_for_collect
from core.dispatch import enqueue
from core.idempotency import input_hash

RETRY_AFTER_S = 2
# How long to wait is the caller's patience, not part of what is asked for.
NOT_CONTENT = ("wait_s",)


class CollectView(HisView):
    scopes: ClassVar = {"POST": "money"}
    concerns_money: ClassVar[bool] = True

    @extend_schema(
        **documented(CollectSerializer, CollectAnswerSerializer, "invoice_no", processing=True)
    )
    def post(self, request: Request, invoice_no: str) -> Response:
        """Collect a bill: 200 with its end, or 202 while it goes on.

        While a collect of the bill runs, another `request_no` with the same `method` and
        `auth_code` joins it and gets its answer. Another method or code is refused with 409
        `urn:portal:problem:collect_running`; its number stays unused and may be sent again once the
        running one has ended. Cash for a bill that is paid is refused with 409
        `urn:portal:problem:invoice_paid`: give the notes back.
        """
        data = body_of(request, CollectSerializer())
        content = {name: value for name, value in data.items() if name not in NOT_CONTENT}
        collect = collect_start(
            client=client_of(request),
            invoice_no=invoice_no,
            request_no=data["request_no"],
            method=data["method"],
            auth_code=data.get("auth_code", ""),
            operator=operator_of(data),
            input_hash=input_hash(content | {"invoice_no": invoice_no}),
        )
        if collect.status == CollectStatus.RUNNING:
            enqueue(invoice_drive_task, collect.invoice_id)
            wait_for_collect(collect.pk, wait_s=data.get("wait_s", 0))
        return _answer(collect.pk)


def _answer(collect_id: int) -> Response:
    rows = CollectRequest.objects.select_related("invoice__encounter")
    collect = rows.get(pk=collect_id)
    answer = collect_answer(collect)
    body = {"result": answer.pop("result"), "invoice": invoice_body(collect.invoice)}
    body |= {name: value for name, value in answer.items() if value}
    if body["result"] == "processing":
        return Response(body, status=202, headers={"Retry-After": str(RETRY_AFTER_S)})
    return Response(body)
