"""Charges of a visit."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.his.authentication import client_of
from billing.his.schema import documented
from billing.his.serializers.charges import (
    ChargeAnswerSerializer,
    ChargePutAnswerSerializer,
    ChargesAnswerSerializer,
    ChargeSerializer,
    ListedChargeSerializer,
    charge_answer,
    charge_input,
    charges_list,
    operators_of,
)
from billing.his.serializers.people import CancelSerializer, operator_of
from billing.his.views.base import HisView, body_of
from billing.services.charging.charges import charge_cancel, charges_put
from core.errors import BadInput


class ChargesView(HisView):
    concerns_money: ClassVar[bool] = True

    @extend_schema(
        **documented(ListedChargeSerializer(many=True), ChargesAnswerSerializer, "encounter_no")
    )
    def post(self, request: Request, encounter_no: str) -> Response:
        """Put a list of charges, all or none."""
        inputs, operators = charges_list(request.data)
        done = charges_put(
            client=client_of(request),
            encounter_no=encounter_no,
            inputs=inputs,
            operators=operators,
        )
        return Response({"charges": [charge_answer(row) for row in done.charges], "warnings": []})


class ChargeView(HisView):
    concerns_money: ClassVar[bool] = True

    @extend_schema(
        **documented(
            ChargeSerializer, ChargePutAnswerSerializer, "encounter_no", "charge_no", put=True
        )
    )
    def put(self, request: Request, encounter_no: str, charge_no: str) -> Response:
        """Put one charge; other content replaces it while it is on no bill."""
        data = body_of(request, ChargeSerializer())
        if data.get("charge_no", charge_no) != charge_no:
            raise BadInput("number_differs", _("It differs from the address."), "charge_no")
        done = charges_put(
            client=client_of(request),
            encounter_no=encounter_no,
            inputs=[charge_input(data, charge_no)],
            operators=operators_of({charge_no: data}),
            single=True,
        )
        answer = charge_answer(done.charges[0]) | {"warnings": []}
        return Response(answer, status=201 if done.created else 200)


class ChargeCancelView(HisView):
    concerns_money: ClassVar[bool] = True

    @extend_schema(
        **documented(CancelSerializer, ChargeAnswerSerializer, "encounter_no", "charge_no")
    )
    def post(self, request: Request, encounter_no: str, charge_no: str) -> Response:
        """Cancel a charge that is on no bill."""
        data = body_of(request, CancelSerializer())
        row = charge_cancel(
            client=client_of(request),
            encounter_no=encounter_no,
            charge_no=charge_no,
            by=operator_of(data),
            reason=data.get("reason", ""),
        )
        return Response(charge_answer(row))
