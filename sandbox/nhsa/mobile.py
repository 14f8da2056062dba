"""The mobile pay centre's five addresses, spelt as the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox.nhsa import mobile_orders, mobile_paying, mobile_refunds
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.mobile_wire import UNPROVEN, answer, envelope_open, refusal
from sandbox.nhsa.operations import MOBILE
from sandbox.nhsa.refusal import Refused
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck


@dataclass(frozen=True)
class Route:
    run: Callable[[Fields], dict[str, Any]]
    operation: str


ROUTES: dict[str, Route] = {
    "uldFeeInfo": Route(mobile_orders.order_save, "mobile_upload"),
    "pay_order": Route(mobile_paying.order_place, "mobile_order"),
    "query_order_info": Route(mobile_paying.order_query, "mobile_query"),
    "refund_Order": Route(mobile_refunds.refund_make, "mobile_refund"),
    "revoke_order": Route(mobile_orders.order_revoke, "mobile_revoke"),
}


def mobile_gateway(request: HttpRequest, name: str) -> HttpResponse:
    """Protocol first, then business; what is refused has done nothing."""
    route = ROUTES.get(name)
    if route is None or request.method != "POST":
        return JsonResponse({"code": "404", "message": "接口地址不存在"}, status=404)

    def execute(fault: Fault | None) -> HttpResponse:
        try:
            opened = envelope_open(request.body)
        except Refused as error:
            return refusal(error.message, code=UNPROVEN)
        try:
            if fault is not None and fault.name == "decline":
                raise Refused("移动支付中心拒绝本次请求")
            out = route.run(opened.data)
        except Refused as error:
            return refusal(error.message)
        spoilt = fault is not None and fault.name == "bad_signature"
        return answer(opened.house, out, spoilt=spoilt)

    return call_struck(request, "nhsa", route.operation, execute, MOBILE)
